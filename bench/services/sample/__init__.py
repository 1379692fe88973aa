"""A small service to measure the kernel with."""
