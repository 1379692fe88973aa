"""Where the kernel's programs look for a service's definition."""

from __future__ import annotations

from tests.examples.kernel import parcels as define

__all__ = ["define"]
