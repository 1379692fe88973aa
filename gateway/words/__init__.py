"""The words of every refusal: code to HTTP status, English, Spanish; one table per source."""

from __future__ import annotations

Words = dict[str, tuple[int, str, str]]
