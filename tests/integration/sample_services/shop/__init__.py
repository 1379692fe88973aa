"""A sample service whose facts another follows."""
