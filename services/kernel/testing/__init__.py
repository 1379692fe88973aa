"""Helpers that let tests speak the domain's language."""
