"""One stored example of every event there ever was: how it is made once, kept, and read back.

`python -m tests.contract.golden_events` writes the examples of new events (and of new versions) and adds
them to the manifest. It never touches one that is there: what is in a log somewhere stays readable for ever.
"""

from __future__ import annotations

import hashlib
import json
import types
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from services.kernel.application import ServiceDefinition
from services.kernel.commit import Commit, StoredEvent, stream_of
from services.kernel.domain import Erased, Event
from services.kernel.keyring import Envelope
from services.kernel.message import outgoing
from services.kernel.platform import all_services, definition_of
from services.kernel.registry import Registry

HOME = Path(__file__).parent / "golden"
MANIFEST = HOME / "MANIFEST"
DRAFT = "# draft: no log holds these yet"
FROZEN = "# frozen: logs hold these; nothing below is ever changed or removed"
MOMENT = datetime(2026, 3, 9, 14, 30, tzinfo=UTC)
TENANT = str(uuid.uuid5(uuid.NAMESPACE_URL, "checkop/golden/account"))

# What people and machines write into fields of these names.
TEXTS = {
    "answers": '{"contact":"Marta Ñungo"}',
    "content": '{"items":[{"labels":{"es":"Contacto"},"name":"contact","type":"short_text"}]}',
    "findings": "[]",
    "path": "photos/0",
    "arrived": f"sha256:{hashlib.sha256(b'photo').hexdigest()}",
    "media_id": f"sha256:{hashlib.sha256(b'photo').hexdigest()}",
    "address": "Calle 93 # 11-27, Bogotá",
    "basis": "E.T. art. 468",
    "because": "role-changed",
    "changed": "reference",
    "city": "Bogotá",
    "claim": "primary",
    "code": "CLI-0042",
    "code_hash": "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA",
    "column": "customer",
    "columns": "customer",
    "country": "CO",
    "cude": "7e59ceefc8c14313ef1a39a16959fa97",
    "cufe": "7e59ceefc8c14313ef1a39a16959fa97",
    "department": "Cundinamarca",
    "description": "Revisar el medidor y cambiar el sello; avisar en portería.",
    "digest": hashlib.sha256(b"piece").hexdigest(),
    "email": "ana.gomez@example.com",
    "field": "reference",
    "fields": "PO-1042",
    "file_name": "tareas de marzo.xlsx",
    "ignored_columns": "color",
    "filters": "completed",
    "hash": hashlib.sha256(b"quote").hexdigest(),
    "headings": "Cliente",
    "ip": "203.0.113.7",
    "ip_allow_list": "203.0.113.0/24",
    "kind": "tasks",
    "label": "Firefox en Linux",
    "legal_name": "Andes Servicios Ñandú S.A.S.",
    "name": "Ana Gómez Ñungo",
    "object_key": "imports/2026/03/tareas.xlsx",
    "password_hash": "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA",
    "permissions": "tasks:edit",
    "phone": "+57 601 555 0142",
    "prefix": "CHK",
    "reason": "El cliente no estaba en casa",
    "recovery_hashes": "3b1f0c5d9e",
    "resolution": "DIAN 18764000001234",
    "role": "viewer",
    "rule": "FREQ=WEEKLY;BYDAY=MO",
    "rules": "FAD06",
    "scopes": "tasks:read",
    "scope": "status",
    "secret": "JBSWY3DPEHPK3PXP",
    "secret_hash": "9f86d081884c7d65",
    "at": "2026-03-09T09:12:40-05:00",
    "camera": "Samsung SM-A546E",
    "key": "c2VhbGVkIHdpdGggYSBrZXkgb2YgaXRzIG93biAgICA",
    "object": f"t/{TENANT}/{uuid.uuid5(uuid.NAMESPACE_URL, 'checkop/golden/object')}",
    "objects": f"t/{TENANT}/{uuid.uuid5(uuid.NAMESPACE_URL, 'checkop/golden/object')}",
    "replaces": f"t/{TENANT}/{uuid.uuid5(uuid.NAMESPACE_URL, 'checkop/golden/replaced')}",
    "type": "image/jpeg",
    "sha256": hashlib.sha256(b"golden").hexdigest(),
    "stage": "in-progress",
    "starts": "2026-03-09T08:00",
    "stage_id": "in-progress",
    "stage_names": "En curso",
    "from_stage": "pending",
    "to_stage": "in-progress",
    "tax_basis": "E.T. art. 468",
    "tax_id": "900123456-7",
    "ticket": "SOP-1042",
    "time_zone": "America/Bogota",
    "title": "Cambio de medidor",
    "why": "too-many-cycles",
    "zone": "America/Bogota",
    "upto": "01936f5e-7c1a-7d2e-9f43-2b7a6c1d0e55",
    "values": "Calle 93 # 11-27",
}
KEYS = {"stage_names": "stage", "keys": "object"}
NUMBERS = {"lat": 4.676, "lon": -74.048, "accuracy_m": 8.5, "photos": 2, "size": 48_213, "timecode": 57_910_140}


class OpenKeyring:
    """A keyring that seals nothing, so that examples hold what is sealed in the open; `erased` scopes are empty."""

    def __init__(self, *erased: str) -> None:
        self._erased = erased

    def seal(self, tenant: str, scope: str, plain: bytes, place: bytes) -> Envelope:
        """See `Keyring.seal`."""
        return Envelope(1, b"", plain)

    def open(self, tenant: str, scope: str, envelope: Envelope, place: bytes) -> bytes | None:
        """See `Keyring.open`."""
        return None if scope in self._erased else envelope.ciphertext

    def destroy(self, tenant: str, scope: str) -> None:
        """Nothing is kept."""

    def destroy_tenant(self, tenant: str) -> None:
        """Nothing is kept."""


@dataclass(frozen=True)
class Golden:
    """One example: a stored event, with what is sealed in it written out."""

    service: str
    category: str
    name: str
    version: int
    data: Mapping[str, Any]
    sealed: Mapping[str, Mapping[str, Any]]

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.service}.{self.category}.{self.name}.v{self.version}.json"

    @cached_property
    def stored(self) -> StoredEvent:
        """As the store holds it, under an `OpenKeyring`."""
        return StoredEvent(
            self.name,
            self.version,
            self.data,
            tuple(
                {"scope": scope, "fields": list(fields), "key": 1, "nonce": b"", "ct": json.dumps(fields).encode()}
                for scope, fields in self.sealed.items()
            ),
        )

    @property
    def published(self) -> bytes:
        """As it travels to other services."""
        commit = Commit(
            stream=stream_of(self.category, TENANT, text_of("id")),
            category=self.category,
            version=1,
            commit_id="golden",
            tenant=TENANT,
            actor=text_of("user_id"),
            at=MOMENT,
            events=(self.stored,),
            position=1,
        )
        ((_key, _id, body),) = outgoing(self.service, commit)
        return body

    def decode(self, registry: Registry, *erased: str) -> Event:
        """What the code of today makes of it, with the keys of these scopes destroyed."""
        return registry.decode(
            self.stored,
            category=self.category,
            stream=stream_of(self.category, TENANT, text_of("id")),
            version=1,
            tenant=TENANT,
            keyring=OpenKeyring(*erased),
        )

    def to_text(self) -> str:
        """The content of its file."""
        return json.dumps({"data": self.data, "sealed": self.sealed}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> Golden:
        """From its file."""
        service, category, name, version = path.name.removesuffix(".json").split(".")
        return cls(service, category, name, int(version[1:]), **json.loads(path.read_text(encoding="utf-8")))


def definitions() -> dict[str, ServiceDefinition]:
    """Every service's definition."""
    return {name: definition_of(name) for name in all_services()}


def registries() -> dict[str, Registry]:
    """Every service's event table."""
    return {name: Registry(name, definition.deciders) for name, definition in definitions().items()}


def kept() -> list[Golden]:
    """Every example there is."""
    return [Golden.read(path) for path in sorted(HOME.glob("*.json"))]


def wanted() -> Iterator[Golden]:
    """An example of every event in the form in which it is written today."""
    for service, registry in registries().items():
        for category, name, type in registry.types():
            stored = registry.encode(
                sample(type, name),
                category=category,
                stream=stream_of(category, TENANT, text_of("id")),
                version=1,
                tenant=TENANT,
                keyring=OpenKeyring(),
            )
            sealed = {envelope["scope"]: json.loads(envelope["ct"]) for envelope in stored.sealed}
            yield Golden(service, category, name, stored.v, stored.data, sealed)


def manifest(text: str | None = None) -> dict[str, str]:
    """File name to content hash, as listed."""
    if text is None:
        text = MANIFEST.read_text() if MANIFEST.exists() else ""
    return {name: digest for digest, name in (line.split() for line in text.splitlines() if line[0] != "#")}


def digest(path: Path) -> str:
    """The hash by which an example is held to what it was."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sample(kind: Any, name: str) -> Any:
    """A realistic value of this type for a field of this name; the same every time."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return TypeAdapter(kind).validate_python(sample(arguments[0], name))
    if origin in (Union, types.UnionType):
        kinds = [one for one in arguments if one not in (Erased, types.NoneType)]
        return sample(str, name) if str in kinds else _first_that_fits(kinds, name)
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        return (sample(arguments[0], name),)
    if origin is dict:
        return {sample(arguments[0], KEYS.get(name, "field")): sample(arguments[1], name)}
    if issubclass(kind, BaseModel):
        fields = {field: sample(info.rebuild_annotation(), field) for field, info in kind.model_fields.items()}
        return kind.model_validate(fields)
    if kind in (str, Any):
        return text_of(name)
    if kind is bool:
        return True
    if kind in (int, float):
        return kind(NUMBERS.get(name, 150 if name.endswith("_m") else 3))
    if kind in (datetime, AwareDatetime):
        return MOMENT + timedelta(hours=2 if name in ("end", "expires_at") else 0)
    if kind is Decimal:
        return Decimal("0.19" if name.endswith("rate") else "79000.00")
    if kind is date:
        return MOMENT.date()
    raise TypeError(f"no example for {name}: {kind}")


def _first_that_fits(kinds: list[Any], name: str) -> Any:
    for kind in kinds[:-1]:
        with suppress(ValidationError):
            return sample(kind, name)
    return sample(kinds[-1], name)


def text_of(name: str) -> str:
    """A text for a field of this name; ids are the same wherever the same thing is meant."""
    plain = name.removeprefix("from_") if name not in TEXTS else name
    return TEXTS.get(plain) or str(uuid.uuid5(uuid.NAMESPACE_URL, f"checkop/golden/{plain.removesuffix('s')}"))


def write() -> list[str]:
    """Write what is missing; answers the names of the files."""
    HOME.mkdir(exist_ok=True)
    listed, written = manifest(), []
    for golden in wanted():
        path = HOME / golden.file
        if golden.file not in listed and not path.exists():
            path.write_text(golden.to_text(), encoding="utf-8")
            listed[golden.file] = digest(path)
            written.append(golden.file)
    head = MANIFEST.read_text().splitlines()[0] if MANIFEST.exists() else DRAFT
    MANIFEST.write_text("\n".join([head, *(f"{listed[name]}  {name}" for name in sorted(listed))]) + "\n")
    return written


if __name__ == "__main__":
    for name in write():
        print(name)
