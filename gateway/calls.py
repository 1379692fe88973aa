"""One admitted request's way to the services: who asks, with which command id, and what the answer looks like."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response

from gateway.context import Context
from gateway.errors import Problem, from_remote
from gateway.origins import Origins
from gateway.principals import ANONYMOUS_ACTOR, ANONYMOUS_TENANT, Principal
from gateway.rpc_client import Overloaded, RpcClient, ServiceTimeout, ServiceUnavailable
from services.kernel import logging
from services.kernel.clock import new_id
from services.kernel.rpc import EXECUTE, QUERY, MalformedReply, RemoteError

COMMAND_IDS = uuid.UUID("5d0b7a7e-3f0c-5f3e-9a51-6c1f0a6f2f11")
GATEWAY_ACTOR = "system:gateway"

CALL_FAILURES = (RemoteError, ServiceUnavailable, Overloaded, ServiceTimeout, MalformedReply)

log = logging.get(__name__)

_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{6,126}[\x21-\x7e])")
_VERSION = re.compile(r'"(\d{1,18})"')
_POSITION = re.compile(r"\d{1,18}")


def command_id(tenant: str, actor: str, key: str | None, data: Mapping[str, Any]) -> str:
    """The id under which a command is recorded at most once.

    From the caller's Idempotency-Key, so that a repeated request finds the first one's answer. Nobody
    owns the keys of anonymous callers: there the content counts as well, or a guessed key would hand
    out the answer to somebody else's log-in.
    """
    if key is None:
        return new_id()
    name = f"{tenant}|{actor}|{key}"
    if actor == ANONYMOUS_ACTOR:
        name += "|" + hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return str(uuid.uuid5(COMMAND_IDS, name))


def idempotency_key(headers: Headers) -> str | None:
    """The Idempotency-Key, 8 to 128 printable characters. Raises Problem for anything else."""
    key = headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Problem("header-invalid", header="Idempotency-Key")
    return key


def expected_version(headers: Headers) -> int | None:
    """The version in If-Match; None when absent or `*`. Raises Problem for what no ETag of ours looks like."""
    tag = headers.get("if-match")
    if tag is None or tag.strip() == "*":
        return None
    matched = _VERSION.fullmatch(tag.strip())
    if matched is None:
        raise Problem("header-invalid", header="If-Match")
    return int(matched[1])


def at_least(headers: Headers, query: Mapping[str, str]) -> int | None:
    """The position that an answer must include. Raises Problem when it is no position."""
    text = query.get("at_least") or headers.get("x-at-least")
    if text is None:
        return None
    if not _POSITION.fullmatch(text):
        raise Problem("header-invalid", header="X-At-Least")
    return int(text)


def json_response(document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; the stream version in it, if any, is its ETag."""
    made = dict(headers or {})
    if isinstance(document, dict) and isinstance(document.get("version"), int):
        made["ETag"] = f'"{document["version"]}"'
    return Response(orjson.dumps(document), status, made, "application/json")


def as_problem(error: Exception, service: str, correlation_id: str) -> Problem:
    """Why a service gave no answer, or what it raised, as a problem document."""
    match error:
        case RemoteError():
            return from_remote(error, correlation_id)
        case ServiceUnavailable():
            return Problem("service-unavailable", headers={"Retry-After": "2"}, service=service)
        case Overloaded():
            return Problem("overloaded", headers={"Retry-After": "1"}, service=service)
        case ServiceTimeout():
            return Problem("timeout", service=service)
        case _:
            log.error("reply_unreadable", service=service, correlation_id=correlation_id, why=repr(error))
            return Problem("internal")


def caller_of(principal: Principal, correlation_id: str, origin: str | None = None) -> dict[str, Any]:
    """Who asks, as the services are told."""
    return {
        "tenant": principal.tenant,
        "actor": principal.actor,
        "role": principal.role,
        "permissions": sorted(principal.permissions),
        "session": principal.session,
        "origin": origin,
        "correlation_id": correlation_id,
        "causation_id": "",
    }


@dataclass(frozen=True, slots=True)
class Services:
    """The services behind the gateway; every failure to get an answer is a problem document."""

    rpc: RpcClient
    origins: Origins

    async def execute(
        self,
        service: str,
        command: str,
        data: Mapping[str, Any],
        caller: Mapping[str, Any],
        command_id: str,
        expected: int | None = None,
        traceparent: str = "",
    ) -> dict[str, Any]:
        """Carry out a command. Raises Problem."""
        kwargs = {
            "command": command,
            "data": data,
            "caller": caller,
            "command_id": command_id,
            "expected_version": expected,
        }
        answer = await self._call(service, EXECUTE, kwargs, caller, traceparent)
        return dict(answer)

    async def query(
        self,
        service: str,
        query: str,
        params: Mapping[str, Any],
        caller: Mapping[str, Any],
        at_least: int | None = None,
        traceparent: str = "",
    ) -> Any:
        """Ask a question. Raises Problem."""
        kwargs = {"query": query, "params": params, "caller": caller, "at_least": at_least}
        return await self._call(service, QUERY, kwargs, caller, traceparent)

    async def _call(
        self,
        service: str,
        method: str,
        kwargs: Mapping[str, Any],
        caller: Mapping[str, Any],
        traceparent: str,
    ) -> Any:
        correlation_id = caller["correlation_id"]
        try:
            return await self.rpc.call(service, method, kwargs, correlation_id=correlation_id, traceparent=traceparent)
        except CALL_FAILURES as error:
            raise as_problem(error, service, correlation_id) from error


def gateway_caller(correlation_id: str = "") -> dict[str, Any]:
    """The gateway asking on its own behalf: for keys, revocations and the state of sessions."""
    return {
        "tenant": ANONYMOUS_TENANT,
        "actor": GATEWAY_ACTOR,
        "role": "",
        "permissions": [],
        "session": None,
        "origin": None,
        "correlation_id": correlation_id,
        "causation_id": "",
    }


@dataclass(slots=True)
class Call:
    """What a route's function gets: the verified caller and the two things it can do on that person's behalf."""

    principal: Principal
    context: Context
    headers: Headers
    params: Mapping[str, str]
    services: Services

    async def command(
        self, service: str, name: str, data: Mapping[str, Any], *, created: str | None = None
    ) -> Response:
        """Carry out a command; its receipt as JSON. `created`: the path of the new thing, `{id}` filled in."""
        return self.receipt(await self.execute(service, name, data), created=created)

    async def query(self, service: str, name: str, params: Mapping[str, Any] | None = None) -> Response:
        """Ask a question; the answer as JSON."""
        return json_response(await self.ask(service, name, params))

    def receipt(self, answer: dict[str, Any], *, created: str | None = None) -> Response:
        """The answer to a command: where it stands now, and 201 with its place when it is new."""
        # The stream's name is the services' own affair; the id says everything to a client.
        answer.pop("stream", None)
        if created is None:
            return json_response(answer)
        location = created.replace("{id}", str(answer.get("id", "")))
        return json_response(answer, status=201, headers={"Location": location})

    async def execute(self, service: str, name: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a command; its answer as it came. Raises Problem."""
        caller = await self._caller(for_command=True)
        id = command_id(self.principal.tenant, self.principal.actor, idempotency_key(self.headers), data)
        return await self.services.execute(
            service, name, data, caller, id, expected_version(self.headers), self.context.traceparent
        )

    async def ask(self, service: str, name: str, params: Mapping[str, Any] | None = None) -> Any:
        """Ask a question; the answer as it came. Raises Problem."""
        return await self.services.query(
            service,
            name,
            params or {},
            await self._caller(for_command=False),
            at_least(self.headers, self.params),
            self.context.traceparent,
        )

    def new_id(self) -> str:
        """An id for a new thing: the same one when the request is repeated under its Idempotency-Key."""
        key = idempotency_key(self.headers)
        if key is None or self.principal.is_anonymous:
            return new_id()
        return str(uuid.uuid5(COMMAND_IDS, f"new|{self.principal.tenant}|{self.principal.actor}|{key}"))

    async def _caller(self, *, for_command: bool) -> dict[str, Any]:
        principal = self.principal
        origin = None
        if for_command and principal.credential:
            try:
                origin = await self.services.origins.of(principal, self.context.ip)
            except CALL_FAILURES as error:
                raise as_problem(error, "identity", self.context.correlation_id) from error
        return caller_of(principal, self.context.correlation_id, origin)
