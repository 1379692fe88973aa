"""A customer's code belongs to one customer of the account at a time; here is who holds it.

The stream's id is a keyed fingerprint of the code, so all who want one code meet in one stream. Taking
a code is: claim it here, then use the claim on the customer. Whoever finds it held by a customer that
does not use it (a request that died in between, or a customer that has another code by now) first has
that customer forfeit the claim for good, then takes the code over; a holder that was merely slow is then
refused. So two customers never have one code, and no code is lost to a crash.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from services.kernel.domain import Command, Decider, Event, Rejected
from services.tasks.domain.values import Id


class CodeClaimed(Event):
    """The code is this customer's to take."""

    key: str
    serial: int
    customer_id: str


CodeEvent = CodeClaimed


class ClaimCode(Command):
    """`after` is the serial of the claim that the asker saw and knows to be unused; 0 for none."""

    key: str
    customer_id: Id
    after: int


CodeCommand = ClaimCode


@dataclass(frozen=True, slots=True)
class Code:
    """Who may take the code."""

    key: str = ""
    serial: int = 0
    customer_id: str | None = None

    @property
    def claim(self) -> str:
        """The name of the claim in force."""
        return f"{self.key}/{self.serial}"


initial_state = Code()


def decide(command: CodeCommand, state: Code) -> list[CodeEvent]:
    match command:
        case ClaimCode(key=key, customer_id=customer_id, after=after):
            if state.serial > after and state.customer_id == customer_id:
                return []
            if state.serial != after:
                raise Rejected("customer-code-taken", customer_id=state.customer_id)
            return [CodeClaimed(key=key, serial=after + 1, customer_id=customer_id)]
        case _:
            assert_never(command)


def evolve(state: Code, event: CodeEvent) -> Code:
    match event:
        case CodeClaimed(key=key, serial=serial, customer_id=customer_id):
            return replace(state, key=key, serial=serial, customer_id=customer_id)
        case _:
            assert_never(event)


customer_code: Decider[CodeCommand, Code, CodeEvent] = Decider(
    "customer_code", initial_state, decide, evolve, events={"CodeClaimed": CodeClaimed}
)
