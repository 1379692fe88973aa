"""An account with evidence, in memory: its people, its uploads, its buckets, and what forms tells of its answers."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.identity.domain.permissions import ROLE_PERMISSIONS
from services.kernel.clock import new_id
from services.kernel.commit import PLATFORM, Caller, Recorded
from services.kernel.testing.app import MemoryApp, memory_app
from services.media import keeping
from services.media.domain.values import Stored
from services.media.incoming import DIRECTORY, SUBMISSIONS
from services.media.processes.look_after_media import follow_answers
from services.media.readmodels.crews import Crews
from services.media.readmodels.uses import Uses
from services.media.wiring import define
from tests.examples.media import jpeg, sha_of
from tests.support.bucket import Store

TENANT = "0196b000-0000-7000-8000-000000000901"
ANA, LUIS, MARTA, ADMIN = (f"0196b000-0000-7000-8000-00000000000{n}" for n in range(1, 5))
ROLES = {ANA: "technician", LUIS: "technician", MARTA: "supervisor", ADMIN: "admin"}
PHOTO = jpeg()


class Forms:
    """The service of forms as far as this one asks it."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.away = False

    def query(self, service: str, query: str, params: Any, *, tenant: str, by: str) -> dict[str, Any]:
        """Whether answers name an item."""
        if self.away:
            raise OSError("nobody answers")
        assert (service, query) == ("forms", "media_use")
        return {"used": params["media_id"] in self.used}


class Room:
    """Every call is made in the role that the person has."""

    def __init__(self) -> None:
        self.forms = Forms()
        self.store = Store()
        self.app: MemoryApp = memory_app(define(), ports={"objects": lambda: self.store, "peers": lambda: self.forms})
        self.store.now = self.app.clock.now
        self._told = 0

    def caller(self, user_id: str, tenant: str = TENANT) -> Caller:
        """This person, as the gateway would say."""
        role = ROLES[user_id]
        return Caller(tenant=tenant, actor=user_id, role=role, permissions=ROLE_PERMISSIONS[role])

    def do(self, command: str, by: str = ANA, **data: Any) -> dict[str, Any]:
        """Carry out a command."""
        return self.app.execute(command, data, self.caller(by))

    def as_system(self, command: str, tenant: str = TENANT, **data: Any) -> dict[str, Any]:
        """Carry out one of the service's own commands."""
        return self.app.execute(command, data, Caller(tenant=tenant, actor="system:test", role="system"))

    def ask(self, query: str, by: str = ANA, **params: Any) -> dict[str, Any]:
        """Answer a query."""
        return self.app.query(query, params, self.caller(by))

    def begin(self, data: bytes = PHOTO, type: str = "image/jpeg", by: str = ANA, **changes: Any) -> str:
        """Announce bytes; the upload's id."""
        upload_id = new_id()
        fields = {"media_id": sha_of(data), "bytes": len(data), "type": type, "via": "tus", **changes}
        self.do("begin_upload", by=by, upload_id=upload_id, **fields)
        return upload_id

    def send(self, upload_id: str, data: bytes, *, offset: int = 0, name: str = "a", tenant: str = TENANT) -> None:
        """Bytes arrive."""
        key = f"{tenant}/{upload_id}/{offset:015d}-{name}"
        self.store.put_object(self.incoming, key, io.BytesIO(data), len(data))

    def upload(self, data: bytes = PHOTO, type: str = "image/jpeg", by: str = ANA, **changes: Any) -> str:
        """From the announcement until it is settled."""
        upload_id = self.begin(data, type, by, **changes)
        self.send(upload_id, data)
        self.do("finish_upload", by=by, upload_id=upload_id)
        self.app.advance(timedelta())
        return upload_id

    def answer(self, *media_ids: str, user_id: str = ANA, told: bool = True, **changes: Any) -> None:
        """Forms tells of answers that name these items."""
        self._told += 1
        data = {
            "submission_id": new_id(),
            "form_id": "f",
            "task_id": "t",
            "user_id": user_id,
            "media": [{"id": id, "path": f"photos/{n}", "kind": "photo"} for n, id in enumerate(media_ids)],
            **changes,
        }
        fact = self._fact("SubmissionReceived", data, SUBMISSIONS)
        self.app.reads.fold(Uses(), fact)
        if told:
            self.app._react("media.wanted", follow_answers, fact)

    def tell(self, type: str, **data: Any) -> None:
        """Something happened in identity."""
        self._told += 1
        self.app.reads.fold(Crews(), self._fact(type, data, DIRECTORY))

    def _fact(self, type: str, data: dict[str, Any], models: Any) -> Recorded:
        fact = Recorded(
            service="elsewhere", position=self._told, index=0, stream="elsewhere", category="any",
            version=self._told, tenant=TENANT, actor="somebody", at=self.app.clock.now(), type=type, v=1, data=data,
        )  # fmt: skip
        return replace(fact, event=models[type].model_validate(data))

    def sweep(self) -> dict[str, Any]:
        """The platform's own clock strikes."""
        return self.as_system("sweep_media", tenant=PLATFORM)

    def file(self, data: bytes = PHOTO, rendition: str = "original", by: str = ANA) -> bytes:
        """What a ticket opens."""
        ticket = self.ask("media_file", by=by, media_id=sha_of(data), rendition=rendition)
        stored = Stored(object=ticket["object"], bytes=ticket["bytes"])
        return b"".join(keeping.read(self.store, ticket["bucket"], stored, ticket["key"]))

    @property
    def incoming(self) -> str:
        """The bucket of what comes in."""
        bucket: str = self.app.settings.s3_incoming_bucket
        return bucket

    @property
    def kept(self) -> list[str]:
        """The keys in the bucket of media."""
        return self.store.keys(self.app.settings.s3_media_bucket)

    @property
    def named(self) -> list[str]:
        """The keys that the items of the account name."""
        docs = self.app.reads.of(TENANT)["objects"].find({})
        return sorted(one["object"] for doc in docs for one in doc["objects"])
