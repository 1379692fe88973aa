"""Data that came from outside, read as one of this service's models."""

from __future__ import annotations

from services.kernel.application import checked

__all__ = ["checked"]
