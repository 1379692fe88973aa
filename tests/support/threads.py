"""Doing things at the same moment, and hearing of every failure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def at_once(work: Sequence[Callable[[], T]], timeout: float = 60.0) -> list[T | Exception]:
    """Let all start on one signal; answers results or what was raised, in the order of `work`."""
    gate = threading.Barrier(len(work))

    def started(one: Callable[[], T]) -> T | Exception:
        gate.wait(timeout)
        try:
            return one()
        except Exception as raised:
            return raised

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result(timeout) for future in [pool.submit(started, one) for one in work]]


def each_at_once(work: Sequence[Callable[[], T]], timeout: float = 60.0) -> list[T]:
    """The same where nothing may be raised."""
    results: list[T] = []
    for outcome in at_once(work, timeout):
        if isinstance(outcome, Exception):
            raise outcome
        results.append(outcome)
    return results
