"""Reads the text of an expression: a grammar, its limits, and errors that say where."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from services.forms.expressions.errors import ExpressionError
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
)

MAX_LENGTH = 10_000
MAX_DEPTH = 60

GRAMMAR = r"""
?start: either
?either: both (OR both)*
?both: equality (AND equality)*
?equality: relation (EQUAL relation)*
?relation: sum (ORDER sum)*
?sum: product (PLUS product)*
?product: signed (TIMES signed)*
?signed: primary | MINUS signed -> negative
?primary: NUMBER -> number
        | TEXT -> text
        | FIELD -> field
        | DOTS -> parent
        | DOT -> current
        | NAME -> column
        | FUNCTION "(" [either ("," either)*] ")" -> call
        | "(" either ")"

OR: /or(?![\w.-])/
AND: /and(?![\w.-])/
EQUAL: "=" | "!="
ORDER: "<=" | ">=" | "<" | ">"
PLUS: "+" | "-"
TIMES.2: "*" | /(div|mod)(?![\w.-])/
MINUS: "-"
NUMBER.2: /\d+(\.\d*)?|\.\d+/
TEXT: /'[^']*'|"[^"]*"/
FIELD: /\$\{\s*[A-Za-z_][\w.-]*\s*\}/
DOTS.1: ".."
DOT: "."
FUNCTION.2: /[A-Za-z][\w:-]*(?=\s*\()/
NAME: /[A-Za-z_][\w-]*/
%ignore /[ \t\r\n\u00a0]+/
"""


class TooMuch(Exception):
    """The tree grew beyond what is evaluated."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class _Builder(Transformer[Token, AnyNode]):
    """Makes the tree while the text is read."""

    def chain(self, children: Sequence[Any]) -> AnyNode:
        """An operand followed by pairs of operator and operand, as every precedence is."""
        first = children[0]
        rest = tuple((str(children[i]), children[i + 1]) for i in range(1, len(children), 2))
        return Chain(first, rest, first.offset, _deeper([first, *(part for _, part in rest)], first.offset))

    either = both = equality = relation = sum = product = chain

    def number(self, children: list[Token]) -> AnyNode:
        return Literal(float(children[0]), _at(children[0]))

    def text(self, children: list[Token]) -> AnyNode:
        return Literal(str(children[0])[1:-1], _at(children[0]))

    def field(self, children: list[Token]) -> AnyNode:
        return Field(str(children[0])[2:-1].strip(), _at(children[0]))

    def column(self, children: list[Token]) -> AnyNode:
        return Column(str(children[0]), _at(children[0]))

    def current(self, children: list[Token]) -> AnyNode:
        return Current(_at(children[0]))

    def parent(self, children: list[Token]) -> AnyNode:
        return Parent(_at(children[0]))

    def negative(self, children: list[Any]) -> AnyNode:
        minus, operand = children
        return Negative(operand, _at(minus), _deeper([operand], _at(minus)))

    def call(self, children: list[Any]) -> AnyNode:
        name, *arguments = children
        given = tuple(argument for argument in arguments if argument is not None)
        return Call(str(name), given, _at(name), _deeper(given, _at(name)))


def _at(token: Token) -> int:
    return token.start_pos or 0


def _deeper(parts: Sequence[AnyNode], offset: int) -> int:
    depth = 1 + max((part.depth for part in parts), default=0)
    if depth > MAX_DEPTH:
        raise TooMuch(offset)
    return depth


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", transformer=_Builder(), maybe_placeholders=False)


def parse(text: str) -> AnyNode:
    """The tree of an expression. Raises ExpressionError."""
    if not text.strip():
        raise ExpressionError("expression-empty", text, 0)
    if len(text) > MAX_LENGTH:
        raise ExpressionError("expression-too-long", text, MAX_LENGTH, limit=MAX_LENGTH)
    try:
        tree: AnyNode = _parser().parse(text)  # type: ignore[assignment]
    except TooMuch as deep:
        raise ExpressionError("expression-too-deep", text, deep.offset, limit=MAX_DEPTH) from None
    except VisitError as broken:
        if isinstance(broken.orig_exc, TooMuch):
            raise ExpressionError("expression-too-deep", text, broken.orig_exc.offset, limit=MAX_DEPTH) from None
        raise
    except UnexpectedInput as wrong:
        raise ExpressionError("expression-syntax", text, _place(wrong, text), found=_found(wrong, text)) from None
    return tree


def _place(wrong: UnexpectedInput, text: str) -> int:
    if isinstance(wrong, UnexpectedEOF) or (isinstance(wrong, UnexpectedToken) and wrong.token.type == "$END"):
        return len(text)
    return int(getattr(wrong, "pos_in_stream", None) or 0)


def _found(wrong: UnexpectedInput, text: str) -> str:
    match wrong:
        case UnexpectedToken() if wrong.token.type != "$END":
            return str(wrong.token)[:40]
        case UnexpectedCharacters():
            return text[_place(wrong, text)][:1]
        case _:
            return ""
