"""The media service on real engines, without a gateway: uploads put where they belong, and what is left in the end."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from services.kernel.clock import SettableClock, new_id
from services.kernel.commit import PLATFORM, Caller
from services.kernel.config import Settings
from services.kernel.platform import Platform, definition_of, objects, open_platform
from services.media import keeping
from services.media.domain.medium import Medium, medium
from services.media.domain.values import hex_of
from tests.examples.media import sha_of


class Evidence:
    """Somebody with a phone, and somebody who looks into the buckets."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.settings = platform.settings
        self.store = objects(platform.settings)
        rights = frozenset({"tasks:execute", "submissions:read"})
        self.caller = Caller(tenant=new_id(), actor=new_id(), role="admin", permissions=rights)

    def do(self, command: str, **data: Any) -> dict[str, Any]:
        """Carry out a command."""
        return self.platform.application.execute(command, data, self.caller, new_id())

    def ask(self, query: str, **params: Any) -> dict[str, Any]:
        """Answer a query."""
        return self.platform.application.query(query, params, self.caller)

    def upload(self, data: bytes, type: str = "image/jpeg", *, pieces: int = 2) -> str:
        """Send it in pieces and say that it is all; the upload's id."""
        upload_id = new_id()
        self.do("begin_upload", upload_id=upload_id, media_id=sha_of(data), bytes=len(data), type=type, via="tus")
        step = -(-len(data) // pieces)
        for at in range(0, len(data), step):
            self.put(f"{upload_id}/{at:015d}-x", data[at : at + step])
        self.do("finish_upload", upload_id=upload_id)
        return upload_id

    def put(self, name: str, data: bytes) -> None:
        """An object among what comes in."""
        key = f"{self.caller.tenant}/{name}"
        self.store.put_object(self.settings.s3_incoming_bucket, key, io.BytesIO(data), len(data))

    def status(self, upload_id: str) -> str:
        """How an upload stands."""
        return str(self.ask("upload", upload_id=upload_id)["status"])

    def incoming(self) -> list[str]:
        """What lies among what comes in."""
        return self._keys(self.settings.s3_incoming_bucket, f"{self.caller.tenant}/")

    def kept(self) -> list[str]:
        """What lies sealed."""
        return self._keys(self.settings.s3_media_bucket, f"t/{self.caller.tenant}/")

    def sweep(self) -> dict[str, Any]:
        """As the platform's clock would in seven hours."""
        clock = SettableClock(datetime.now(UTC) + timedelta(hours=7))
        with closing(open_platform(definition_of("media"), self.settings, clock)) as later:
            system = Caller(tenant=PLATFORM, actor="system:test", role="system")
            return later.application.execute("sweep_media", {}, system, new_id())

    def check(self, *contents: bytes) -> None:
        """Exactly these are kept, whole: every object is named by one of them, and opens to what it should be."""
        named: list[str] = []
        for content in contents:
            known: Medium = self._state(content)
            assert known.stored is not None, f"{sha_of(content)} is {known.status}"
            assert self._opened(known, "original") == sha_of(content).removeprefix("sha256:")
            for rendition in known.stored.renditions:
                assert self._opened(known, rendition.name) == rendition.sha256
            named += known.objects
        assert self.kept() == sorted(named)
        assert self.incoming() == []
        for bucket in (self.settings.s3_incoming_bucket, self.settings.s3_media_bucket):
            assert not self.store._list_multipart_uploads(bucket).uploads

    def _state(self, content: bytes) -> Medium:
        state: Medium = self.platform.application.journal.load(
            medium, self.caller.tenant, hex_of(sha_of(content))
        ).state
        return state

    def _opened(self, known: Medium, rendition: str) -> str:
        where, key = keeping.file_of(known, rendition)
        digest = hashlib.sha256()
        for chunk in keeping.read(self.store, self.settings.s3_media_bucket, where, key):
            digest.update(chunk)
        return digest.hexdigest()

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        return sorted(str(one.object_name) for one in self.store.list_objects(bucket, prefix=prefix, recursive=True))


@contextmanager
def evidence(env: dict[str, str]) -> Iterator[Evidence]:
    """An account of its own in this corner."""
    with closing(open_platform(definition_of("media"), Settings(**env))) as platform:  # type: ignore[arg-type]
        platform.ensure_indexes()
        yield Evidence(platform)
