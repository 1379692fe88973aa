"""Every refusal and failure as RFC 9457 problem details: a stable type, a text for people, facts for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.context import Context, context_of
from gateway.messages import describe
from services.kernel import logging
from services.kernel.rpc import RemoteError

TYPE_BASE = "https://checkop.co/problems/"
MEDIA_TYPE = "application/problem+json"

_RESERVED = frozenset({"type", "title", "status", "detail", "instance", "code"})
_OWN_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large", 415: "media-type-unsupported"}

_TEMPORARY = frozenset({"StoreUnavailable", "Busy", "AutoReconnect", "ServerSelectionTimeoutError"})
"""What a service raises when its database is away for a moment."""

log = logging.get(__name__)


class Problem(Exception):
    """Stops a request with a problem document. `facts` are shown to the caller: never secrets, never internals."""

    def __init__(
        self,
        code: str,
        *,
        headers: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.headers = dict(headers or {})
        self.facts = facts

    @property
    def refused(self) -> bool:
        """Whether the request certainly had no effect; otherwise it may still have one."""
        return describe(self.code, "en", {})[0] < 500


class ProblemResponse(Response):
    """The HTTP form of a problem."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """As JSON; facts that JSON does not know become text."""
        return orjson.dumps(content, default=str)


def respond(context: Context, problem: Problem) -> ProblemResponse:
    """The answer to a request that met `problem`, in the caller's language."""
    status, title, detail = describe(problem.code, context.language, problem.facts)
    context.problem = problem.code
    document = {
        "type": TYPE_BASE + problem.code,
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{context.correlation_id}",
        "code": problem.code,
    }
    document.update((name, fact) for name, fact in problem.facts.items() if name not in _RESERVED)
    headers = {"Content-Language": context.language, "Cache-Control": "no-store", **problem.headers}
    if status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="checkop"')
    return ProblemResponse(document, status_code=status, headers=headers)


def from_remote(error: RemoteError, correlation_id: str) -> Problem:
    """A service's exception as a problem. Only domain refusals speak; everything else stays in the log."""
    rejection = error.rejection
    if rejection is not None:
        code, facts = rejection
        return Problem(code, headers=_waiting(code, facts), **_named(facts))
    if error.exc_type == "VersionConflict":
        return Problem("version-conflict")
    if error.exc_type in _TEMPORARY:
        return Problem("service-unavailable", headers={"Retry-After": "1"})
    log.error("service_failed", exc_type=error.exc_type, correlation_id=correlation_id)
    return Problem("internal")


def _waiting(code: str, facts: Mapping[str, Any]) -> dict[str, str]:
    wait = facts.get("retry_after", 1 if code == "not-yet-visible" else None)
    return {"Retry-After": str(wait)} if isinstance(wait, int) else {}


def _named(facts: Mapping[str, Any]) -> dict[str, Any]:
    # A fact named like a parameter of Problem would be taken for it.
    return {(f"{name}_" if name in ("code", "headers") else name): v for name, v in facts.items()}


async def on_problem(request: Request, problem: Exception) -> Response:
    """FastAPI's handler for `Problem`."""
    assert isinstance(problem, Problem)
    return respond(context_of(request.scope), problem)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """The framework's own refusals: no such route, wrong method, unreadable body."""
    assert isinstance(error, HTTPException)
    code = _OWN_STATUS.get(error.status_code)
    if code is None:
        code = "malformed-body" if 400 <= error.status_code < 500 else "internal"
    return respond(context_of(request.scope), Problem(code, headers=error.headers))


async def on_invalid(request: Request, error: Exception) -> Response:
    """What FastAPI's validation found, without repeating the input: it may hold a password."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(item.get("type") == "json_invalid" for item in found):
        return respond(context_of(request.scope), Problem("malformed-json"))
    return respond(context_of(request.scope), Problem("invalid", errors=list(_shown(found))))


def _shown(errors: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for _, error in zip(range(50), errors, strict=False):
        yield {
            "loc": [part if isinstance(part, int) else str(part)[:100] for part in error.get("loc", ())],
            "msg": str(error.get("msg", ""))[:300],
            "type": str(error.get("type", "")),
        }
