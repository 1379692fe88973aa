"""A number range is what the tax authority allows a prefix to number: authorisations, cut into small blocks.

Numbers are handed out by the blocks (see `number_block`), one block after the other, so that a range of any
size stays quick and no number is ever left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, assert_never

from pydantic import Field

from services.billing.domain.calendar import local_day
from services.billing.domain.values import Line, Prefix
from services.kernel.domain import Command, Decider, Event, Rejected

LARGEST_BLOCK = 100
BLOCKS_AT_LEAST = 20
LOW_PER_CENT = 10
EXPIRES_IN_DAYS = 30


class RangeAuthorised(Event):
    """The authority allows these numbers from one day until another."""

    prefix: str
    resolution: str
    first: int
    last: int
    valid_from: date
    valid_to: date


class NumberBlockOpened(Event):
    """The next numbers, to be given out in their order."""

    prefix: str
    block: int
    first: int
    last: int
    resolution: str


class NumberRangeLow(Event):
    """A tenth of the numbers or less is left: a new authorisation is needed."""

    prefix: str
    resolution: str
    left: int


class NumberRangeExpiring(Event):
    """The authorisation ends within thirty days: a new one is needed."""

    prefix: str
    resolution: str
    valid_to: date


RangeEvent = RangeAuthorised | NumberBlockOpened | NumberRangeLow | NumberRangeExpiring


class AuthoriseRange(Command):
    """Enter what the authority has allowed."""

    prefix: Prefix
    resolution: Line
    first: Annotated[int, Field(ge=1, le=999_999_999)]
    last: Annotated[int, Field(ge=1, le=999_999_999)]
    valid_from: date
    valid_to: date


class OpenBlock(Command):
    """Give the block after this one."""

    prefix: Prefix
    after: int


class CheckRange(Command):
    """See whether a new authorisation is needed."""

    prefix: Prefix


RangeCommand = AuthoriseRange | OpenBlock | CheckRange


@dataclass(frozen=True, slots=True)
class NumberRange:
    """`blocks` in the order of their opening; numbers of one authorisation are never mixed with another's."""

    authorised: tuple[RangeAuthorised, ...] = ()
    blocks: tuple[NumberBlockOpened, ...] = ()
    low: frozenset[str] = frozenset()
    expiring: frozenset[str] = frozenset()

    @property
    def current(self) -> NumberBlockOpened | None:
        """The block that numbers come from."""
        return self.blocks[-1] if self.blocks else None

    def used_up_to(self, authorised: RangeAuthorised) -> int:
        """The last number of this authorisation that lies in a block."""
        return max(
            (block.last for block in self.blocks if block.resolution == authorised.resolution),
            default=authorised.first - 1,
        )


initial_state = NumberRange()


def decide(command: RangeCommand, state: NumberRange) -> list[RangeEvent]:
    """What a request to this range leads to."""
    match command:
        case AuthoriseRange():
            return _authorise(command, state)
        case OpenBlock(after=after):
            if len(state.blocks) > after:
                return []
            return _open(command.prefix, local_day(command.at), state)
        case CheckRange(prefix=prefix):
            return _alarms(prefix, local_day(command.at), state)
        case _:
            assert_never(command)


def _authorise(command: AuthoriseRange, state: NumberRange) -> list[RangeEvent]:
    wanted = RangeAuthorised.model_validate(command.model_dump(exclude={"at", "by"}))
    if wanted in state.authorised:
        return []
    if command.last < command.first or command.valid_to < command.valid_from:
        raise Rejected("range-invalid")
    for other in state.authorised:
        if command.resolution == other.resolution or (command.first <= other.last and other.first <= command.last):
            raise Rejected("range-overlaps", resolution=other.resolution)
    return [wanted]


def _open(prefix: str, today: date, state: NumberRange) -> list[RangeEvent]:
    if not state.authorised:
        raise Rejected("range-not-set", prefix=prefix)
    left = [(a, state.used_up_to(a)) for a in state.authorised if state.used_up_to(a) < a.last]
    if not left:
        raise Rejected("range-exhausted", prefix=prefix)
    valid = [(a, used) for a, used in left if a.valid_from <= today <= a.valid_to]
    if not valid:
        raise Rejected("range-expired", prefix=prefix)
    authorised, used = valid[0]
    size = max(1, min(LARGEST_BLOCK, (authorised.last - authorised.first + 1) // BLOCKS_AT_LEAST))
    opened = NumberBlockOpened(
        prefix=prefix,
        block=len(state.blocks) + 1,
        first=used + 1,
        last=min(used + size, authorised.last),
        resolution=authorised.resolution,
    )
    return [opened, *_alarms(prefix, today, evolve(state, opened))]


def _alarms(prefix: str, today: date, state: NumberRange) -> list[RangeEvent]:
    """Of the authorisation in use: a tenth left, or thirty days, each said once."""
    alarms: list[RangeEvent] = []
    current = state.current
    for authorised in state.authorised:
        left = authorised.last - state.used_up_to(authorised)
        # Numbers of the open block count as used: an alarm may come early, never late.
        in_use = current is None or current.resolution == authorised.resolution
        if not in_use:
            continue
        if (
            authorised.resolution not in state.low
            and left * 100 <= (authorised.last - authorised.first + 1) * LOW_PER_CENT
        ):
            alarms.append(NumberRangeLow(prefix=prefix, resolution=authorised.resolution, left=left))
        if authorised.resolution not in state.expiring and (authorised.valid_to - today).days <= EXPIRES_IN_DAYS:
            alarms.append(
                NumberRangeExpiring(prefix=prefix, resolution=authorised.resolution, valid_to=authorised.valid_to)
            )
    return alarms


def evolve(state: NumberRange, event: RangeEvent) -> NumberRange:
    """The range after one more fact."""
    match event:
        case RangeAuthorised():
            return replace(state, authorised=(*state.authorised, event))
        case NumberBlockOpened():
            return replace(state, blocks=(*state.blocks, event))
        case NumberRangeLow(resolution=resolution):
            return replace(state, low=state.low | {resolution})
        case NumberRangeExpiring(resolution=resolution):
            return replace(state, expiring=state.expiring | {resolution})
        case _:
            assert_never(event)


number_range = Decider(
    "number_range",
    initial_state,
    decide,
    evolve,
    events={
        "RangeAuthorised": RangeAuthorised,
        "NumberBlockOpened": NumberBlockOpened,
        "NumberRangeLow": NumberRangeLow,
        "NumberRangeExpiring": NumberRangeExpiring,
    },
)
