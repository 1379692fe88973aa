"""Judges answers by the version of the form they name: what is kept, what is wrong, which media are still to come.

Whatever is hidden is as if it had never been answered: it is dropped, and nothing that is hidden is ever wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from pydantic import Field

from services.forms.domain.limits import bounds_of, broken_by
from services.forms.domain.plan import NOWHERE, Asked, Plan
from services.forms.domain.reading import NOTHING, Read, made, read
from services.forms.domain.schema import (
    MAX_REPETITIONS,
    Calculated,
    Checkboxes,
    Choice,
    Dropdown,
    MediaField,
    Note,
    Picture,
    Question,
    Repeat,
    Section,
    SingleChoice,
)
from services.forms.domain.values import Place, Priority, Value
from services.forms.expressions import Expression, When
from services.forms.expressions import Value as Answer
from services.forms.expressions.geography import between
from services.forms.expressions.values import EMPTY, each, to_number

MAX_FINDINGS = 200
ROOT = "$"


class Finding(Value):
    """What is wrong with which answer."""

    path: str
    code: str
    facts: dict[str, Any] = Field(default_factory=dict)


class Medium(Value):
    """A media item that the answers declare: the content's hash, its weight, and where it belongs.

    `refused` says why it is not accepted there, going by what is declared.
    """

    id: str
    bytes: int
    type: str
    path: str
    kind: str
    refused: str = ""


class Failure(Value):
    """An answer that the form calls failed, and what is to be done about it."""

    path: str
    process_id: str | None = None
    subprocess_id: str | None = None
    priority: Priority = "normal"


@dataclass(slots=True)
class Judged:
    """The judgement of one set of answers."""

    answers: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    media: list[Medium] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


@dataclass(slots=True)
class Circumstances:
    """When and where the answers were given; `site` is where the task is."""

    when: When
    place: Place | None = None
    site: Place | None = None
    manifest: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def judge(plan: Plan, answers: Mapping[str, Any], circumstances: Circumstances) -> Judged:
    """Never raises, whatever the answers are."""
    return _Judging(plan, answers, circumstances).judged()


def refusal_of(plan: Plan | None, places: Iterable[str], facts: Mapping[str, Any]) -> str | None:
    """Why a file of these facts is not accepted at one of the places where answers name it; None: it is.

    Where no version says what is allowed, everything is.
    """
    for place in places:
        *_, name, index = ("", *place.split("/"))
        asked = plan.by_name.get(name) if plan is not None else None
        if asked is None or not isinstance(asked.item, MediaField) or not index.isdecimal():
            continue
        if code := bounds_of(asked.item).breach(facts, int(index)):
            return code
    return None


class _Repetition:
    """The answers of one repetition of a group; the form as a whole is the outermost one."""

    __slots__ = ("chain", "given", "hidden", "index", "inner", "outer", "reads", "values")

    def __init__(
        self, given: Mapping[str, Any], index: int, outer: _Repetition | None, chain: tuple[str, ...] = NOWHERE
    ) -> None:
        self.given = given
        self.chain = chain
        self.index = index
        self.outer = outer
        self.hidden: set[str] = set()
        self.values: dict[str, Answer] = {}
        self.reads: dict[str, Read] = {}
        self.inner: dict[str, list[_Repetition]] = {}


class _Seen:
    """What an expression sees from one repetition."""

    __slots__ = ("_choice", "_judging", "_repetition", "_value", "when")

    def __init__(
        self, judging: _Judging, repetition: _Repetition, value: Answer = EMPTY, choice: Choice | None = None
    ) -> None:
        self._judging = judging
        self._repetition = repetition
        self._value = value
        self._choice = choice
        self.when = judging.when

    def field(self, name: str) -> Answer:
        """See `Scope`."""
        return self._judging.answer(name, self._repetition)

    def current(self) -> Answer:
        """See `Scope`."""
        return self._value

    def column(self, name: str) -> Answer:
        """See `Scope`."""
        if self._choice is None:
            return EMPTY
        if name == "name":
            return self._choice.value
        if name == "label":
            return next(iter(self._choice.labels.values()), EMPTY)
        return self._choice.properties.get(name, EMPTY)

    def position(self) -> int:
        """See `Scope`."""
        return self._repetition.index + 1


class _Judging:
    """Two passes: what shows gets its value, in the order of dependence; then the rules are applied."""

    def __init__(self, plan: Plan, answers: Mapping[str, Any], circumstances: Circumstances) -> None:
        self._plan = plan
        self._circumstances = circumstances
        self.when = circumstances.when
        self._root = _Repetition(answers, 0, None)
        self._at: dict[tuple[str, ...], list[_Repetition]] = {NOWHERE: [self._root]}
        self._result = Judged()

    def judged(self) -> Judged:
        """The judgement."""
        for asked in self._plan.order:
            for repetition in self._at.get(asked.chain, ()):
                self._resolve(asked, repetition)
        self._check_place()
        self._check_names(self._root, "")
        self._result.answers = self._keep(self._plan.roots, self._root, "")
        del self._result.findings[MAX_FINDINGS:]
        return self._result

    def answer(self, name: str, seen_from: _Repetition) -> Answer:
        """A question's answer as seen from a repetition: one value, or the set of all where it is repeated inside."""
        asked = self._plan.by_name.get(name)
        if asked is None:
            return EMPTY
        outer = seen_from
        while outer.outer is not None and outer.chain != asked.chain[: len(outer.chain)]:
            outer = outer.outer
        beyond = asked.chain[len(outer.chain) :]
        if not beyond:
            return outer.values.get(name, EMPTY)
        found = [outer]
        for group in beyond:
            found = [inner for one in found for inner in one.inner.get(group, ())]
        return tuple(value for one in found for value in each(one.values.get(name, EMPTY)))

    # -- first pass: what shows, and which value it has

    def _resolve(self, asked: Asked, here: _Repetition) -> None:
        if asked.section in here.hidden or not self._holds(asked.relevant, here):
            here.hidden.add(asked.name)
            return
        item = asked.item
        match item:
            case Repeat():
                self._repeat(asked, item, here)
            case Calculated():
                here.values[item.name] = self._value(asked.formula, here, self._given(asked, here).value)
            case Note() | Section():
                pass
            case _:
                answer = self._given(asked, here)
                here.reads[item.name] = answer
                here.values[item.name] = answer.value

    def _given(self, asked: Asked, here: _Repetition) -> Read:
        """What was answered; where people cannot change it, what the form says it is."""
        item, raw = asked.item, here.given.get(asked.name)
        if isinstance(item, Calculated):
            return Read(float(raw) if _is_number(raw) else raw if isinstance(raw, str | bool) else EMPTY)
        assert isinstance(item, Question)
        if item.read_only:
            if asked.formula is not None:
                raw = made(self._value(asked.formula, here))
            elif item.default is not None:
                raw = list(item.default) if isinstance(item.default, tuple) else item.default
        answer = read(item, raw, self.when.zone, self._circumstances.manifest)
        # What nobody can change must not stand in anybody's way.
        return NOTHING if item.read_only and answer.wrong else answer

    def _repeat(self, asked: Asked, item: Repeat, here: _Repetition) -> None:
        raw = here.given.get(item.name)
        given = [one if isinstance(one, dict) else {} for one in raw] if isinstance(raw, list) else []
        if raw is not None and (not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw)):
            here.reads[item.name] = Read(wrong="type-wrong")
        elif asked.formula is None and len(given) > (item.max if item.max is not None else MAX_REPETITIONS):
            here.reads[item.name] = Read(wrong="too-many", facts={"max_count": item.max or MAX_REPETITIONS})
        elif asked.formula is None and len(given) < item.min:
            here.reads[item.name] = Read(wrong="too-few", facts={"min_count": item.min})
        if asked.formula is not None:
            wanted = _whole(self._value(asked.formula, here))
            given = [*given, *({} for _ in range(wanted - len(given)))][:wanted]
        chain = (*asked.chain, item.name)
        inner = [_Repetition(one, index, here, chain) for index, one in enumerate(given[:MAX_REPETITIONS])]
        here.inner[item.name] = inner
        here.values[item.name] = ("1",) * len(inner)
        self._at.setdefault(chain, []).extend(inner)

    # -- second pass: what is kept, and what is wrong with it

    def _keep(self, items: Sequence[Asked], here: _Repetition, path: str) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for asked in items:
            item, place = asked.item, f"{path}{asked.name}"
            if asked.name in here.hidden:
                continue
            match item:
                case Section():
                    kept |= self._keep(asked.children, here, path)
                case Repeat():
                    if (faulty := here.reads.get(asked.name)) is not None:
                        self._found(place, faulty.wrong or "", faulty.facts)
                    rows = [
                        self._keep(asked.children, inner, f"{place}/{inner.index}/")
                        for inner in here.inner.get(asked.name, ())
                    ]
                    if rows:
                        kept[asked.name] = rows
                case Calculated():
                    value = here.values.get(asked.name, EMPTY)
                    if (computed := made(value)) is not None:
                        kept[asked.name] = computed
                        self._follow_up(asked, here, value, place)
                case Note():
                    pass
                case _:
                    answer = here.reads.get(asked.name, NOTHING)
                    self._apply_rules(asked, item, here, answer, place)
                    if answer.kept is not None:
                        kept[asked.name] = answer.kept
        return kept

    def _apply_rules(self, asked: Asked, item: Any, here: _Repetition, answer: Read, path: str) -> None:
        if answer.wrong is not None:
            self._found(path, answer.wrong, answer.facts)
            return
        if answer.kept is None:
            if not item.read_only and self._is_required(asked, here) and self._is_answerable(asked, item, here):
                self._found(path, "required", {"message": item.required_message} if item.required_message else {})
            return
        if not item.read_only:
            for code, facts in broken_by(item, answer):
                self._found(path, code, facts)
            if isinstance(item, Dropdown | SingleChoice | Checkboxes):
                self._check_choices(asked, item, here, answer, path)
            if asked.constraint is not None and not asked.constraint.holds(_Seen(self, here, answer.value)):
                facts = {"message": item.constraint_message} if item.constraint_message else {}
                self._found(path, "constraint", facts)
        if isinstance(item, MediaField):
            self._declare(item, answer, path)
        self._follow_up(asked, here, answer.value, path)

    def _is_required(self, asked: Asked, here: _Repetition) -> bool:
        item = asked.item
        if isinstance(item, Picture) and item.min_count > 0 and asked.required is False:
            return True
        return asked.required.holds(_Seen(self, here)) if isinstance(asked.required, Expression) else asked.required

    def _is_answerable(self, asked: Asked, item: Any, here: _Repetition) -> bool:
        """A question that offers nothing to choose cannot be answered, so it need not be."""
        if not isinstance(item, Dropdown | SingleChoice | Checkboxes):
            return True
        known = self._plan.choices.get(item.choices, {})
        return any(self._is_offered(asked, choice, here) for choice in known.values())

    def _is_offered(self, asked: Asked, choice: Choice, here: _Repetition) -> bool:
        return asked.filter is None or asked.filter.holds(_Seen(self, here, choice=choice))

    def _check_choices(
        self, asked: Asked, item: Dropdown | SingleChoice | Checkboxes, here: _Repetition, answer: Read, path: str
    ) -> None:
        known = self._plan.choices.get(item.choices, {})
        for value in answer.kept if isinstance(item, Checkboxes) else [answer.kept]:
            choice = known.get(value)
            if choice is None or not self._is_offered(asked, choice, here):
                self._found(path, "not-a-choice", {"value": str(value)[:100]})

    def _declare(self, item: Any, answer: Read, path: str) -> None:
        bounds = bounds_of(item)
        for index, one in enumerate(answer.kept):
            self._result.media.append(
                Medium(
                    id=one["id"],
                    bytes=one["bytes"],
                    type=one["type"],
                    path=f"{path}/{index}",
                    kind=item.type,
                    refused=bounds.breach(one, index) or "",
                )
            )

    def _follow_up(self, asked: Asked, here: _Repetition, value: Answer, path: str) -> None:
        wanted = getattr(asked.item, "follow_up", None)
        if wanted is not None and asked.failing is not None and asked.failing.holds(_Seen(self, here, value)):
            self._result.failures.append(
                Failure(
                    path=path,
                    process_id=wanted.process_id,
                    subprocess_id=wanted.subprocess_id,
                    priority=wanted.priority,
                )
            )

    def _check_place(self) -> None:
        capture, here, site = self._plan.content.capture, self._circumstances.place, self._circumstances.site
        if here is None:
            if capture.location or capture.radius_m is not None:
                self._found(ROOT, "location-required", {})
        elif capture.radius_m is not None and site is not None:
            away = between((here.lat, here.lon), (site.lat, site.lon))
            if away - (here.accuracy_m or 0) > capture.radius_m:
                self._found(ROOT, "location-too-far", {"radius_m": capture.radius_m, "distance_m": round(away)})

    def _check_names(self, here: _Repetition, path: str) -> None:
        known = self._plan.names_in.get(here.chain, frozenset())
        for name in here.given.keys() - known:
            self._found(f"{path}{name}"[:200], "field-unknown", {})
        for group, inner in here.inner.items():
            for one in inner:
                self._check_names(one, f"{path}{group}/{one.index}/")

    # -- small things

    def _holds(self, expression: Expression | None, here: _Repetition) -> bool:
        return expression is None or expression.holds(_Seen(self, here))

    def _value(self, expression: Expression | None, here: _Repetition, current: Answer = EMPTY) -> Answer:
        return EMPTY if expression is None else expression.value(_Seen(self, here, current))

    def _found(self, path: str, code: str, facts: Mapping[str, Any]) -> None:
        self._result.findings.append(Finding(path=path, code=code, facts=dict(facts)))


def _is_number(raw: Any) -> TypeGuard[int | float]:
    return isinstance(raw, int | float) and not isinstance(raw, bool) and abs(raw) < 1e15


def _whole(value: Answer) -> int:
    number = to_number(value)
    return min(max(int(number), 0), MAX_REPETITIONS) if math.isfinite(number) else 0
