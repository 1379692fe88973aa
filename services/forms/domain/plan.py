"""A form made ready to judge answers by: its expressions read, its questions in the order in which they resolve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from services.forms.domain.order import arranged
from services.forms.domain.schema import (
    AnyItem,
    Calculated,
    Checkboxes,
    Choice,
    Content,
    Dropdown,
    Note,
    Question,
    Repeat,
    Section,
    SingleChoice,
)
from services.forms.expressions import Expression, compiled

NOWHERE: tuple[str, ...] = ()


@dataclass(slots=True)
class Asked:
    """One item with its expressions; `chain` names the repeated groups around it, from the outermost."""

    item: AnyItem
    parent: Asked | None
    chain: tuple[str, ...]
    relevant: Expression | None = None
    required: bool | Expression = False
    constraint: Expression | None = None
    formula: Expression | None = None
    filter: Expression | None = None
    failing: Expression | None = None
    children: list[Asked] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Unique in the form."""
        return self.item.name

    @property
    def section(self) -> str | None:
        """The section right around it, if it stands in one."""
        return self.parent.name if self.parent and isinstance(self.parent.item, Section) else None

    def reads(self) -> Iterator[Expression]:
        """The expressions on which its presence and its value rest."""
        for expression in (self.relevant, self.formula, self.filter):
            if expression is not None:
                yield expression


class Plan:
    """A form ready for use. Making it raises ExpressionError or Circle for one that was never checked."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.by_name: dict[str, Asked] = {}
        self.roots = [self._read(item, None, NOWHERE) for item in content.items]
        needs = {
            asked.name: [name for name in needed_by(asked) if name in self.by_name] for asked in self.by_name.values()
        }
        self.order = [self.by_name[name] for name in arranged(needs)]

    @cached_property
    def choices(self) -> Mapping[str, Mapping[str, Choice]]:
        """Each list's choices by their values."""
        return {name: {choice.value: choice for choice in each} for name, each in self.content.choice_lists.items()}

    @cached_property
    def names_in(self) -> Mapping[tuple[str, ...], frozenset[str]]:
        """The names that answers may have at each place, by the repeated groups around it."""
        found: dict[tuple[str, ...], set[str]] = {NOWHERE: set()}
        for asked in self.by_name.values():
            if not isinstance(asked.item, Section | Note):
                found.setdefault(asked.chain, set()).add(asked.name)
        return {chain: frozenset(names) for chain, names in found.items()}

    def _read(self, item: AnyItem, parent: Asked | None, chain: tuple[str, ...]) -> Asked:
        asked = Asked(item, parent, chain, relevant=_maybe(item.relevant))
        self.by_name[item.name] = asked
        if isinstance(item, Question):
            asked.required = compiled(item.required) if isinstance(item.required, str) else item.required
            asked.constraint = _maybe(item.constraint)
            asked.formula = _maybe(item.default_formula)
        if isinstance(item, Question | Calculated) and item.follow_up is not None:
            asked.failing = compiled(item.follow_up.when)
        match item:
            case Dropdown() | SingleChoice() | Checkboxes():
                asked.filter = _maybe(item.choice_filter)
            case Calculated():
                asked.formula = compiled(item.calculation)
            case Repeat():
                asked.formula = _maybe(item.count)
                asked.children = [self._read(below, asked, (*chain, item.name)) for below in item.items]
            case Section():
                asked.children = [self._read(below, asked, chain) for below in item.items]
        return asked


def needed_by(asked: Asked) -> Iterator[str]:
    """What must be known before this: what surrounds it, and what its expressions read."""
    if asked.parent is not None:
        yield asked.parent.name
    for expression in asked.reads():
        yield from expression.names


def _maybe(text: str | None) -> Expression | None:
    return compiled(text) if text else None
