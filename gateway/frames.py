"""Facts in the form in which they are sent to listeners, and a short memory of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

REMEMBERED_EVENTS = 512

READ_PERMISSION: Mapping[str, str] = {
    "tasks.task": "tasks:read",
    "tasks.process": "processes:read",
    "tasks.status_list": "processes:read",
    "tasks.customer": "customers:read",
    "tasks.import_job": "imports:read",
    "identity.account": "accounts:read",
    "identity.user": "users:read",
    "identity.team": "teams:read",
    "identity.profile": "profiles:read",
    "identity.seat_pool": "users:read",
    "billing.subscription": "billing:read",
    "billing.invoice": "billing:read",
    "billing.customer_account": "billing:read",
}
"""Who may watch what; any other category is for readers of the history."""
OTHERWISE = "history:read"


@dataclass(frozen=True, slots=True)
class Frame:
    """One fact, ready to be sent, and the permission that lets one see it."""

    id: str
    permission: str
    body: bytes


def frame_of(category: str, message: Mapping[str, Any]) -> Frame:
    """The server-sent form of a CloudEvents message. Raises KeyError or IndexError on anything else."""
    id = str(message["id"])
    name = message["type"].rsplit(".", 2)[1]
    data = {
        "id": id,
        "type": name,
        "category": category,
        "subject": message["subject"],
        "version": message["streamversion"],
        "position": message["position"],
        "time": message["time"],
        "actor": message.get("actor"),
        "correlation_id": message.get("correlationid"),
        "data": message["data"],
    }
    body = b"id: %s\nevent: %s\ndata: %s\n\n" % (id.encode(), name.encode(), orjson.dumps(data))
    return Frame(id, READ_PERMISSION.get(category, OTHERWISE), body)


def notice(event: str, **facts: Any) -> bytes:
    """A message of the stream itself, without an id: it must not move the reader's place."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), orjson.dumps(facts))


class Memory:
    """The last facts of one tenant, each once: the relay may send a fact again."""

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._ids: set[str] = set()

    def add(self, frame: Frame) -> bool:
        """Remember; False when it is known already."""
        if frame.id in self._ids:
            return False
        self._frames.append(frame)
        self._ids.add(frame.id)
        if len(self._frames) > REMEMBERED_EVENTS:
            self._ids.discard(self._frames.popleft().id)
        return True

    def after(self, id: str) -> list[Frame] | None:
        """What came after the fact of this id; None when that one is not remembered."""
        if id not in self._ids:
            return None
        frames = list(self._frames)
        place = next(i for i, frame in enumerate(frames) if frame.id == id)
        return frames[place + 1 :]
