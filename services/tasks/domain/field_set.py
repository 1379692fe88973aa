"""A field set is what an account asks about its customers, processes, subprocesses, users or tasks beyond the usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, assert_never

from pydantic import Field, StringConstraints

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData
from services.tasks.domain.values import FieldKey, Line, Name, Value

Entity = Literal["customer", "process", "subprocess", "user", "task"]
FieldType = Literal["text", "long_text", "checkbox", "single_selection", "dropdown", "date", "tags"]
WRITTEN = frozenset({"text", "long_text"})
CHOSEN = frozenset({"single_selection", "dropdown"})
MOST_FIELDS = 100

Length = Annotated[int, Field(ge=0, le=4_000)]
Options = Annotated[tuple[Line, ...], Field(max_length=500)]
SectionId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class Rules(Value):
    """What values a field takes; `email`, `phone`, `numeric` and the lengths are for written ones."""

    type: FieldType
    required: bool = False
    email: bool = False
    phone: bool = False
    numeric: bool = False
    min_chars: Length | None = None
    max_chars: Length | None = None


class FieldDraft(Value):
    """A field as somebody defines it; `options` are what can be chosen, or what tags are offered."""

    label: Name
    rules: Rules
    options: Options = ()


class Section(Value):
    """Fields that stand together, in order. Its name travels beside it, sealed."""

    section_id: SectionId
    keys: Annotated[tuple[FieldKey, ...], Field(max_length=MOST_FIELDS)] = ()


class SectionDraft(Section):
    """A section as somebody arranges it."""

    name: Name

    @property
    def section(self) -> Section:
        """The section without its name."""
        return Section(section_id=self.section_id, keys=self.keys)


Label = Annotated[str | Erased, TenantData()]
OptionTexts = Annotated[tuple[str, ...] | Erased, TenantData()]


class FieldDefined(Event):
    """The account asks for one more thing."""

    entity: Entity
    key: str
    rules: Rules
    label: Label
    options: OptionTexts


class FieldChanged(Event):
    """From now on it is asked in another way; what was captured before stays as it is."""

    entity: Entity
    key: str
    rules: Rules
    label: Label
    options: OptionTexts


class FieldDeactivated(Event):
    """It is no longer asked for; what was captured stays."""

    entity: Entity
    key: str


class FieldActivated(Event):
    """It is asked for again."""

    entity: Entity
    key: str


class FieldsArranged(Event):
    """The fields stand in these sections in this order."""

    entity: Entity
    sections: tuple[Section, ...]
    section_names: Annotated[dict[str, str] | Erased, TenantData()]


FieldSetEvent = FieldDefined | FieldChanged | FieldDeactivated | FieldActivated | FieldsArranged


class DefineField(Command):
    """Ask for one more thing; key and type are for ever."""

    entity: Entity
    key: FieldKey
    field: FieldDraft


class ChangeField(Command):
    """Ask for it in another way."""

    entity: Entity
    key: FieldKey
    field: FieldDraft


class DeactivateField(Command):
    """Stop asking for it."""

    entity: Entity
    key: FieldKey


class ActivateField(Command):
    """Ask for it again."""

    entity: Entity
    key: FieldKey


class ArrangeFields(Command):
    """Put the fields into sections, as a whole; what is left out comes last."""

    entity: Entity
    sections: Annotated[tuple[SectionDraft, ...], Field(max_length=50)]


FieldSetCommand = DefineField | ChangeField | DeactivateField | ActivateField | ArrangeFields


@dataclass(frozen=True, slots=True)
class Asked:
    """One field as it is asked for now."""

    rules: Rules
    label: str | Erased
    options: tuple[str, ...] | Erased
    active: bool = True


@dataclass(frozen=True, slots=True)
class FieldSet:
    """What is asked for, in the order in which it was defined, and how it is arranged."""

    fields: Mapping[str, Asked] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    section_names: Mapping[str, str] | Erased = field(default_factory=dict)

    def field(self, key: str) -> Asked:
        """One field; refuses a key that was never defined."""
        if key not in self.fields:
            raise Rejected("field-unknown", field=key)
        return self.fields[key]


initial_state = FieldSet()


def decide(command: FieldSetCommand, state: FieldSet) -> list[FieldSetEvent]:
    entity = command.entity
    match command:
        case DefineField(key=key, field=draft):
            check_draft(draft)
            if key in state.fields:
                if _same(state.fields[key], draft):
                    return []
                raise Rejected("field-exists", field=key)
            if len(state.fields) >= MOST_FIELDS:
                raise Rejected("too-many-fields", most=MOST_FIELDS)
            return [FieldDefined(entity=entity, key=key, rules=draft.rules, label=draft.label, options=draft.options)]
        case ChangeField(key=key, field=draft):
            known = state.field(key)
            if draft.rules.type != known.rules.type:
                raise Rejected("field-type-fixed", field=key, type=known.rules.type)
            check_draft(draft)
            if _same(known, draft):
                return []
            return [FieldChanged(entity=entity, key=key, rules=draft.rules, label=draft.label, options=draft.options)]
        case DeactivateField(key=key):
            return [FieldDeactivated(entity=entity, key=key)] if state.field(key).active else []
        case ActivateField(key=key):
            return [] if state.field(key).active else [FieldActivated(entity=entity, key=key)]
        case ArrangeFields(sections=drafts):
            return _arrange(entity, drafts, state)
        case _:
            assert_never(command)


def check_draft(draft: FieldDraft) -> None:
    """Refuse rules that contradict each other or the type."""
    rules = draft.rules
    if len([kind for kind in (rules.email, rules.phone, rules.numeric) if kind]) > 1:
        raise Rejected("field-rules-invalid", problem="one-of-email-phone-numeric")
    written = rules.email or rules.phone or rules.numeric or (rules.min_chars, rules.max_chars) != (None, None)
    if written and rules.type not in WRITTEN:
        raise Rejected("field-rules-invalid", problem="for-text-only")
    if rules.min_chars is not None and rules.max_chars is not None and rules.min_chars > rules.max_chars:
        raise Rejected("field-rules-invalid", problem="min-beyond-max")
    if rules.type in CHOSEN and not draft.options:
        raise Rejected("field-rules-invalid", problem="options-missing")
    if draft.options and rules.type not in CHOSEN | {"tags"}:
        raise Rejected("field-rules-invalid", problem="no-options-for-this-type")
    if len(set(draft.options)) != len(draft.options):
        raise Rejected("field-rules-invalid", problem="option-twice")


def _same(known: Asked, draft: FieldDraft) -> bool:
    return (known.rules, known.label, known.options) == (draft.rules, draft.label, draft.options)


def _arrange(entity: Entity, drafts: tuple[SectionDraft, ...], state: FieldSet) -> list[FieldSetEvent]:
    ids = [draft.section_id for draft in drafts]
    keys = [key for draft in drafts for key in draft.keys]
    for key in keys:
        state.field(key)
    if len(set(ids)) != len(ids) or len(set(keys)) != len(keys):
        raise Rejected("arrangement-ambiguous")
    sections = tuple(draft.section for draft in drafts)
    names = {draft.section_id: draft.name for draft in drafts}
    if (sections, names) == (state.sections, state.section_names):
        return []
    return [FieldsArranged(entity=entity, sections=sections, section_names=names)]


def evolve(state: FieldSet, event: FieldSetEvent) -> FieldSet:
    match event:
        case FieldDefined(key=key) | FieldChanged(key=key):
            before = state.fields.get(key)
            asked = Asked(event.rules, event.label, event.options, active=before.active if before else True)
            return replace(state, fields={**state.fields, key: asked})
        case FieldDeactivated(key=key):
            return _switched(state, key, active=False)
        case FieldActivated(key=key):
            return _switched(state, key, active=True)
        case FieldsArranged(sections=sections, section_names=names):
            return replace(state, sections=sections, section_names=names)
        case _:
            assert_never(event)


def _switched(state: FieldSet, key: str, *, active: bool) -> FieldSet:
    known = state.fields.get(key)
    if known is None:
        return state
    return replace(state, fields={**state.fields, key: replace(known, active=active)})


field_set: Decider[FieldSetCommand, FieldSet, FieldSetEvent] = Decider(
    "field_set",
    initial_state,
    decide,
    evolve,
    events={
        "FieldDefined": FieldDefined,
        "FieldChanged": FieldChanged,
        "FieldDeactivated": FieldDeactivated,
        "FieldActivated": FieldActivated,
        "FieldsArranged": FieldsArranged,
    },
)
