"""How a person gets a paid seat and gives it up: the seat first and the work after, the other way round at the end.

Seat and person lie in two streams, and any process may die in between. So an assignment has a number, and a
person's stream accepts only numbers that it has not declared spent. Whatever was left half done is settled by
asking the person's stream once more; what it has declared spent can be taken back without harm.
"""

from __future__ import annotations

from services.identity.domain.membership import ForfeitSeat
from services.identity.domain.seat_pool import AssignSeat, OpenSeatPool, ReleaseSeat, SeatPool, seat_pool
from services.identity.domain.user import User, user
from services.kernel.application import Ask
from services.kernel.commit import VersionConflict
from services.kernel.domain import Command

ROUNDS = 8
"""How often a lost race for the pool is begun anew: in every round somebody wins, and seats run out before."""


def open_pool(ask: Ask, account_id: str) -> None:
    """A new account has the seats of its plan."""
    ask.handle(
        seat_pool,
        account_id,
        ask.make(OpenSeatPool, {"account_id": account_id}),
        part="seats",
        tenant=account_id,
    )


def take(ask: Ask, account_id: str, user_id: str) -> int:
    """The number of a seat for this person; the same one until it is spent. Raises Rejected("no-free-seat")."""
    while True:
        person: User = ask.state(user, user_id, tenant=account_id)
        spent = person.member.spent
        wanted = ask.make(AssignSeat, {"account_id": account_id, "user_id": user_id, "spent": spent})
        _change(ask, account_id, wanted, part=f"seat:{spent}")
        pool: SeatPool = ask.state(seat_pool, account_id, tenant=account_id)
        number = pool.seated.get(user_id, 0)
        if number > spent:
            return number


def settle(ask: Ask, account_id: str, user_id: str) -> None:
    """Make pool and person agree: whoever works sits, whoever does not gives the seat up."""
    person: User = ask.state(user, user_id, tenant=account_id)
    pool: SeatPool = ask.state(seat_pool, account_id, tenant=account_id)
    number = pool.seated.get(user_id, 0)
    if person.member.seated:
        if number <= person.member.spent:
            take(ask, account_id, user_id)
        return
    if number == 0:
        return
    if number > person.member.spent:
        forfeit = ask.make(ForfeitSeat, {"user_id": user_id, "number": number})
        ask.handle(user, user_id, forfeit, part=f"forfeit:{number}", tenant=account_id)
        person = ask.state(user, user_id, tenant=account_id)
    if number <= person.member.spent:
        release = ask.make(ReleaseSeat, {"account_id": account_id, "user_id": user_id, "number": number})
        _change(ask, account_id, release, part=f"release:{number}")


def _change(ask: Ask, account_id: str, command: Command, *, part: str) -> None:
    for _ in range(ROUNDS - 1):
        try:
            ask.handle(seat_pool, account_id, command, part=part, tenant=account_id)
        except VersionConflict:
            continue
        return
    ask.handle(seat_pool, account_id, command, part=part, tenant=account_id)
