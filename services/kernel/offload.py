"""Keeps long computations off the hub: in a nameko process they run on a native thread."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def run(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """`work`'s result. On an eventlet hub other greenthreads go on meanwhile; elsewhere it is a plain call.

    One argon2 hash stops the hub for its whole length when called inline, which is long enough under
    load to miss broker heartbeats.
    """
    if "eventlet" in sys.modules:  # never loaded outside a nameko process
        from eventlet import patcher, tpool

        if patcher.is_monkey_patched("thread"):
            return tpool.execute(work, *args, **kwargs)  # type: ignore[no-any-return]
    return work(*args, **kwargs)
