"""What happens by itself when something else has happened; one policy per module."""
