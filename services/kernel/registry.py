"""Which stored name means which event, how older forms are lifted, and which fields are sealed on the way in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import orjson
from pydantic import BaseModel

from services.kernel.commit import Commit, Recorded, StoredEvent
from services.kernel.domain import ERASED, Decider, Event, Subject, TenantData, Upcaster
from services.kernel.keyring import TENANT_SCOPE, Envelope, Keyring, subject_scope

NO_KEY = 0
"""The key of what was erased before it was stored; no scope ever has it."""


class UnknownEvent(Exception):
    """The log holds a name or version that this code does not know; it must be newer code's."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How one type of event is stored: its fields under the tenant's key and under each subject's."""

    type: type[Event]
    name: str
    category: str
    tenant_fields: tuple[str, ...]
    subject_fields: Mapping[str, tuple[str, ...]]

    @property
    def classified(self) -> frozenset[str]:
        return frozenset(self.tenant_fields).union(*self.subject_fields.values())


class Registry:
    """The event table of one service, made from its deciders.

    Raises ValueError when two aggregates claim one name or category, a classified field names a
    subject the event does not have, or a mark stands where it would leave the field in the open.
    """

    def __init__(self, service: str, deciders: Iterable[Decider[Any, Any, Any]]) -> None:
        self.service = service
        self._forms: dict[tuple[str, str], _Form] = {}
        self._names: dict[tuple[str, type[Event]], str] = {}
        self._upcasters: dict[tuple[str, str, int], Upcaster] = {}
        self.categories: dict[str, Decider[Any, Any, Any]] = {}
        for decider in deciders:
            if decider.category in self.categories or "-" in decider.category:
                raise ValueError(f"category {decider.category!r} is taken or has a dash")
            self.categories[decider.category] = decider
            for name, event_type in decider.events.items():
                self._forms[decider.category, name] = _form(decider.category, name, event_type)
                self._names[decider.category, event_type] = name
            for (name, version), lift in decider.upcasters.items():
                self._upcasters[decider.category, name, version] = lift

    def types(self) -> Iterable[tuple[str, str, type[Event]]]:
        """Every (category, stored name, class), for the catalogue and the contract tests."""
        return [(form.category, form.name, form.type) for form in self._forms.values()]

    def classification(self, category: str, name: str) -> dict[str, str]:
        """Of every field: "none", "tenant", or "subject" with the field that says of whom; for the catalogue."""
        form = self._forms[category, name]
        kinds = dict.fromkeys(form.type.model_fields, "none") | dict.fromkeys(form.tenant_fields, "tenant")
        for of, names in form.subject_fields.items():
            kinds |= dict.fromkeys(names, f"subject ({of})")
        return kinds

    def classified(self, category: str, name: str) -> frozenset[str]:
        """The fields of this event that never leave the service in the open."""
        return self._forms[category, name].classified

    def encode(
        self, event: Event, *, category: str, stream: str, version: int, tenant: str, keyring: Keyring
    ) -> StoredEvent:
        """The stored form: open fields as they are, classified ones sealed at exactly this place.

        Raises KeyDestroyed when a person or account of the event is fenced for erasure.
        """
        form = self._forms[category, self._names[category, type(event)]]
        fields = event.model_dump(mode="json")
        sealed = []
        for scope, names in self._scopes(form, fields):
            # What is erased already, or was never said, takes no key: it must be storable after an erasure.
            erased = [name for name in names if getattr(event, name) is ERASED]
            if erased:
                sealed.append({"scope": scope, "fields": erased, "key": NO_KEY, "nonce": b"", "ct": b""})
            secret = {name: fields[name] for name in names if name not in erased}
            if all(value is None for value in secret.values()):
                sealed += [{"scope": scope, "fields": list(secret)}] if secret else []
                continue
            place = _place(stream, version, form.name, scope)
            envelope = keyring.seal(tenant, scope, orjson.dumps(secret), place)
            sealed.append(
                {
                    "scope": scope,
                    "fields": list(secret),
                    "key": envelope.key,
                    "nonce": envelope.nonce,
                    "ct": envelope.ciphertext,
                }
            )
        hidden = form.classified
        return StoredEvent(
            type=form.name,
            v=form.type.schema_version,
            data={name: value for name, value in fields.items() if name not in hidden},
            sealed=tuple(sealed),
        )

    def decode(
        self, stored: StoredEvent, *, category: str, stream: str, version: int, tenant: str, keyring: Keyring
    ) -> Event:
        """The typed event, lifted to its latest form; fields whose key is destroyed become ERASED.

        Raises UnknownEvent for a name this code does not know, InvalidTag when sealed bytes were moved.
        """
        form = self._forms.get((category, stored.type))
        if form is None:
            raise UnknownEvent(f"{self.service}.{category}.{stored.type} v{stored.v}")
        fields: dict[str, Any] = dict(stored.data)
        for envelope in stored.sealed:
            fields |= dict.fromkeys(envelope["fields"])
            if "key" not in envelope:
                continue
            scope = envelope["scope"]
            plain = keyring.open(
                tenant,
                scope,
                Envelope(envelope["key"], bytes(envelope["nonce"]), bytes(envelope["ct"])),
                _place(stream, version, stored.type, scope),
            )
            # The names are those of the stored form, so that an upcaster finds its fields also erased.
            fields |= dict.fromkeys(envelope["fields"], ERASED) if plain is None else orjson.loads(plain)
        for v in range(stored.v, form.type.schema_version):
            lift = self._upcasters.get((category, stored.type, v))
            if lift is None:
                raise UnknownEvent(f"{self.service}.{category}.{stored.type}: no way from v{v} to v{v + 1}")
            fields = lift(fields)
        if stored.v > form.type.schema_version:
            raise UnknownEvent(f"{self.service}.{category}.{stored.type} v{stored.v}")
        return form.type.model_validate(fields)

    def recorded(self, commit: Commit, keyring: Keyring) -> list[Recorded]:
        """The commit's facts, typed, one by one."""
        return [
            as_recorded(self.service, commit, index, self._event(commit, index, keyring))
            for index in range(len(commit.events))
        ]

    def followed(self, commit: Commit, keyring: Keyring) -> list[Recorded]:
        """The same for who follows the log: a damaged fact carries the reason as its `event`.

        Whoever handles it raises that, and so it stops its own stream and not the whole log. What only
        newer code knows raises UnknownEvent here: that is waited for, as in every rolling deployment.
        """
        facts = []
        for index in range(len(commit.events)):
            try:
                event: Any = self._event(commit, index, keyring)
            except UnknownEvent:
                raise
            except Exception as damaged:
                event = damaged
            facts.append(as_recorded(self.service, commit, index, event))
        return facts

    def _event(self, commit: Commit, index: int, keyring: Keyring) -> Event:
        return self.decode(
            commit.events[index],
            category=commit.category,
            stream=commit.stream,
            version=commit.version + index,
            tenant=commit.tenant,
            keyring=keyring,
        )

    @staticmethod
    def _scopes(form: _Form, fields: Mapping[str, Any]) -> Iterable[tuple[str, tuple[str, ...]]]:
        if form.tenant_fields:
            yield TENANT_SCOPE, form.tenant_fields
        for of, names in form.subject_fields.items():
            yield subject_scope(str(fields[of])), names


def as_recorded(service: str, commit: Commit, index: int, event: Any) -> Recorded:
    """The fact at `index` of a commit with all its circumstances."""
    stored = commit.events[index]
    return Recorded(
        service=service,
        position=commit.position,
        index=index,
        stream=commit.stream,
        category=commit.category,
        version=commit.version + index,
        tenant=commit.tenant,
        actor=commit.actor,
        at=commit.at,
        type=stored.type,
        v=stored.v,
        commit_id=commit.commit_id,
        origin=commit.origin,
        correlation_id=commit.correlation_id,
        causation_id=commit.causation_id,
        data=stored.data,
        event=event,
    )


def _form(category: str, name: str, event_type: type[Event]) -> _Form:
    tenant_fields, subject_fields = [], defaultdict(list)
    hints = get_type_hints(event_type, include_extras=True)
    for field in event_type.model_fields:
        if _marked_inside(hints[field]):
            raise ValueError(f"{name}.{field}: a mark takes effect only around the whole type of an event's field")
        for mark in getattr(hints[field], "__metadata__", ()):
            match mark:
                case Subject(of=of):
                    if of not in event_type.model_fields:
                        raise ValueError(f"{name}.{field} names the subject {of!r}, which the event lacks")
                    subject_fields[of].append(field)
                case TenantData():
                    tenant_fields.append(field)
    return _Form(
        type=event_type,
        name=name,
        category=category,
        tenant_fields=tuple(tenant_fields),
        subject_fields={of: tuple(names) for of, names in subject_fields.items()},
    )


def _marked_inside(hint: Any, outermost: bool = True) -> bool:
    """Whether a mark hides in a union, a container or a nested model, where nothing would be sealed."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return any(_marked_inside(inner, False) for inner in get_type_hints(hint, include_extras=True).values())
    marked = any(isinstance(mark, Subject | TenantData) for mark in getattr(hint, "__metadata__", ()))
    if get_origin(hint) is Annotated:
        inside = _marked_inside(get_args(hint)[0], False)
    else:
        inside = any(_marked_inside(inner, False) for inner in get_args(hint))
    return inside or (marked and not outermost)


def _place(stream: str, version: int, name: str, scope: str) -> bytes:
    """Binds a sealed value to its place, so that ciphertext cannot be moved to another fact or person."""
    return f"{stream}|{version}|{name}|{scope}".encode()
