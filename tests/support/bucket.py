"""An object store in memory, as far as services use one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
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

    def put_object(
        self, bucket: str, key: str, data: Any, length: int, content_type: str, num_parallel_uploads: int = 3
    ) -> None:
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


@dataclass
class Object:
    """What a store keeps of a file."""

    object_name: str
    data: bytes
    last_modified: datetime
    metadata: Mapping[str, str]

    @property
    def size(self) -> int:
        """Its length."""
        return len(self.data)


@dataclass
class Store:
    """Several buckets, whose objects have an age and notes; `now` is the store's own clock."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    buckets: dict[str, dict[str, Object]] = field(default_factory=dict)
    away: bool = False

    def keys(self, bucket: str) -> list[str]:
        """What is in a bucket."""
        return sorted(self.buckets.get(bucket, {}))

    def get_object(self, bucket: str, key: str) -> Answer:
        """Read an object."""
        return Answer(self.stat_object(bucket, key).data)

    def stat_object(self, bucket: str, key: str) -> Object:
        """What is known of an object."""
        self._answer()
        try:
            return self.buckets[bucket][key]
        except KeyError:
            raise NoSuchKey(key) from None

    def put_object(
        self,
        bucket: str,
        key: str,
        data: Any,
        length: int,
        content_type: str = "",
        metadata: Mapping[str, str] | None = None,
        num_parallel_uploads: int = 3,
    ) -> None:
        """Store an object, whole or not at all."""
        self._answer()
        stored = b"".join(iter(lambda: data.read(64 * 1024), b""))
        if len(stored) != length:
            raise ValueError(f"{len(stored)} bytes came of {length}")
        notes = {f"x-amz-meta-{name}": value for name, value in (metadata or {}).items()}
        self.buckets.setdefault(bucket, {})[key] = Object(key, stored, self.now(), notes)

    def remove_object(self, bucket: str, key: str) -> None:
        """Delete an object."""
        self._answer()
        self.buckets.get(bucket, {}).pop(key, None)

    def list_objects(self, bucket: str, prefix: str = "", recursive: bool = False) -> Iterator[Any]:
        """The objects below a folder, or what lies right in it."""
        self._answer()
        found = [key for key in self.keys(bucket) if key.startswith(prefix)]
        if recursive:
            return iter([self.buckets[bucket][key] for key in found])
        folders = {prefix + key[len(prefix) :].partition("/")[0] + "/" for key in found if "/" in key[len(prefix) :]}
        return iter([SimpleNamespace(object_name=folder) for folder in sorted(folders)])

    def _list_multipart_uploads(self, bucket: str) -> Any:
        self._answer()
        return SimpleNamespace(uploads=[])

    def _answer(self) -> None:
        if self.away:
            raise ConnectionError("nobody is there")
