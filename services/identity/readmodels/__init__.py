"""What screens ask of identity."""
