"""One admitted request's way to the services: who asks, under which id, and what the answer looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response

from gateway import preconditions
from gateway.context import Context
from gateway.principals import Principal
from gateway.service_calls import CALL_FAILURES, Services, as_problem, caller_of


def json_response(document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; the stream version in it, if any, is its ETag."""
    made = dict(headers or {})
    if isinstance(document, dict) and isinstance(document.get("version"), int):
        made["ETag"] = f'"{document["version"]}"'
    return Response(orjson.dumps(document), status, made, "application/json")


@dataclass(slots=True)
class Call:
    """What a route's function gets: the verified caller and the two things it can do on that person's behalf."""

    principal: Principal
    context: Context
    headers: Headers
    params: Mapping[str, str]
    services: Services
    on_behalf: Mapping[str, Any] | None = None
    """What of the caller is told differently, where staff acts upon an account."""

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
        key = preconditions.idempotency_key(self.headers)
        id = preconditions.command_id(self.principal.tenant, self.principal.actor, key, data)
        expected = preconditions.expected_version(self.headers)
        return await self.services.execute(service, name, data, caller, id, expected, self.context.traceparent)

    async def execute_as(self, service: str, name: str, data: Mapping[str, Any], command_id: str) -> dict[str, Any]:
        """Carry out a command whose parts are named by the client itself. Raises Problem."""
        caller = await self._caller(for_command=True)
        return await self.services.execute(service, name, data, caller, command_id, None, self.context.traceparent)

    async def ask(self, service: str, name: str, params: Mapping[str, Any] | None = None) -> Any:
        """Ask a question; the answer as it came. Raises Problem."""
        position = preconditions.at_least(self.headers, self.params)
        caller = await self._caller(for_command=False)
        return await self.services.query(service, name, params or {}, caller, position, self.context.traceparent)

    async def ask_present(self, service: str, name: str, params: Mapping[str, Any] | None = None) -> Any:
        """Ask a second service, of whose positions the request's `at_least` says nothing. Raises Problem."""
        caller = await self._caller(for_command=False)
        return await self.services.query(service, name, params or {}, caller, None, self.context.traceparent)

    def new_id(self) -> str:
        """An id for a new thing: the same one when the request is repeated under its Idempotency-Key."""
        return preconditions.id_for_new(self.principal, self.headers)

    async def _caller(self, *, for_command: bool) -> dict[str, Any]:
        principal = self.principal
        origin = None
        if for_command and principal.credential:
            try:
                origin = await self.services.origins.of(principal, self.context.ip)
            except CALL_FAILURES as error:
                raise as_problem(error, "identity", self.context.correlation_id) from error
        return caller_of(principal, self.context.correlation_id, origin) | dict(self.on_behalf or {})
