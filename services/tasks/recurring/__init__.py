"""Recurring work: when it occurs (RFC 5545), and how its tasks are opened ahead of time."""
