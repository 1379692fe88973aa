"""A sample service, made loadable as a program by `tests.support.program`."""
