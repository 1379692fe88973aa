"""Patterns of texts, matched in time linear in the text whatever the pattern.

A backtracking matcher can be kept busy for ever by a pattern and a text made for it; the automata of RE2 cannot.
What they cannot express (back references, look-around) is refused when the form is published.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

MAX_PATTERN = 1_000
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 4 << 20


class PatternRefused(ValueError):
    """It is no pattern, or none that can be matched safely."""


class Pattern:
    """A pattern that matches a text as a whole."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    def fits(self, text: str) -> bool:
        """Whether the whole text is as the pattern says."""
        return self._compiled.fullmatch(text) is not None


@lru_cache(maxsize=2_000)
def pattern(text: str) -> Pattern:
    """Raises PatternRefused."""
    if len(text) > MAX_PATTERN:
        raise PatternRefused("too long")
    try:
        return Pattern(re2.compile(text, _OPTIONS))
    except (re2.error, UnicodeError) as refused:
        raise PatternRefused(str(refused)) from None
