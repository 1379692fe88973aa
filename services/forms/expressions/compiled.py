"""An expression ready to be evaluated: parsed and checked once, a chain of plain functions from then on."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from services.forms.expressions.errors import ExpressionError
from services.forms.expressions.functions import FUNCTIONS
from services.forms.expressions.patterns import PatternRefused, pattern
from services.forms.expressions.syntax import parse
from services.forms.expressions.tree import (
    AnyNode,
    Call,
    Chain,
    Column,
    Current,
    Field,
    Literal,
    Negative,
    Parent,
    everything_in,
)
from services.forms.expressions.values import (
    NAN,
    Value,
    equal,
    is_empty,
    ordered,
    to_number,
    to_text,
    to_truth,
    unequal,
)
from services.forms.expressions.when import When


class Scope(Protocol):
    """Where an expression stands: what it may look at while it is evaluated."""

    @property
    def when(self) -> When:
        """The time of the submission."""

    def field(self, name: str) -> Value:
        """The answer to that question, as seen from here; nothing when it has none or is hidden."""

    def current(self) -> Value:
        """The answer that the expression belongs to."""

    def column(self, name: str) -> Value:
        """A property of the choice that is looked at."""

    def position(self) -> int:
        """Which repetition this is, from 1."""


Run = Callable[[Scope], Value]


class Expression:
    """A checked expression: what it reads, and its value in a scope. Evaluating never raises."""

    __slots__ = ("_run", "columns", "fields", "reads_current", "reads_position", "text")

    def __init__(self, text: str) -> None:
        tree = parse(text)
        self.text = text
        parts = list(everything_in(tree))
        self.fields: tuple[tuple[str, int], ...] = tuple(
            sorted(((p.name, p.offset) for p in parts if isinstance(p, Field)), key=lambda found: found[1])
        )
        self.columns: tuple[tuple[str, int], ...] = tuple((p.name, p.offset) for p in parts if isinstance(p, Column))
        self.reads_current = next((p.offset for p in parts if isinstance(p, Current)), None)
        self.reads_position = next((p.offset for p in parts if isinstance(p, Parent)), None)
        self._run = _compile(tree, text)

    @property
    def names(self) -> frozenset[str]:
        """The questions whose answers it reads."""
        return frozenset(name for name, _ in self.fields)

    def value(self, scope: Scope) -> Value:
        """What it comes to here."""
        return self._run(scope)

    def holds(self, scope: Scope) -> bool:
        """Whether it is true here."""
        return to_truth(self._run(scope))


@lru_cache(maxsize=4_000)
def compiled(text: str) -> Expression:
    """The expression of this text, read once. Raises ExpressionError."""
    return Expression(text)


def _compile(node: AnyNode, text: str) -> Run:
    match node:
        case Literal(value=value):
            return lambda scope: value
        case Field(name=name):
            return lambda scope: scope.field(name)
        case Column(name=name):
            return lambda scope: scope.column(name)
        case Current():
            return lambda scope: scope.current()
        case Parent(offset=offset):
            raise ExpressionError("expression-syntax", text, offset, found="..")
        case Negative(operand=operand):
            inner = _compile(operand, text)
            return lambda scope: -to_number(inner(scope))
        case Chain():
            return _chain(node, text)
        case Call():
            return _call(node, text)


def _chain(node: Chain, text: str) -> Run:
    run = _compile(node.first, text)
    operators = {operator for operator, _ in node.rest}
    if operators <= {"or"}:
        return _any([run, *(_compile(part, text) for _, part in node.rest)])
    if operators <= {"and"}:
        return _all([run, *(_compile(part, text) for _, part in node.rest)])
    for operator, part in node.rest:
        run = _pair(run, operator, _compile(part, text))
    return run


def _any(parts: list[Run]) -> Run:
    return lambda scope: any(to_truth(part(scope)) for part in parts)


def _all(parts: list[Run]) -> Run:
    return lambda scope: all(to_truth(part(scope)) for part in parts)


def _pair(left: Run, operator: str, right: Run) -> Run:
    match operator:
        case "=":
            return lambda scope: equal(left(scope), right(scope))
        case "!=":
            return lambda scope: unequal(left(scope), right(scope))
        case "<" | "<=" | ">" | ">=":
            return lambda scope: ordered(left(scope), right(scope), operator)
        case "+":
            return lambda scope: to_number(left(scope)) + to_number(right(scope))
        case "-":
            return lambda scope: to_number(left(scope)) - to_number(right(scope))
        case "*":
            return lambda scope: to_number(left(scope)) * to_number(right(scope))
        case "div":
            return lambda scope: _divided(to_number(left(scope)), to_number(right(scope)))
        case _:
            return lambda scope: _remainder(to_number(left(scope)), to_number(right(scope)))


def _divided(left: float, right: float) -> float:
    if right == 0:
        return NAN if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1.0, right)
    return left / right


def _remainder(left: float, right: float) -> float:
    return math.fmod(left, right) if right != 0 and math.isfinite(left) else NAN


def _call(node: Call, text: str) -> Run:
    match node.name, node.arguments:
        case "regex", (subject, Literal(value=str(written), offset=offset)):
            return _matching(_compile(subject, text), written, text, offset)
        case "regex", (_, other):
            # A pattern put together from answers could not be checked before somebody answers.
            raise ExpressionError("pattern-not-literal", text, other.offset)
        case "regex", _:
            raise ExpressionError("arguments-wrong", text, node.offset, function="regex", least=2, most=2)
        case "position", (Parent(),):
            return lambda scope: float(scope.position())
        case "position", _:
            raise ExpressionError("arguments-wrong", text, node.offset, function="position", least=1, most=1)
        case "if", (test, so, otherwise):
            return _choosing(_compile(test, text), _compile(so, text), _compile(otherwise, text))
        case "once", (made,):
            return _keeping(_compile(made, text))
        case ("if" | "once") as name, _:
            least = 3 if name == "if" else 1
            raise ExpressionError("arguments-wrong", text, node.offset, function=name, least=least, most=least)
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise ExpressionError("function-unknown", text, node.offset, function=node.name[:60])
    if not function.takes(len(node.arguments)):
        raise ExpressionError(
            "arguments-wrong", text, node.offset, function=node.name, least=function.least, most=function.most
        )
    arguments, work = [_compile(argument, text) for argument in node.arguments], function.work
    return lambda scope: work(scope.when, [argument(scope) for argument in arguments])


def _matching(subject: Run, written: str, text: str, offset: int) -> Run:
    try:
        wanted = pattern(written)
    except PatternRefused:
        raise ExpressionError("pattern-refused", text, offset, pattern=written[:200]) from None
    return lambda scope: wanted.fits(to_text(subject(scope)))


def _choosing(test: Run, so: Run, otherwise: Run) -> Run:
    return lambda scope: so(scope) if to_truth(test(scope)) else otherwise(scope)


def _keeping(made: Run) -> Run:
    def run(scope: Scope) -> Value:
        before = scope.current()
        return made(scope) if is_empty(before) else before

    return run
