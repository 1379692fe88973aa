"""The seat pool's rules one by one, and its invariant through long random stories."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.identity.domain.seat_pool import (
    INCLUDED_SEATS,
    ApplySeatReduction,
    AssignSeat,
    OpenSeatPool,
    RaiseSeatLimit,
    ReleaseSeat,
    ReleaseSeatReduction,
    ReserveSeatReduction,
    SeatAssigned,
    SeatLimitRaised,
    SeatPool,
    SeatPoolOpened,
    SeatReductionApplied,
    SeatReductionBlocked,
    SeatReductionReleased,
    SeatReductionReserved,
    SeatReleased,
    seat_pool,
)
from services.kernel.domain import Rejected
from services.kernel.testing.given import given
from tests.examples.identity import ANDES, ask, carry_out, uuid

OPENED = SeatPoolOpened(account_id=ANDES, seats=INCLUDED_SEATS)


def seat(n: int, number: int | None = None) -> SeatAssigned:
    return SeatAssigned(account_id=ANDES, user_id=uuid(100 + n), number=number or n)


def assign(n: int, spent: int = 0) -> AssignSeat:
    return ask(AssignSeat, account_id=ANDES, user_id=uuid(100 + n), spent=spent)


def release(n: int, number: int | None = None) -> ReleaseSeat:
    return ask(ReleaseSeat, account_id=ANDES, user_id=uuid(100 + n), number=number or n)


def released(n: int) -> SeatReleased:
    return SeatReleased(account_id=ANDES, user_id=uuid(100 + n), number=n)


def grant(seats: int, version: int) -> RaiseSeatLimit:
    return ask(RaiseSeatLimit, account_id=ANDES, seats=seats, entitlement_version=version)


def reserve(to: int, order: int = 7) -> ReserveSeatReduction:
    return ask(ReserveSeatReduction, account_id=ANDES, order=order, to=to)


def give_up(order: int = 7) -> ReleaseSeatReduction:
    return ask(ReleaseSeatReduction, account_id=ANDES, order=order)


def apply(seats: int, version: int, order: int = 7) -> ApplySeatReduction:
    return ask(ApplySeatReduction, account_id=ANDES, order=order, seats=seats, entitlement_version=version)


def raised(to: int, version: int) -> SeatLimitRaised:
    return SeatLimitRaised(account_id=ANDES, to=to, entitlement_version=version)


def reserved(to: int, order: int = 7) -> SeatReductionReserved:
    return SeatReductionReserved(account_id=ANDES, order=order, to=to)


def blocked(to: int, active: int, order: int = 7) -> SeatReductionBlocked:
    return SeatReductionBlocked(account_id=ANDES, order=order, to=to, active=active)


def sitting(n: int) -> list[SeatAssigned]:
    return [seat(i) for i in range(1, n + 1)]


def test_a_new_account_has_the_seats_of_its_plan() -> None:
    story = given(seat_pool).when(ask(OpenSeatPool, account_id=ANDES)).then_repeating_adds_nothing()
    assert (story.state.limit, story.state.used) == (10, 0)


def test_the_first_to_sit_down_opens_a_pool_that_nobody_opened() -> None:
    given(seat_pool).when(assign(1)).then(OPENED, seat(1)).when(assign(1)).then_nothing()
    given(seat_pool).when(release(1)).then_nothing()


def test_the_eleventh_finds_no_seat_and_a_released_one_is_free_at_once() -> None:
    full = given(seat_pool, OPENED, *sitting(10))
    full.when(assign(11)).then_rejected("no-free-seat")
    full.when(assign(10)).then_nothing()
    story = full.when(release(3)).then(released(3))
    story.when(release(3)).then_nothing()
    story.when(assign(11)).then(seat(11)).when(assign(3)).then_rejected("no-free-seat")


def test_only_the_assignment_that_is_meant_is_taken_back() -> None:
    story = given(seat_pool, OPENED, seat(1)).when(assign(1, spent=1)).then(seat(1, number=2))
    assert story.state.used == 1
    story.when(release(1, number=1)).then_nothing()
    story.when(release(1, number=2)).then(SeatReleased(account_id=ANDES, user_id=uuid(101), number=2))


def test_a_spent_seat_is_taken_anew_even_in_a_full_pool() -> None:
    given(seat_pool, OPENED, *sitting(10)).when(assign(4, spent=4)).then(seat(4, number=11))


def test_the_limit_rises_by_billings_word_once() -> None:
    story = given(seat_pool, OPENED, *sitting(10)).when(grant(12, 2)).then(raised(12, 2))
    story.when(grant(12, 2)).then_nothing()
    story.when(grant(15, 1)).then_nothing()
    story.when(grant(11, 3)).then_nothing()
    story.when(assign(11)).then(seat(11))
    given(seat_pool).when(grant(12, 2)).then(OPENED, raised(12, 2))


def test_a_reduction_holds_here_before_it_holds_there() -> None:
    twelve = given(seat_pool, OPENED, raised(15, 2), *sitting(12))
    story = twelve.when(reserve(12)).then(reserved(12))
    story.when(reserve(12)).then_nothing()
    story.when(assign(13)).then_rejected("no-free-seat")
    applied = story.when(apply(12, 3)).then(
        SeatReductionApplied(account_id=ANDES, order=7, to=12, entitlement_version=3)
    )
    applied.when(apply(12, 3)).then_nothing()
    assert (applied.state.granted, applied.state.limit, applied.state.reduction) == (12, 12, None)
    applied.when(grant(15, 2)).then_nothing()


def test_a_reduction_waits_until_few_enough_people_sit_and_then_nobody_can_slip_in() -> None:
    story = given(seat_pool, OPENED, raised(15, 2), *sitting(13)).when(reserve(11)).then(blocked(11, 13))
    story.when(reserve(11)).then_nothing()
    assert story.state.limit == 15
    one = story.when(release(1)).then(released(1), blocked(11, 12))
    two = one.when(release(2)).then(released(2), reserved(11))
    two.when(assign(1)).then_rejected("no-free-seat")


def test_a_reduction_that_does_not_take_place_gives_the_limit_back() -> None:
    off = SeatReductionReleased(account_id=ANDES, order=7, limit=15)
    for end in (reserved(11), blocked(11, 12)):
        story = given(seat_pool, OPENED, raised(15, 2), end)
        story.when(give_up(order=8)).then_nothing()
        over = story.when(give_up()).then(off)
        over.when(give_up()).then_nothing()
        assert over.state.limit == 15


def test_should_billing_lower_without_asking_nobody_loses_a_seat_by_itself() -> None:
    story = given(seat_pool, OPENED, raised(15, 2), *sitting(13)).when(apply(12, 3)).then(blocked(12, 13))
    story.when(apply(12, 3)).then_nothing()
    story.when(release(1)).then(released(1), reserved(12))


class Pool(RuleBasedStateMachine):
    """Billing's words come late, twice and out of order; people sit down and get up as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.state = SeatPool()
        self.spoken: list[Any] = []
        self.entitled = [INCLUDED_SEATS]  # by entitlement version, counted from 1
        self.order = 0

    def do(self, command: Any) -> Rejected | None:
        before = self.state
        self.state, refusal = carry_out(seat_pool, command, before)
        if refusal is None:
            assert carry_out(seat_pool, command, self.state)[0] == self.state, "a repeat changed something"
        else:
            assert refusal.code == "no-free-seat"
            assert before.used >= before.limit
        return refusal

    @rule(n=st.integers(1, 20))
    def sit_down(self, n: int) -> None:
        refusal = self.do(assign(n))
        assert refusal is not None or uuid(100 + n) in self.state.seated

    @rule(n=st.integers(1, 20), late=st.booleans())
    def get_up(self, n: int, late: bool) -> None:
        number = self.state.seated.get(uuid(100 + n), 1)
        self.do(release(n, number=max(1, number - late)))

    @rule(more=st.integers(1, 8))
    def sell(self, more: int) -> None:
        self.entitled.append(self.entitled[-1] + more)
        self.spoken.append(grant(self.entitled[-1], len(self.entitled)))

    @rule(data=st.data())
    def hear_billing(self, data: st.DataObject) -> None:
        if self.spoken:
            self.do(data.draw(st.sampled_from(self.spoken)))

    @precondition(lambda self: self.state.reduction is None)
    @rule(fewer=st.integers(1, 8))
    def lower(self, fewer: int) -> None:
        self.order += 1
        self.do(reserve(max(0, self.entitled[-1] - fewer), self.order))

    @precondition(lambda self: self.state.reduction is not None)
    @rule()
    def lower_no_more(self) -> None:
        self.do(give_up(self.order))
        assert self.state.reduction is None

    @precondition(lambda self: self.state.reduction is not None and self.state.reduction.reserved)
    @rule()
    def lowered(self) -> None:
        assert self.state.reduction is not None
        self.entitled.append(self.state.reduction.to)
        words = apply(self.entitled[-1], len(self.entitled), self.order)
        self.spoken.append(words)
        self.do(words)
        assert self.state.reduction is None

    @invariant()
    def nobody_sits_without_a_seat(self) -> None:
        assert self.state.used <= self.state.limit <= self.entitled[-1]

    @invariant()
    def what_holds_here_was_once_sold_and_an_older_word_changes_nothing(self) -> None:
        version = self.state.entitlement_version
        assert self.state.granted == (self.entitled[version - 1] if version else INCLUDED_SEATS)

    @invariant()
    def nobody_has_the_seat_of_another(self) -> None:
        assert len(set(self.state.seated.values())) == self.state.used

    @invariant()
    def a_reduction_that_could_hold_holds(self) -> None:
        waiting = self.state.reduction
        assert waiting is None or waiting.reserved or self.state.used > waiting.to


TestPool = Pool.TestCase
TestPool.settings = settings(max_examples=60, stateful_step_count=40)
