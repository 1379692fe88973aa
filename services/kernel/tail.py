"""Following a service's own log: notice quickly that it grew, read it once for all who follow it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from services.kernel.commit import Commit, Recorded
from services.kernel.keyring import Keyring
from services.kernel.registry import Registry
from services.kernel.store import CommitStore

QUICKEST = 0.004
SLOWEST = 0.05
BUSY = 0.02
"""How often a busy log is looked at for those whose every step is a transaction: a few facts then share one."""
QUIET = 0.25
QUIET_AFTER = 5.0
"""When nothing has happened for so many seconds, one looks but four times a second."""
BREATHER = 3.0
LONGEST_BREATHER = 0.25
KEPT = 2_000
READ_AT_ONCE = 500
KEPT_SECONDS = 1.0


class Pace:
    """How long to wait before looking again: soon after something was found, ever later in quiet times.

    Two relays or projectors looking at once do no harm, so there is no lease and nothing to elect.
    """

    def __init__(self, quickest: float = QUICKEST) -> None:
        self._quickest = quickest
        self._pause = quickest
        self._found_at = time.monotonic()

    def pause(self, found: bool) -> float:
        """Seconds to wait after a look that found something, or nothing."""
        now = time.monotonic()
        if found:
            self._found_at, self._pause = now, self._quickest
        else:
            slowest = SLOWEST if now - self._found_at < QUIET_AFTER else QUIET
            self._pause = min(self._pause * 1.5, slowest)
        return self._pause


def breather(worked: float) -> float:
    """How long a follower rests after a step that took so many seconds: several times as long, within bounds.

    On an idle machine a step is short, and so is the rest. The more there is to do, the longer both get, and
    the more facts share one transaction: so followers give way to those whose callers wait.
    """
    return min(worked * BREATHER, LONGEST_BREATHER)


class Head:
    """Where the log ends now, looked up by one thread of the process for all its followers."""

    def __init__(self, look: Callable[[], int], stop: threading.Event) -> None:
        self._look = look
        self._stop = stop
        self._grown = threading.Condition()
        self._position = 0

    def run(self) -> None:
        """Look until told to stop. Failures to reach the database are the followers' to report."""
        pace = Pace(BUSY)
        found = True
        while not self._stop.wait(pace.pause(found)):
            position = self._look()
            found = position > self._position
            if found:
                with self._grown:
                    self._position = position
                    self._grown.notify_all()

    def beyond(self, position: int, timeout: float) -> bool:
        """Whether the log goes beyond `position`; waits up to `timeout` seconds for it, or until `wake`."""
        with self._grown:
            self._grown.wait_for(lambda: self._position > position or self._stop.is_set(), timeout)
            return self._position > position

    def wake(self) -> None:
        """Let nobody wait any longer: the process is to stop."""
        with self._grown:
            self._grown.notify_all()


class Recent:
    """The end of the log as this process has read it: each commit is fetched and typed once for all followers.

    What is typed may hold personal data, so it is kept for a second only: an erasure must not meet a
    copy of what it erases.
    """

    def __init__(self, store: CommitStore, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._lock = threading.RLock()
        self._commits: deque[tuple[float, Commit]] = deque()
        self._typed: dict[int, list[Recorded]] = {}
        self._end: int | None = None

    def look(self) -> int:
        """Where the log ends now, or a good way further on; for one thread. What is new is read at once, for all."""
        if self._end is None:
            self._end = self._store.head()
        elif commits := self.after(self._end, READ_AT_ONCE):
            self._end = commits[-1].position
        return self._end

    def after(self, position: int, limit: int) -> Sequence[Commit]:
        """See `CommitStore.after`; may answer less than there is."""
        with self._lock:
            self._forget()
            end = self._commits[-1][1].position if self._commits else position
            if position == end:
                now = time.monotonic()
                self._commits.extend((now, commit) for commit in self._store.after(position, limit))
            skipped = position + 1 - self._commits[0][1].position if self._commits else 0
            if 0 <= skipped < len(self._commits):
                return [commit for _, commit in islice(self._commits, skipped, skipped + limit)]
        return self._store.after(position, limit)

    def followed(self, commit: Commit, keyring: Keyring) -> list[Recorded]:
        """See `Registry.followed`."""
        with self._lock:
            facts = self._typed.get(commit.position)
            if facts is None:
                facts = self._registry.followed(commit, keyring)
                if self._commits and self._commits[0][1].position <= commit.position:
                    self._typed[commit.position] = facts
            return facts

    def _forget(self) -> None:
        oldest = time.monotonic() - KEPT_SECONDS
        while self._commits and (self._commits[0][0] < oldest or len(self._commits) > KEPT):
            _, commit = self._commits.popleft()
            self._typed.pop(commit.position, None)
