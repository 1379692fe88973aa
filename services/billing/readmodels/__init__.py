"""What billing shows: documents folded from its facts, and the questions they answer."""
