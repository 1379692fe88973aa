"""The media service: evidence as it comes in, is looked at, kept under lock, shown and forgotten."""
