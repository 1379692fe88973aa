"""The forms service: forms and their versions, and what people answered."""
