"""What work is and which rules it follows; no input or output happens here."""
