"""Callers that come at the same moment share one round trip to an engine, and each gets its own answer."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
LARGEST_BATCH = 200


class _Waiting(Generic[T, R]):
    __slots__ = ("answers", "broken", "item", "leads", "wake")

    def __init__(self, item: T) -> None:
        self.item = item
        self.wake = threading.Event()
        self.leads = False
        self.answers: list[R] = []
        self.broken: BaseException | None = None


class Together(Generic[T, R]):
    """Turns many concurrent questions into few batches, of which up to `hands` are under way at once.

    The first caller leads: it drains the queue into one batch and answers everyone in it. Callers that
    came meanwhile form the next batch, led by the first of them, so none serves others for ever. Whatever
    a batch sees is newer than the question of every caller in it. A caller alone waits for nobody.
    """

    def __init__(self, serve: Callable[[Sequence[T]], Sequence[R]], *, hands: int = 1) -> None:
        self._serve = serve
        self._hands = hands
        self._mutex = threading.Lock()
        self._queue: deque[_Waiting[T, R]] = deque()
        self._leading = 0

    @property
    def waiting(self) -> int:
        """How many wait for the next batch."""
        return len(self._queue)

    def ask(self, item: T) -> R:
        """The answer to this one. Raises whatever the batch raised."""
        mine: _Waiting[T, R] = _Waiting(item)
        with self._mutex:
            if self._leading < self._hands:
                self._leading += 1
                mine.leads = True
            else:
                self._queue.append(mine)
        if not mine.leads:
            mine.wake.wait()
        if mine.leads:
            self._lead(mine)
        if mine.broken is not None:
            raise mine.broken
        return mine.answers[0]

    def _lead(self, mine: _Waiting[T, R]) -> None:
        with self._mutex:
            batch = [mine, *(self._queue.popleft() for _ in range(min(LARGEST_BATCH - 1, len(self._queue))))]
        try:
            for waiting, answer in zip(batch, self._serve([waiting.item for waiting in batch]), strict=True):
                waiting.answers.append(answer)
        except BaseException as broken:  # every waiter must hear of it, or it waits for ever
            for waiting in batch:
                if not waiting.answers:
                    waiting.broken = broken
        finally:
            with self._mutex:
                if self._queue:
                    successor = self._queue.popleft()
                    successor.leads = True
                    successor.wake.set()
                else:
                    self._leading -= 1
            for waiting in batch:
                waiting.wake.set()
