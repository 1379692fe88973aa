"""Everything that is wrong with a form, all at once: each fault with the item, the code, and the place in the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from pydantic import Field

from services.forms.domain.limits import broken_by
from services.forms.domain.order import Circle, arranged
from services.forms.domain.reading import read
from services.forms.domain.schema import (
    MAX_BYTES,
    MAX_CHOICES,
    MAX_ITEMS,
    MAX_REPEAT_DEPTH,
    MAX_SECTION_DEPTH,
    AnyItem,
    Barcode,
    Calculated,
    Checkboxes,
    Content,
    DateField,
    DateTimeField,
    Document,
    Dropdown,
    Gps,
    LongText,
    NumberField,
    Picture,
    Question,
    Repeat,
    Section,
    ShortText,
    Signature,
    SingleChoice,
    TimeField,
    Video,
    Voice,
    canonical,
    everything,
)
from services.forms.domain.values import Labels, Value
from services.forms.expressions import Expression, ExpressionError, compiled
from services.forms.expressions.patterns import PatternRefused, pattern

MAX_FAULTS = 500
RESERVED = frozenset({"list_name", "list", "name", "label", "value", "caption", "image", "audio", "video", "media"})
"""What a property of choices cannot be called: in a spreadsheet these columns mean something else."""


class Fault(Value):
    """One thing that is wrong. `path` leads to the item, `part` to its attribute; texts say line and column."""

    path: str
    name: str = ""
    part: str = ""
    code: str
    facts: dict[str, Any] = Field(default_factory=dict)


def size_faults(content: Content) -> list[Fault]:
    """What makes a form too large even to be kept as a draft."""
    found = []
    items = sum(1 for _ in everything(content.items))
    choices = sum(len(choices) for choices in content.choice_lists.values())
    size = len(canonical(content.to_json()))
    for part, amount, limit in (
        ("items", items, MAX_ITEMS),
        ("choices", choices, MAX_CHOICES),
        ("bytes", size, MAX_BYTES),
    ):
        if amount > limit:
            found.append(Fault(path="", part=part, code="form-too-large", facts={"limit": limit, "given": amount}))
    return found


def check(content: Content) -> list[Fault]:
    """All faults of a form, in the order of its items; none means that it can be published."""
    oversized = size_faults(content)
    return oversized or _Check(content).faults()[:MAX_FAULTS]


class _Check:
    def __init__(self, content: Content) -> None:
        self._content = content
        self._found: list[Fault] = []
        self._all = list(everything(content.items))
        self._needs: dict[str, list[str]] = {}
        self._taken: set[str] = set()
        self._answerable = {
            item.name: item for item in self._all if not isinstance(item, Section) and item.type != "note"
        }

    def faults(self) -> list[Fault]:
        """See `check`."""
        self._lists()
        if not self._answerable:
            self._found.append(Fault(path="items", code="form-empty"))
        self._items(self._content.items, "items", None, 0, 0)
        self._circles()
        return self._found

    def _items(self, items: tuple[AnyItem, ...], path: str, parent: str | None, repeats: int, sections: int) -> None:
        for index, item in enumerate(items):
            place = f"{path}/{index}"
            self._item(item, place, parent, repeats)
            match item:
                case Section():
                    if sections + 1 > MAX_SECTION_DEPTH:
                        self._fault(item, place, "", "section-too-deep", limit=MAX_SECTION_DEPTH)
                    else:
                        self._items(item.items, f"{place}/items", item.name, repeats, sections + 1)
                case Repeat():
                    if repeats + 1 > MAX_REPEAT_DEPTH:
                        self._fault(item, place, "", "repeat-too-deep", limit=MAX_REPEAT_DEPTH)
                    else:
                        self._items(item.items, f"{place}/items", item.name, repeats + 1, sections + 1)
                case _:
                    pass

    def _item(self, item: AnyItem, path: str, parent: str | None, repeats: int) -> None:
        if item.name in self._taken:
            self._fault(item, path, "name", "name-taken")
        self._taken.add(item.name)
        if not isinstance(item, Calculated | Section | Repeat) and not _says_something(item.labels):
            self._fault(item, path, "labels", "label-missing")
        needs = self._needs.setdefault(item.name, [])
        if parent is not None:
            needs.append(parent)
        inside = repeats > 0
        needs += self._formula(item, path, "relevant", item.relevant, inside=inside)
        match item:
            case Repeat():
                needs += self._formula(item, path, "count", item.count, inside=inside)
                if not item.items:
                    self._fault(item, path, "items", "group-empty")
                self._bounds(item, path, "max", item.min, item.max)
            case Calculated():
                needs += self._formula(item, path, "calculation", item.calculation, inside=inside, current=True)
                self._follow_up(item, path, inside)
            case Dropdown() | SingleChoice() | Checkboxes():
                needs += self._choices(item, path, inside)
        if isinstance(item, Question):
            self._question(item, path, inside)

    def _question(self, item: Question, path: str, inside: bool) -> None:
        if isinstance(item.required, str):
            self._formula(item, path, "required", item.required, inside=inside)
        self._formula(item, path, "constraint", item.constraint, inside=inside, current=True)
        first = self._formula(item, path, "default_formula", item.default_formula, inside=inside)
        if first:
            self._fault(item, path, "default_formula", "default-reads-answers", fields=first)
        if item.default is not None and item.default_formula is not None:
            self._fault(item, path, "default", "default-twice")
        self._follow_up(item, path, inside)
        self._own_limits(item, path)
        self._default(item, path)

    def _own_limits(self, item: Question, path: str) -> None:
        match item:
            case ShortText() | LongText():
                self._bounds(item, path, "max_length", item.min_length, item.max_length)
            case NumberField() | DateField() | TimeField() | DateTimeField():
                self._bounds(item, path, "max", item.min, item.max)
            case Picture() | Checkboxes():
                self._bounds(item, path, "max_count", item.min_count, item.max_count)
        if isinstance(item, Picture | Video | Document) and item.max_count == 0:
            self._fault(item, path, "max_count", "range-empty")
        if isinstance(item, ShortText | Barcode) and item.pattern is not None:
            try:
                pattern(item.pattern)
            except PatternRefused:
                self._fault(item, path, "pattern", "pattern-refused", pattern=item.pattern[:200])

    def _default(self, item: Question, path: str) -> None:
        if item.default is None:
            return
        if isinstance(item, Voice | Picture | Video | Document | Signature | Gps):
            self._fault(item, path, "default", "default-invalid")
            return
        given = list(item.default) if isinstance(item.default, tuple) else item.default
        answer = read(item, given, UTC, {})  # type: ignore[arg-type]
        broken: str | None = answer.wrong
        if broken is None and answer.kept is not None:
            broken = next((code for code, _ in broken_by(item, answer)), None)  # type: ignore[arg-type]
        if broken is None and isinstance(item, Dropdown | SingleChoice | Checkboxes):
            known = {choice.value for choice in self._content.choice_lists.get(item.choices, ())}
            values = answer.kept if isinstance(item, Checkboxes) else [answer.kept]
            broken = None if known.issuperset(values or ()) else "not-a-choice"
        if broken is not None:
            self._fault(item, path, "default", "default-invalid", why=broken)

    def _bounds(self, item: AnyItem | Question, path: str, part: str, least: Any, most: Any) -> None:
        if least is not None and most is not None and least > most:
            self._fault(item, path, part, "range-empty")

    def _follow_up(self, item: Any, path: str, inside: bool) -> None:
        if item.follow_up is not None:
            self._formula(item, path, "follow_up", item.follow_up.when, inside=inside, current=True)
            if item.follow_up.subprocess_id is not None and item.follow_up.process_id is None:
                self._fault(item, path, "follow_up", "process-missing")

    def _choices(self, item: Dropdown | SingleChoice | Checkboxes, path: str, inside: bool) -> list[str]:
        choices = self._content.choice_lists.get(item.choices)
        if choices is None:
            self._fault(item, path, "choices", "choices-unknown", list=item.choices)
            return []
        columns = {"name", "label"}.union(*(choice.properties for choice in choices))
        return self._formula(item, path, "choice_filter", item.choice_filter, inside=inside, columns=columns)

    def _formula(
        self,
        item: Any,
        path: str,
        part: str,
        text: str | None,
        *,
        inside: bool,
        current: bool = False,
        columns: set[str] | None = None,
    ) -> list[str]:
        """Check one expression; the names of what it reads."""
        if text is None:
            return []
        try:
            expression = compiled(text)
        except ExpressionError as wrong:
            self._fault(item, path, part, wrong.code, **wrong.to_facts())
            return []
        for code, offset, facts in self._misplaced(expression, inside=inside, current=current, columns=columns):
            placed = ExpressionError(code, text, offset, **facts)
            self._fault(item, path, part, code, **placed.to_facts())
        return [name for name in expression.names if name in self._answerable]

    def _misplaced(
        self, expression: Expression, *, inside: bool, current: bool, columns: set[str] | None
    ) -> Iterator[tuple[str, int, dict[str, Any]]]:
        for name, offset in expression.fields:
            if name not in self._answerable:
                yield "field-unknown", offset, {"field": name[:80]}
        for name, offset in expression.columns:
            if columns is None or name not in columns:
                yield "column-unknown", offset, {"column": name[:80]}
        if expression.reads_current is not None and not current:
            yield "current-not-here", expression.reads_current, {}
        if expression.reads_position is not None and not inside:
            yield "position-not-here", expression.reads_position, {}

    def _lists(self) -> None:
        for name, choices in self._content.choice_lists.items():
            path = f"choice_lists/{name}"
            if not choices:
                self._found.append(Fault(path=path, code="choices-empty"))
            seen: set[str] = set()
            for index, choice in enumerate(choices):
                if choice.value in seen:
                    facts = {"value": choice.value}
                    self._found.append(Fault(path=f"{path}/{index}", code="choice-doubled", facts=facts))
                seen.add(choice.value)
                for reserved in sorted(name for name in choice.properties if name.lower() in RESERVED):
                    facts = {"property": reserved}
                    self._found.append(Fault(path=f"{path}/{index}", code="property-reserved", facts=facts))
                if not _says_something(choice.labels):
                    self._found.append(Fault(path=f"{path}/{index}", part="labels", code="label-missing"))

    def _circles(self) -> None:
        needs: Mapping[str, list[str]] = {
            name: [needed for needed in all_needed if needed in self._needs] for name, all_needed in self._needs.items()
        }
        try:
            arranged(needs)
        except Circle as circle:
            name = circle.names[0]
            self._found.append(Fault(path="", name=name, code="circle", facts={"names": list(circle.names)}))

    def _fault(self, item: Any, path: str, part: str, code: str, /, **facts: Any) -> None:
        self._found.append(Fault(path=path, name=item.name, part=part, code=code, facts=facts))


def _says_something(labels: Labels) -> bool:
    return any(text.strip() for text in labels.values())
