"""Following a service's own log: notice quickly that it grew, cost next to nothing while it does not."""

from __future__ import annotations

import threading
from collections.abc import Callable

QUICKEST = 0.004
SLOWEST = 0.05
BUSY = 0.02
"""How often a busy log is looked at for those whose every step is a transaction: a few facts then share one."""


class Pace:
    """How long to wait before looking again: soon after something was found, ever later in quiet times.

    Two relays or projectors looking at once do no harm, so there is no lease and nothing to elect.
    """

    def __init__(self, stop: threading.Event, quickest: float = QUICKEST) -> None:
        self._stop = stop
        self._quickest = quickest
        self._pause = quickest

    def wait(self, found: bool) -> bool:
        """Wait the due time; False when the process is to stop."""
        self._pause = self._quickest if found else min(self._pause * 1.5, SLOWEST)
        return not self._stop.wait(self._pause)


class Head:
    """Where the log ends now, looked up by one thread of the process for all its followers."""

    def __init__(self, look: Callable[[], int], stop: threading.Event) -> None:
        self._look = look
        self._stop = stop
        self._grown = threading.Condition()
        self._position = 0

    def run(self) -> None:
        """Look until told to stop. Failures to reach the database are the followers' to report."""
        pace = Pace(self._stop, BUSY)
        found = True
        while pace.wait(found):
            position = self._look()
            found = position > self._position
            if found:
                with self._grown:
                    self._position = position
                    self._grown.notify_all()

    def beyond(self, position: int, timeout: float) -> bool:
        """Whether the log goes beyond `position`; waits up to `timeout` seconds for it."""
        with self._grown:
            return self._grown.wait_for(lambda: self._position > position, timeout)
