"""What every aggregate is made of: facts, requests, refusals, and the pure functions between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic_core import core_schema


class Event(BaseModel):
    """A fact in the past tense. Never changed once stored; unknown fields are ignored when it is read.

    `schema_version` rises when the stored form changes in a way a default cannot bridge; the kernel's
    registry then carries older forms forward.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    schema_version: ClassVar[int] = 1


class Command(BaseModel):
    """A request in the imperative. Whatever a decision needs to know (time, ids, other facts) is in it.

    `at` is the server's time in UTC, `by` the acting user's id (or `system:<process>`); the kernel
    fills both, a client never does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    at: AwareDatetime
    by: str


class Rejected(Exception):
    """A rule of the domain says no. `code` is stable and public; `details` are facts, never secrets."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code, details)
        self.code = code
        self.details = details


class Erased:
    """What is left of a personal field when its key has been destroyed. There is exactly one: `ERASED`."""

    _only: ClassVar[Erased | None] = None

    def __new__(cls) -> Erased:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "ERASED"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.is_instance_schema(
            cls, serialization=core_schema.plain_serializer_function_ser_schema(lambda _: None)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        return {"type": "null", "description": "erased"}


ERASED = Erased()


@dataclass(frozen=True, slots=True)
class Subject:
    """Marks a field as personal data of the person whose id stands in the event's field `of`."""

    of: str


@dataclass(frozen=True, slots=True)
class TenantData:
    """Marks a field as personal or confidential data that lives and dies with the whole account."""


C = TypeVar("C", bound=Command)
S = TypeVar("S")
E = TypeVar("E", bound=Event)
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Decider(Generic[C, S, E]):
    """One aggregate: where it starts, what it answers to a command, how a fact changes it.

    `events` names every stored type explicitly; the names are for ever and independent of class names.
    `upcasters` maps (name, stored version) to the function that lifts the stored fields one version up.
    `by_last`: the last commit says everything, so that a stream which grows for years is never read whole.
    """

    category: str
    initial_state: S
    decide: Callable[[C, S], list[E]]
    evolve: Callable[[S, E], S]
    events: Mapping[str, type[E]]
    upcasters: Mapping[tuple[str, int], Upcaster] = field(default_factory=dict)
    by_last: bool = False

    def replay(self, events: list[E], state: S | None = None) -> S:
        """The state after `events`, from the beginning or from `state`."""
        current = self.initial_state if state is None else state
        for event in events:
            current = self.evolve(current, event)
        return current
