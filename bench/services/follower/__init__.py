"""A small service that follows the sample's facts."""
