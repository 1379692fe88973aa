"""Time and new ids: the two things no decision may make up for itself."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol

import uuid_utils


class Clock(Protocol):
    """Where a process reads the time; always aware and in UTC."""

    def now(self) -> datetime:
        """The present moment, UTC."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)


class SettableClock:
    """A clock that stands still until it is moved; for tests of timers, expiry and calendars."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The moment it was last set to, UTC."""
        with self._lock:
            return self._now

    def advance(self, by: timedelta) -> None:
        """Move on (or back, to try clock jumps)."""
        with self._lock:
            self._now += by


def new_id() -> str:
    """A fresh UUIDv7 in canonical form: unique everywhere, roughly ordered by time of making."""
    return str(uuid_utils.uuid7())
