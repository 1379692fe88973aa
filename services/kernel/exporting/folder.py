"""Where everything of an export lies in the object store: its parts while it is written, then its file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from services.kernel import objects
from services.kernel.exporting.job import Piece


def file_of(tenant: str, export_id: str) -> str:
    """Where the finished file lies."""
    return f"{_folder_of(tenant, export_id)}/file"


class Folder:
    """The objects of one export. What is stored is named after its content, so that nothing is ever overwritten."""

    def __init__(self, port: Any, bucket: str, tenant: str, export_id: str) -> None:
        self._port = port
        self._bucket = bucket
        self._name = _folder_of(tenant, export_id)
        self._file = file_of(tenant, export_id)

    def put(self, part: int, piece: Piece, packed: bytes) -> None:
        """Store a piece."""
        objects.store(self._port, self._bucket, self._key(part, piece), packed, "application/octet-stream")

    def read(self, part: int, piece: Piece) -> Iterator[bytes]:
        """A piece, as it was stored. Raises ObjectLost where it is not."""
        digest = sha256()
        for chunk in objects.chunks(self._port, self._bucket, self._key(part, piece)):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != piece.digest:
            raise objects.ObjectLost(f"{self._key(part, piece)} is not what was stored")

    def put_file(self, chunks: Iterable[bytes], length: int, content_type: str) -> None:
        """Store the file, never holding all of it."""
        objects.store_long(self._port, self._bucket, self._file, chunks, length, content_type)

    def clear(self, *, keep_file: bool = False) -> None:
        """Remove everything, or everything but the file."""
        objects.remove_below(self._port, self._bucket, self._name, keep=self._file if keep_file else "")

    def _key(self, part: int, piece: Piece) -> str:
        return f"{self._name}/{part:06}-{piece.table}-{piece.book}-{piece.digest[:24]}"


def _folder_of(tenant: str, export_id: str) -> str:
    return f"{tenant}/exports/{export_id}"
