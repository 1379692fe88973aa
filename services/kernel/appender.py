"""Group commit: writers that arrive together share one insert, and each gets its own answer."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.kernel import faults
from services.kernel.commit import Commit, StoreUnavailable, VersionConflict

LARGEST_BATCH = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """The stream's version is taken by another commit."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The store could not be asked in time."""

    why: Exception


Insert = Callable[[Sequence[Commit]], Sequence[Commit | Taken | Unknown]]


@dataclass(slots=True)
class _Waiting:
    commit: Commit
    wake: threading.Event = field(default_factory=threading.Event)
    outcome: Commit | Taken | Unknown | BaseException | None = None


class Appender:
    """Turns many concurrent `append` calls into few ordered batches, one at a time per process.

    The first writer leads: it drains the queue into one batch and answers everyone in it. Writers that
    came meanwhile form the next batch, led by the first of them, so no writer serves others for ever.
    """

    def __init__(self, insert: Insert) -> None:
        self._insert = insert
        self._mutex = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._led = False

    def append(self, commit: Commit) -> Commit:
        """See `CommitStore.append`."""
        mine = _Waiting(commit)
        with self._mutex:
            self._queue.append(mine)
            leading, self._led = not self._led, True
        if not leading:
            mine.wake.wait()
        if mine.outcome is None:
            self._lead()
        return self._answer(mine)

    def _lead(self) -> None:
        with self._mutex:
            batch = [self._queue.popleft() for _ in range(min(LARGEST_BATCH, len(self._queue)))]
        try:
            faults.reached("store.before_insert")
            outcomes = self._insert([waiting.commit for waiting in batch])
            faults.reached("store.after_insert_before_ack")
            for waiting, outcome in zip(batch, outcomes, strict=True):
                waiting.outcome = outcome
        except BaseException as broken:  # every waiter must hear of it, or it waits for ever
            for waiting in batch:
                waiting.outcome = waiting.outcome or broken
        finally:
            with self._mutex:
                successor = self._queue[0] if self._queue else None
                self._led = successor is not None
            for waiting in batch:
                waiting.wake.set()
            if successor is not None:
                successor.wake.set()

    @staticmethod
    def _answer(mine: _Waiting) -> Commit:
        match mine.outcome:
            case Commit() as stored:
                return stored
            case Taken():
                raise VersionConflict(mine.commit.stream)
            case Unknown(why=why):
                raise StoreUnavailable(str(why)) from why
            case BaseException() as broken:
                raise broken
            case None:
                raise AssertionError("a batch ended without an answer")
