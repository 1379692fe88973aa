"""A sample service that follows another's facts."""
