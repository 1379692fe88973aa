"""Whereabouts: where people's devices are and were, and what lies near a point."""
