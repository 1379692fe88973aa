"""What a form is, what an answer must be, and what becomes of both; no input or output happens here."""
