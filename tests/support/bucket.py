"""An object store in memory, as far as services use one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


class NoSuchKey(Exception):
    """The object store's answer for what it does not have."""

    code = "NoSuchKey"


class Answer(io.BytesIO):
    """An object being read."""

    def release_conn(self) -> None:
        """Nothing to release."""


@dataclass(frozen=True)
class Listed:
    """An object as a listing shows it."""

    object_name: str


@dataclass
class Bucket:
    """Objects by their key."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def get_object(self, bucket: str, key: str) -> Answer:
        """Read an object."""
        if key not in self.objects:
            raise NoSuchKey(key)
        return Answer(self.objects[key])

    def put_object(self, bucket: str, key: str, data: Any, length: int, content_type: str) -> None:
        """Store an object, whole or not at all."""
        stored = b"".join(iter(lambda: data.read(64 * 1024), b""))
        if len(stored) != length:
            raise ValueError(f"{len(stored)} bytes came of {length}")
        self.objects[key] = stored

    def remove_object(self, bucket: str, key: str) -> None:
        """Delete an object."""
        self.objects.pop(key, None)

    def list_objects(self, bucket: str, prefix: str, recursive: bool) -> Iterator[Listed]:
        """The objects below a folder."""
        return (Listed(key) for key in sorted(self.objects) if key.startswith(prefix))
