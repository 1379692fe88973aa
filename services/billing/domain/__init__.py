"""The decisions of billing: pure, exact, and told in facts."""
