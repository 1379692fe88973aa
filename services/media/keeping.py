"""Evidence under lock: objects sealed each under a key of its own, read back, and handed out by a ticket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.kernel import objects
from services.kernel.application import Ask
from services.kernel.clock import new_id
from services.kernel.domain import Erased, Rejected
from services.kernel.sealing import key_bytes, key_text, new_key, opened, seal, sealed_length, span
from services.kernel.shown import shown
from services.media.domain.medium import Medium
from services.media.domain.values import ENDINGS, Stored, hex_of

SEALED = "application/octet-stream"


def folder_of(tenant: str) -> str:
    """Where the objects of an account lie."""
    return f"t/{tenant}"


def keep(store: Any, bucket: str, tenant: str, owner: str, chunks: Iterable[bytes], length: int) -> tuple[Stored, str]:
    """Seal a file of this length into a new object; answers where it is and what opens it.

    `owner` says to what it belongs (`<category>/<id>`): the object bears it, so that one that nobody came to name can
    be told from one that somebody did. Raises OSError when the object store does not take it.
    """
    object, key = f"{folder_of(tenant)}/{new_id()}", new_key()
    sealed = seal(chunks, key, object, length)
    objects.store_long(store, bucket, object, sealed, sealed_length(length), SEALED, {"owner": owner})
    return Stored(object=object, bytes=length), key_text(key)


def read(store: Any, bucket: str, stored: Stored, key: str) -> Iterator[bytes]:
    """The plain bytes of an object, piece by piece.

    Raises ObjectLost when it is not there, OSError when the store does not answer, InvalidTag when it is another.
    """
    sealed = objects.chunks(store, bucket, stored.object)
    return opened(sealed, key_bytes(key), stored.object, stored.bytes, span(0, stored.bytes, stored.bytes))


def file_of(known: Medium, rendition: str) -> tuple[Stored, str]:
    """Where a form of a stored item lies and what opens it; `original` or the name of a rendition.

    Raises Rejected: "medium-unknown" where it is not kept, "rendition-unknown" where there is no such form of it,
    "erased" once its key is gone.
    """
    stored = known.stored
    if stored is None or known.status != "stored":
        raise Rejected("medium-unknown")
    where = stored.original
    if rendition != "original":
        found = next((one for one in stored.renditions if one.name == rendition), None)
        if found is None:
            raise Rejected("rendition-unknown", media_id=stored.media_id, rendition=rendition)
        where = Stored(object=found.object, bytes=found.bytes)
    key = known.key_of(where.object)
    if isinstance(key, Erased):
        raise Rejected("erased")
    return where, key


def ticket(ask: Ask, known: Medium, rendition: str) -> Mapping[str, Any]:
    """What it takes to read one sealed object, and nothing else. Raises Rejected as `file_of` does."""
    where, key = file_of(known, rendition)
    assert known.stored is not None
    digest, type = hex_of(known.stored.media_id), known.stored.type
    name = shown(known.stored.name) or f"{digest[:12]}.{ENDINGS[type]}"
    for one in known.stored.renditions:
        if one.name == rendition:
            digest, type = one.sha256, one.type
            name = f"{name.rpartition('.')[0] or name}-{rendition}.{ENDINGS[type]}"
    return {
        "bucket": ask.settings.s3_media_bucket,
        "object": where.object,
        "key": key,
        "bytes": where.bytes,
        "type": type,
        "sha256": digest,
        "file_name": name,
    }
