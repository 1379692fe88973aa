"""What the gateway itself asks and tells identity, with little patience: somebody's request waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.principals import Principal
from gateway.rpc_client import RpcClient
from gateway.service_calls import caller_of, gateway_caller
from services.kernel.clock import new_id
from services.kernel.rpc import EXECUTE, QUERY

SERVICE = "identity"
PATIENCE_SECONDS = 3.0


class Identity:
    """Raises what `RpcClient.call` raises."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def ask(self, query: str, params: Mapping[str, Any]) -> Any:
        """A question on the gateway's own behalf: keys, revocations, the state of sessions and tokens."""
        kwargs = {"query": query, "params": params, "caller": gateway_caller(), "at_least": None}
        return await self._rpc.call(SERVICE, QUERY, kwargs, timeout=PATIENCE_SECONDS)

    async def revocations(self) -> Mapping[str, Any]:
        """What was revoked of late, in all accounts."""
        answer: Mapping[str, Any] = await self.ask("revocations", {})
        return answer

    async def observe(self, principal: Principal, ip: str) -> str:
        """This caller acts from this address; answers the origin id that stands for it."""
        seen = {"session_id": principal.session} if principal.session else {"token_id": principal.token}
        answer = await self._tell(principal, "observe_origin", {**seen, "ip": ip})
        return str(answer["id"])

    async def note_token_use(self, principal: Principal) -> None:
        """This caller's API token is in use."""
        await self._tell(principal, "note_api_token_use", {"token_id": principal.token})

    async def _tell(self, principal: Principal, command: str, data: Mapping[str, Any]) -> Any:
        # Each time under an id of its own: the facts themselves say whether they are new.
        kwargs = {
            "command": command,
            "data": data,
            "caller": caller_of(principal, new_id()),
            "command_id": new_id(),
            "expected_version": None,
        }
        return await self._rpc.call(SERVICE, EXECUTE, kwargs, timeout=PATIENCE_SECONDS)
