"""The nameko face of a service: two methods, `execute` and `query`, and nothing of the domain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from services.kernel import logging, rpc
from services.kernel.application import ServiceDefinition
from services.kernel.calls import Asked, answers
from services.kernel.commit import Caller
from services.kernel.container import TheApplication
from services.kernel.domain import Rejected

log = logging.get(__name__)


class ServiceBase:
    """What every service's nameko class extends; it adds its name, definition and subscriptions."""

    name: ClassVar[str]
    definition: ClassVar[ServiceDefinition]
    application = TheApplication()

    @answers
    def answer(self, asked: Asked) -> None:
        """Carry out what one message asks for, each call for itself."""
        asked.carry_out({rpc.EXECUTE: self.execute, rpc.QUERY: self.query})

    def execute(
        self,
        command: str,
        data: Mapping[str, Any],
        caller: Mapping[str, Any],
        command_id: str,
        expected_version: int | None = None,
    ) -> dict[str, Any]:
        """Carry out a command; see `Application.execute`."""
        who = Caller.from_wire(caller)
        with _told(tenant=who.tenant, correlation_id=who.correlation_id, command=command):
            return self.application.execute(command, data, who, command_id, expected_version)

    def query(
        self,
        query: str,
        params: Mapping[str, Any],
        caller: Mapping[str, Any],
        at_least: int | None = None,
    ) -> dict[str, Any]:
        """Answer a query; see `Application.query`."""
        who = Caller.from_wire(caller)
        with _told(tenant=who.tenant, correlation_id=who.correlation_id, query=query):
            return self.application.query(query, params, who, at_least)


@contextmanager
def _told(**ids: Any) -> Iterator[None]:
    """Bind the request's ids, and say in one line when the domain refused it."""
    with logging.bound(**ids):
        try:
            yield
        except Rejected as refused:
            log.info("refused", code=refused.code)
            raise
