"""What people look at: documents grown from events, each with the questions asked of it."""
