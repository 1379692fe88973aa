"""What people and programs ask of identity that takes more than one aggregate, step by step."""
