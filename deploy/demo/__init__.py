"""A company that exists to be looked at: its story for `make demo`, its data for `make run`."""
