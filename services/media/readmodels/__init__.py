"""What is asked about evidence: the items, who uses them, and every object that is kept of them."""
