"""What is wrong with an expression, and where in its text."""

from __future__ import annotations

from typing import Any


class ExpressionError(Exception):
    """The text is no expression of this language. `code` is stable and public; line and column count from 1."""

    def __init__(self, code: str, text: str, offset: int, **facts: Any) -> None:
        super().__init__(code, offset, facts)
        self.code = code
        self.offset = max(0, min(offset, len(text)))
        before = text[: self.offset]
        self.line = before.count("\n") + 1
        self.column = self.offset - (before.rfind("\n") + 1) + 1
        self.facts = facts

    def to_facts(self) -> dict[str, Any]:
        """Where it is and whatever else there is to say, as JSON."""
        return {"offset": self.offset, "line": self.line, "column": self.column, **self.facts}
