"""The small language in which forms say when a question shows, which answers hold and what is computed."""

from __future__ import annotations

from services.forms.expressions.compiled import Expression, Scope, compiled
from services.forms.expressions.errors import ExpressionError
from services.forms.expressions.values import Value
from services.forms.expressions.when import When

__all__ = ["Expression", "ExpressionError", "Scope", "Value", "When", "compiled"]
