"""Measures the hot paths beside raw baselines of the same run: `make bench`. A report, never a test."""
