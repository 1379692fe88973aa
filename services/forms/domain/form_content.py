"""The content of a form under its own hash: kept once, never changed, named by drafts and versions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Annotated, assert_never

from services.forms.domain.values import Hash
from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData


class FormContentKept(Event):
    """A form looks like this."""

    hash: str
    content: Annotated[str | Erased, TenantData()]


class KeepFormContent(Command):
    """Keep what a form looks like, as the one spelling of its JSON."""

    hash: Hash
    content: str


@dataclass(frozen=True, slots=True)
class FormContent:
    """The content, once it is kept."""

    content: str | Erased | None = None


initial_state = FormContent()


def decide(command: KeepFormContent, state: FormContent) -> list[FormContentKept]:
    if state.content is not None:
        return []
    if command.hash != f"sha256:{hashlib.sha256(command.content.encode()).hexdigest()}":
        raise Rejected("form-hash-wrong", hash=command.hash)
    return [FormContentKept(hash=command.hash, content=command.content)]


def evolve(state: FormContent, event: FormContentKept) -> FormContent:
    match event:
        case FormContentKept(content=content):
            return replace(state, content=content)
        case _:
            assert_never(event)


def id_of(hash: str) -> str:
    """The part of the hash that names the stream."""
    return hash.removeprefix("sha256:")


form_content: Decider[KeepFormContent, FormContent, FormContentKept] = Decider(
    "form_content", initial_state, decide, evolve, events={"FormContentKept": FormContentKept}
)
