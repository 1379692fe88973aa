"""Files in the object store, as services use them: stored, fetched within a limit or in pieces, and removed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

R = TypeVar("R")
CHUNK = 256 * 1024
PIECE = 1024 * 1024
PAGE = 1_000
_MISSING = frozenset({"NoSuchKey", "NoSuchBucket"})


class ObjectLost(Exception):
    """There is no such file, or it is not the one that was stored."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as a listing shows it; `modified` is the store's own clock, UTC."""

    key: str
    bytes: int
    modified: datetime


class Readable:
    """Bytes that come in chunks, as a file that can be read on; the object store's client asks for one."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def read(self, amount: int) -> bytes:
        """The next bytes, at most as many as asked for; none at the end.

        The client puts a part together by itself: whole parts from here would be held twice.
        """
        wanted = min(amount, PIECE)
        held = bytearray(self._rest)
        while len(held) < wanted and (chunk := next(self._chunks, b"")):
            held += chunk
        self._rest = bytes(held[wanted:])
        return bytes(held[:wanted])


def store(objects: Any, bucket: str, key: str, data: bytes, content_type: str) -> None:
    """Put a file there, or put the same one there again. Raises OSError when the store does not take it."""
    _asked("take the file", lambda: objects.put_object(bucket, key, io.BytesIO(data), len(data), content_type))


def store_long(
    objects: Any,
    bucket: str,
    key: str,
    chunks: Iterable[bytes],
    length: int,
    content_type: str,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Put a file of known length there without ever holding all of it; `notes` stay with the object."""
    data = Readable(chunks)
    noted = {} if notes is None else {"metadata": dict(notes)}
    # One part after the other: several at once would all be held, and are no faster from one source.
    put = partial(objects.put_object, bucket, key, data, length, content_type, num_parallel_uploads=1, **noted)
    _asked("take the file", put)


def fetch(objects: Any, bucket: str, key: str, limit: int) -> bytes | None:
    """The file's bytes, one more than `limit` at most; None when there is no such file.

    Raises OSError when the store does not answer as it should, which is worth another attempt.
    """
    try:
        return b"".join(chunks(objects, bucket, key, limit + 1))
    except ObjectLost:
        return None


def chunks(objects: Any, bucket: str, key: str, limit: int | None = None) -> Iterator[bytes]:
    """The file piece by piece, up to `limit` bytes. Raises ObjectLost, or OSError as `fetch` does."""
    answer = _asked("give the file", lambda: objects.get_object(bucket, key))
    try:
        while wanted := CHUNK if limit is None else min(CHUNK, limit):
            chunk = _asked("give the file", partial(answer.read, wanted))
            if not chunk:
                return
            yield chunk
            limit = None if limit is None else limit - len(chunk)
    finally:
        answer.close()
        answer.release_conn()


def listed(objects: Any, bucket: str, prefix: str) -> list[Listed]:
    """The files whose keys begin with the prefix. Raises OSError when the store does not answer."""
    found = _asked("list the files", lambda: list(objects.list_objects(bucket, prefix=prefix, recursive=True)))
    return [Listed(one.object_name, one.size, one.last_modified) for one in found]


def pages(objects: Any, bucket: str, prefix: str, size: int = PAGE) -> Iterator[list[Listed]]:
    """The same in the order of their keys, so many at a time."""
    found = iter(objects.list_objects(bucket, prefix=prefix, recursive=True))
    while page := _asked("list the files", lambda: list(islice(found, size))):
        yield [Listed(one.object_name, one.size, one.last_modified) for one in page]


def folders(objects: Any, bucket: str, prefix: str) -> list[str]:
    """The folders right below a folder, with their whole paths. Raises OSError when the store does not answer."""
    found = _asked("list the folders", lambda: list(objects.list_objects(bucket, prefix=prefix, recursive=False)))
    return [one.object_name for one in found if one.object_name.endswith("/")]


def note(objects: Any, bucket: str, key: str, name: str) -> str | None:
    """A note that was stored with the file; None where there is none, or no such file."""
    try:
        found = _asked("describe the file", lambda: objects.stat_object(bucket, key))
    except ObjectLost:
        return None
    value = (found.metadata or {}).get(f"x-amz-meta-{name}")
    return None if value is None else str(value)


def give_up_unfinished(objects: Any, bucket: str, before: datetime) -> int:
    """Remove what was stored of files whose storing was broken off, begun before then; answers of how many.

    Such pieces are in no listing of files, and would stay for ever.
    """
    # The client has these calls for its own use only, and no others for this.
    found = _asked("list unfinished files", lambda: objects._list_multipart_uploads(bucket).uploads)
    old = [one for one in found if one.initiated_time is not None and one.initiated_time < before]
    for one in old:
        _asked("give up a file", partial(objects._abort_multipart_upload, bucket, one.object_name, one.upload_id))
    return len(old)


def remove(objects: Any, bucket: str, key: str) -> None:
    """Delete the file; harmless when it has gone. Raises OSError when the store does not answer."""
    try:
        _asked("remove the file", lambda: objects.remove_object(bucket, key))
    except ObjectLost:
        return


def remove_below(objects: Any, bucket: str, folder: str, *, keep: str = "") -> None:
    """Delete every file of a folder but the one to keep. Raises OSError when the store does not answer."""
    found = _asked("list the folder", lambda: list(objects.list_objects(bucket, f"{folder}/", recursive=True)))
    for item in found:
        if item.object_name != keep:
            remove(objects, bucket, item.object_name)


def _asked(what: str, ask: Callable[[], R]) -> R:
    try:
        return ask()
    except (OSError, ObjectLost):
        raise
    except Exception as why:
        if getattr(why, "code", None) in _MISSING:
            raise ObjectLost(str(why)) from why
        raise OSError(f"the object store did not {what}: {why!r}") from why
