"""The services behind the gateway: every failure to get an answer from them is a problem document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import Problem, from_remote
from gateway.origins import Origins
from gateway.principals import ANONYMOUS_TENANT, Principal
from gateway.rpc_client import Overloaded, RpcClient, ServiceTimeout, ServiceUnavailable
from services.kernel.rpc import EXECUTE, QUERY, RemoteError

GATEWAY_ACTOR = "system:gateway"
CALL_FAILURES = (RemoteError, ServiceUnavailable, Overloaded, ServiceTimeout)


def as_problem(error: Exception, service: str, correlation_id: str) -> Problem:
    """Why a service gave no answer, or what it raised, as a problem document."""
    match error:
        case RemoteError():
            return from_remote(error, correlation_id)
        case ServiceUnavailable():
            return Problem("service-unavailable", headers={"Retry-After": "2"}, service=service)
        case Overloaded():
            return Problem("overloaded", headers={"Retry-After": "1"}, service=service)
        case _:
            return Problem("timeout", service=service)


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
        try:
            return await self.rpc.call(service, method, kwargs, traceparent=traceparent)
        except CALL_FAILURES as error:
            raise as_problem(error, service, caller["correlation_id"]) from error


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
