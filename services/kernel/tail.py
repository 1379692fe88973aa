"""Following a service's own log: notice quickly that it grew, read it once for all who follow it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
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
USUAL_STEP = 0.006
BREATHER = 4.0
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
    """How long a follower rests after a step that took so many seconds: several times what went beyond the usual.

    On an idle machine a step is short, and there is no rest. The more there is to do, the longer a step takes and
    the rest behind it, and the more facts share one transaction: so followers give way to those whose callers wait.
    """
    return min(max(worked - USUAL_STEP, 0.0) * BREATHER, LONGEST_BREATHER)


class Watch:
    """One follower's place at the end of the log: it is woken only by what concerns it."""

    def __init__(self, head: Head, categories: Iterable[str]) -> None:
        self.categories = frozenset(categories)
        self.concerned = 0
        self.woken = threading.Event()
        self._head = head

    def wait(self, position: int, timeout: float) -> bool:
        """Whether there may be something to read beyond `position`; waits up to `timeout` seconds for it."""
        self.woken.clear()
        if not self._beyond(position):
            self.woken.wait(timeout)
        return self._beyond(position)

    def passed(self, position: int) -> int:
        """Up to where the log holds nothing for this follower, who has read up to `position`."""
        end = self._head.end  # first, or a commit might be passed over that comes in between
        return position if self._beyond(position) else max(end, position)

    def _beyond(self, position: int) -> bool:
        return self._head.began is not None and (self.concerned > position or position < self._head.began)


class Head:
    """The end of the log, looked at by one thread of the process for all its followers."""

    def __init__(self, recent: Recent, stop: threading.Event) -> None:
        self._recent = recent
        self._stop = stop
        self._watches: list[Watch] = []
        self.began: int | None = None
        self.end = 0

    def watch(self, categories: Iterable[str]) -> Watch:
        """A place for one more follower; to be taken before `run`."""
        watch = Watch(self, categories)
        self._watches.append(watch)
        return watch

    def run(self) -> None:
        """Look until told to stop. Failures to reach the database are the followers' to report."""
        pace = Pace(BUSY)
        found = True
        while not self._stop.wait(pace.pause(found)):
            found = self._look()
        self.wake()

    def wake(self) -> None:
        """Let nobody wait any longer."""
        for watch in self._watches:
            watch.woken.set()

    def _look(self) -> bool:
        if self.began is None:
            # Who is not that far yet reads on by himself.
            self.began = self.end = self._recent.end()
            self.wake()
            return True
        commits = self._recent.after(self.end, READ_AT_ONCE)
        last = {commit.category: commit.position for commit in commits}
        for watch in self._watches:
            concerned = max((last[category] for category in watch.categories & last.keys()), default=0)
            if concerned:
                watch.concerned = concerned
                watch.woken.set()
        if commits:
            self.end = commits[-1].position
        return bool(commits)


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

    def end(self) -> int:
        """Where the log ends now."""
        return self._store.head()

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
