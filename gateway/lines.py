"""The way of calls to one service: those that are made at the same moment share a message."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

SIDE_BY_SIDE = 2
"""Messages of one service that may be without any answer before further calls wait for one."""
LONGEST_HOLD = 0.003
MOST_CALLS = 16
MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call that is to be sent: its id, its bytes, and the seconds after which nobody waits for it any more."""

    id: str
    encoded: bytes
    patience: float


class Line:
    """Sends calls in the turn of the loop in which they are made, as long as answers come as fast.

    While messages are without any answer, calls gather until the first one comes, for a few milliseconds at
    most. So a lone call waits for nothing, and the busier a service is, the more calls are in one message.
    """

    def __init__(self, send: Callable[[Sequence[Waiting]], None]) -> None:
        self._send = send
        self._waiting: deque[Waiting] = deque()
        self._unanswered = 0
        self._due: asyncio.Handle | None = None

    def put(self, call: Waiting) -> None:
        """Send this call soon."""
        self._waiting.append(call)
        if self._due is None:
            loop = asyncio.get_running_loop()
            if self._unanswered < SIDE_BY_SIDE:
                self._due = loop.call_soon(self._flush)
            else:
                self._due = loop.call_later(LONGEST_HOLD, self._flush)

    def answered(self) -> None:
        """The first answer to a message has come, or none will."""
        self._unanswered -= 1
        if self._due is not None and self._unanswered < SIDE_BY_SIDE:
            self._due.cancel()
            self._due = asyncio.get_running_loop().call_soon(self._flush)

    def drop(self) -> None:
        """The connection is gone, and with it what was to be sent; of what was sent, `answered` is still said."""
        self._waiting.clear()

    def _flush(self) -> None:
        self._due = None
        while self._waiting:
            together: list[Waiting] = []
            size = 0
            while self._waiting and len(together) < MOST_CALLS and size < MOST_BYTES:
                call = self._waiting.popleft()
                together.append(call)
                size += len(call.encoded)
            self._unanswered += 1
            self._send(together)
