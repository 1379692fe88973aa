"""What this service does of itself when something has happened."""
