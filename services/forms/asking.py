"""Data that came from outside, read as one of this service's models."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from services.kernel.domain import Rejected

M = TypeVar("M", bound=BaseModel)
MOST_ERRORS = 100


def checked(model: type[M], data: Any, *, inside: tuple[str, ...] = ()) -> M:
    """The data as this model. Raises Rejected("invalid") with every place that is wrong, below `inside`."""
    try:
        return model.model_validate(data)
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_input=False, include_context=False)[:MOST_ERRORS]
        told = [{"loc": [*inside, *one["loc"]], "msg": one["msg"], "type": one["type"]} for one in found]
        raise Rejected("invalid", errors=told) from None
