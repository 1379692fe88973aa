"""What billing does by itself when something has happened."""
