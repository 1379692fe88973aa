"""The rules of identity: pure functions over facts."""
