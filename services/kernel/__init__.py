"""The house every service lives in: it knows events, streams and brokers, and nothing of any service."""
