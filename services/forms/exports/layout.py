"""The tables that hold the answers to every version of a form: one for the form, one for each repeated group.

A field has one place for ever: columns are those of the newest version, behind them those that only older ones
had. A field that changed its type is text, because only text holds both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field as Default

from services.forms.domain.schema import (
    AnyItem,
    Calculated,
    Checkboxes,
    ChoiceField,
    Content,
    DateTimeField,
    Gps,
    MediaField,
    Note,
    NumberField,
    Repeat,
    Section,
)
from services.forms.domain.values import Labels, Value

Kind = Literal["plain", "number", "moment", "choice", "several", "media", "place", "text"]


class Field(Value):
    """A question as a column or several; `labels` are its choices as they are called now."""

    name: str
    heading: str
    kind: Kind
    labels: dict[str, str] = Default(default_factory=dict)


class Table(Value):
    """The form itself (`path` is empty) or a repeated group, by the names of the groups it lies in, itself last."""

    path: tuple[str, ...] = ()
    heading: str = ""
    fields: tuple[Field, ...] = ()


def layout(versions: Sequence[Content], language: str) -> list[Table]:
    """The tables, the form's own first. `versions` from the oldest to the newest."""
    headings: dict[tuple[str, ...], str] = {(): ""}
    fields: dict[tuple[str, ...], dict[str, Field]] = {(): {}}
    for content in reversed(versions):
        for path, item in _placed(content.items, ()):
            heading = _in(item.labels, language) or item.name
            if isinstance(item, Repeat):
                headings.setdefault((*path, item.name), heading)
                fields.setdefault((*path, item.name), {})
                continue
            found = Field(name=item.name, heading=heading, kind=_kind(item), labels=_labels(content, item, language))
            known = fields[path].get(item.name)
            fields[path][item.name] = found if known is None else _one(known, found)
    return [
        Table(path=path, heading=headings[path], fields=tuple(_apart(list(fields[path].values())))) for path in headings
    ]


def _placed(items: tuple[AnyItem, ...], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], AnyItem]]:
    """Every group and question with the groups it is repeated in; sections and notes hold no answers."""
    for item in items:
        match item:
            case Section():
                yield from _placed(item.items, path)
            case Repeat():
                yield path, item
                yield from _placed(item.items, (*path, item.name))
            case Note():
                pass
            case _:
                yield path, item


def _kind(item: AnyItem) -> Kind:
    match item:
        case NumberField():
            return "number"
        case DateTimeField():
            return "moment"
        case Checkboxes():
            return "several"
        case Gps():
            return "place"
        case Calculated():
            return "plain"
        case _ if isinstance(item, ChoiceField):
            return "choice"
        case _ if isinstance(item, MediaField):
            return "media"
        case _:
            return "plain"


def _labels(content: Content, item: AnyItem, language: str) -> dict[str, str]:
    if not isinstance(item, ChoiceField):
        return {}
    choices = content.choice_lists.get(item.choices, ())
    return {choice.value: _in(choice.labels, language) or choice.value for choice in choices}


def _in(labels: Labels, language: str) -> str:
    return labels.get(language) or next(iter(labels.values()), "")


def _one(newer: Field, older: Field) -> Field:
    """The field of both versions."""
    labels = {**older.labels, **newer.labels}
    # Choices are kept in the order of the newest version, those it no longer offers behind them.
    ordered = {value: labels[value] for value in [*newer.labels, *older.labels]}
    return newer.model_copy(update={"kind": newer.kind if newer.kind == older.kind else "text", "labels": ordered})


def _apart(fields: list[Field]) -> Iterator[Field]:
    """Fields that are called the same are told apart by their names."""
    called: Mapping[str, int] = {
        field.heading: sum(1 for other in fields if other.heading == field.heading) for field in fields
    }
    for field in fields:
        if called[field.heading] > 1:
            yield field.model_copy(update={"heading": f"{field.heading} ({field.name})"})
        else:
            yield field
