"""A form is edited as a draft and published in versions that never change; a version can be retired from a day on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, assert_never

from pydantic import AwareDatetime, Field

from services.forms.domain.values import Code, Description, FormName, Hash, Id
from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData

TenantText = Annotated[str | Erased, TenantData()]
Number = Annotated[int, Field(ge=1, le=1_000_000)]


class FormCreated(Event):
    """The account has one more form, still without questions."""

    form_id: str
    name: TenantText
    description: TenantText
    code: TenantText


class FormHeaderEdited(Event):
    """It goes by another name, description or internal code."""

    form_id: str
    name: TenantText
    description: TenantText
    code: TenantText


class DraftSaved(Event):
    """The draft is now the content of this hash."""

    form_id: str
    hash: str


class FormPublished(Event):
    """A version that stays as it is for ever; the form can be filled in from now on."""

    form_id: str
    version: int
    hash: str
    active: bool


class FormActivated(Event):
    """It may be filled in again."""

    form_id: str


class FormDeactivated(Event):
    """Nobody begins to fill it in any more."""

    form_id: str


class VersionRetired(Event):
    """What was filled in by this version arrives until `closes_at`; later it waits for a supervisor."""

    form_id: str
    version: int
    closes_at: AwareDatetime


FormEvent = (
    FormCreated | FormHeaderEdited | DraftSaved | FormPublished | FormActivated | FormDeactivated | VersionRetired
)


class CreateForm(Command):
    """Begin a form."""

    form_id: Id
    name: FormName
    description: Description = ""
    code: Code = ""


class EditHeader(Command):
    """Change what it is called; what is absent stays."""

    form_id: Id
    name: FormName | None = None
    description: Description | None = None
    code: Code | None = None


class SaveDraft(Command):
    """Make this content the draft."""

    form_id: Id
    hash: Hash


class PublishForm(Command):
    """Publish the draft, which has been checked and has this hash."""

    form_id: Id
    hash: Hash


class ActivateForm(Command):
    """Let it be filled in again."""

    form_id: Id


class DeactivateForm(Command):
    """Let nobody begin to fill it in."""

    form_id: Id


class RetireVersion(Command):
    """Take no more submissions of this version from `closes_at` on."""

    form_id: Id
    version: Number
    closes_at: AwareDatetime


FormCommand = CreateForm | EditHeader | SaveDraft | PublishForm | ActivateForm | DeactivateForm | RetireVersion


@dataclass(frozen=True, slots=True)
class Version:
    """One published version."""

    hash: str
    closes_at: datetime | None = None

    def takes(self, at: datetime) -> bool:
        """Whether submissions that arrive then are taken without a question."""
        return self.closes_at is None or at < self.closes_at


@dataclass(frozen=True, slots=True)
class Form:
    """The form as it is now."""

    exists: bool = False
    header: tuple[str | Erased, str | Erased, str | Erased] = ("", "", "")
    draft: str | None = None
    active: bool = False
    versions: Mapping[int, Version] = field(default_factory=dict)

    @property
    def latest(self) -> int:
        """The number of the newest version; 0 before there is one."""
        return max(self.versions, default=0)

    def named(self, version: int, hash: str | None = None) -> Version | None:
        """The version of this number, if it exists and has this hash."""
        known = self.versions.get(version)
        return known if known is not None and hash in (None, known.hash) else None


initial_state = Form()


def decide(command: FormCommand, state: Form) -> list[FormEvent]:
    form_id = command.form_id
    if isinstance(command, CreateForm):
        header = (command.name, command.description, command.code)
        if not state.exists:
            return [FormCreated(form_id=form_id, name=header[0], description=header[1], code=header[2])]
        if state.header == header:
            return []
        raise Rejected("form-exists", form_id=form_id)
    if not state.exists:
        raise Rejected("form-unknown", form_id=form_id)
    match command:
        case EditHeader():
            wanted = (command.name, command.description, command.code)
            name, description, code = (
                old if new is None else new for old, new in zip(state.header, wanted, strict=True)
            )
            if (name, description, code) == state.header:
                return []
            return [FormHeaderEdited(form_id=form_id, name=name, description=description, code=code)]
        case SaveDraft(hash=hash):
            return [] if state.draft == hash else [DraftSaved(form_id=form_id, hash=hash)]
        case PublishForm(hash=hash):
            return _publish(form_id, hash, state)
        case ActivateForm():
            if not state.versions:
                raise Rejected("form-not-published", form_id=form_id)
            return [] if state.active else [FormActivated(form_id=form_id)]
        case DeactivateForm():
            return [FormDeactivated(form_id=form_id)] if state.active else []
        case RetireVersion(version=version, closes_at=closes_at):
            known = state.named(version)
            if known is None:
                raise Rejected("form-version-unknown", form_id=form_id, version=version)
            if known.closes_at == closes_at:
                return []
            return [VersionRetired(form_id=form_id, version=version, closes_at=closes_at)]
        case _:
            assert_never(command)


def _publish(form_id: str, hash: str, state: Form) -> list[FormEvent]:
    latest = state.named(state.latest)
    if latest is not None and latest.hash == hash:
        return []
    if state.draft != hash:
        raise Rejected("draft-changed", form_id=form_id)
    return [FormPublished(form_id=form_id, version=state.latest + 1, hash=hash, active=state.active or latest is None)]


def evolve(state: Form, event: FormEvent) -> Form:
    match event:
        case FormCreated() | FormHeaderEdited():
            return replace(state, exists=True, header=(event.name, event.description, event.code))
        case DraftSaved(hash=hash):
            return replace(state, draft=hash)
        case FormPublished(version=version, hash=hash, active=active):
            return replace(state, active=active, versions={**state.versions, version: Version(hash)})
        case FormActivated():
            return replace(state, active=True)
        case FormDeactivated():
            return replace(state, active=False)
        case VersionRetired(version=version, closes_at=closes_at):
            known = state.versions.get(version, Version(""))
            return replace(state, versions={**state.versions, version: replace(known, closes_at=closes_at)})
        case _:
            assert_never(event)


form: Decider[FormCommand, Form, FormEvent] = Decider(
    "form",
    initial_state,
    decide,
    evolve,
    events={
        "FormCreated": FormCreated,
        "FormHeaderEdited": FormHeaderEdited,
        "DraftSaved": DraftSaved,
        "FormPublished": FormPublished,
        "FormActivated": FormActivated,
        "FormDeactivated": FormDeactivated,
        "VersionRetired": VersionRetired,
    },
)
