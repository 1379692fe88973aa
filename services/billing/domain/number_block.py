"""A number block gives its numbers out in order, one to each document, the same one whenever it is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from services.billing.domain.values import Id, Prefix
from services.kernel.domain import Command, Decider, Event, Rejected


class NumberAllocated(Event):
    """The next number belongs to this document."""

    prefix: str
    block: int
    document_id: str
    number: int


class NumberBlockClosed(Event):
    """The authorisation ended before the block was used up: its remaining numbers are never given out."""

    prefix: str
    block: int
    unused: int


BlockEvent = NumberAllocated | NumberBlockClosed


class AllocateNumber(Command):
    """Give this document its number; `first` and `last` are the block's own."""

    prefix: Prefix
    block: int
    first: int
    last: int
    document_id: Id


class CloseBlock(Command):
    """The authorisation has ended."""

    prefix: Prefix
    block: int
    first: int
    last: int


BlockCommand = AllocateNumber | CloseBlock


@dataclass(frozen=True, slots=True)
class NumberBlock:
    """Which document has which number."""

    numbers: Mapping[str, int] = field(default_factory=dict)
    closed: bool = False


initial_state = NumberBlock()


def decide(command: BlockCommand, state: NumberBlock) -> list[BlockEvent]:
    """The next number, or nothing for a document that has one. Raises Rejected("block-full")."""
    size = command.last - command.first + 1
    match command:
        case CloseBlock(prefix=prefix, block=block):
            if state.closed or len(state.numbers) == size:
                return []
            return [NumberBlockClosed(prefix=prefix, block=block, unused=size - len(state.numbers))]
        case AllocateNumber(prefix=prefix, block=block, document_id=document_id):
            if document_id in state.numbers:
                return []
            if state.closed or len(state.numbers) == size:
                raise Rejected("block-full", block=block)
            number = command.first + len(state.numbers)
            return [NumberAllocated(prefix=prefix, block=block, document_id=document_id, number=number)]
        case _:
            assert_never(command)


def evolve(state: NumberBlock, event: BlockEvent) -> NumberBlock:
    """The block after one more fact."""
    match event:
        case NumberAllocated(document_id=document_id, number=number):
            return replace(state, numbers={**state.numbers, document_id: number})
        case NumberBlockClosed():
            return replace(state, closed=True)
        case _:
            assert_never(event)


number_block = Decider(
    "number_block",
    initial_state,
    decide,
    evolve,
    events={"NumberAllocated": NumberAllocated, "NumberBlockClosed": NumberBlockClosed},
)
