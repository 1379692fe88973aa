"""An expression as a tree: what was written, freed of how it was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """A text or a number."""

    value: str | float
    offset: int = 0
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Field:
    """The answer to a question: `${name}`."""

    name: str
    offset: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Column:
    """A property of the choice that a filter looks at: `name`."""

    name: str
    offset: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Current:
    """The answer that the expression belongs to: `.`."""

    offset: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Parent:
    """The repetition that the expression stands in: `..`, for `position(..)` only."""

    offset: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Negative:
    """`-x`."""

    operand: AnyNode
    offset: int
    depth: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands of one precedence from left to right: `a + b - c`."""

    first: AnyNode
    rest: tuple[tuple[str, AnyNode], ...]
    offset: int
    depth: int


@dataclass(frozen=True, slots=True)
class Call:
    """`name(argument, …)`."""

    name: str
    arguments: tuple[AnyNode, ...]
    offset: int
    depth: int


AnyNode = Literal | Field | Column | Current | Parent | Negative | Chain | Call


def below(node: AnyNode) -> tuple[AnyNode, ...]:
    """The parts of a node."""
    match node:
        case Negative(operand=operand):
            return (operand,)
        case Chain(first=first, rest=rest):
            return (first, *(part for _, part in rest))
        case Call(arguments=arguments):
            return arguments
        case _:
            return ()


def everything_in(node: AnyNode) -> Iterator[AnyNode]:
    """The node and everything below it."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(below(one))
