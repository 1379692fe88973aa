"""Numbers follow each other without a gap, each document has one, and the next authorisation is asked for in time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from services.billing.domain.number_block import (
    AllocateNumber,
    CloseBlock,
    NumberAllocated,
    NumberBlockClosed,
    number_block,
)
from services.billing.domain.number_range import (
    AuthoriseRange,
    CheckRange,
    NumberBlockOpened,
    NumberRangeExpiring,
    NumberRangeLow,
    OpenBlock,
    RangeAuthorised,
    number_range,
)
from services.kernel.testing.given import given
from tests.examples.billing import uuid

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
FIELDS = {
    "prefix": "CHK",
    "resolution": "R1",
    "first": 1,
    "last": 40,
    "valid_from": date(2026, 1, 1),
    "valid_to": date(2026, 12, 31),
}
AUTHORISED = RangeAuthorised(**FIELDS)


def authorise(**changes: Any) -> AuthoriseRange:
    return AuthoriseRange(at=NOW, by="x", **FIELDS | changes)


def open_block(after: int, at: datetime = NOW) -> OpenBlock:
    return OpenBlock(at=at, by="x", prefix="CHK", after=after)


def block(number: int, first: int, last: int, resolution: str = "R1") -> NumberBlockOpened:
    return NumberBlockOpened(prefix="CHK", block=number, first=first, last=last, resolution=resolution)


def test_a_range_is_authorised_once() -> None:
    given(number_range).when(authorise()).then(AUTHORISED).when(authorise()).then_nothing()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"resolution": "R2", "first": 40, "last": 50}, "range-overlaps"),
        ({"first": 41, "last": 50}, "range-overlaps"),
        ({"resolution": "R2", "first": 60, "last": 50}, "range-invalid"),
        ({"resolution": "R2", "first": 41, "last": 50, "valid_to": date(2025, 1, 1)}, "range-invalid"),
    ],
)
def test_ranges_do_not_overlap(changes: dict[str, Any], code: str) -> None:
    given(number_range, AUTHORISED).when(authorise(**changes)).then_rejected(code)


def test_blocks_follow_each_other() -> None:
    first = given(number_range, AUTHORISED).when(open_block(0)).then(block(1, 1, 2))
    first.when(open_block(0)).then_nothing()
    first.when(open_block(1)).then(block(2, 3, 4))


def test_no_numbers_without_authorisation() -> None:
    given(number_range).when(open_block(0)).then_rejected("range-not-set")
    late = datetime(2027, 1, 2, 15, tzinfo=UTC)
    given(number_range, AUTHORISED).when(open_block(0, late)).then_rejected("range-expired")
    used = [AUTHORISED, block(1, 1, 40)]
    given(number_range, *used).when(open_block(1)).then_rejected("range-exhausted")


def test_the_next_authorisation_goes_on_where_it_says() -> None:
    more = RangeAuthorised(**FIELDS | {"resolution": "R2", "first": 100, "last": 119})
    given(number_range, AUTHORISED, block(1, 1, 40), more).when(open_block(1)).then(block(2, 100, 100, "R2"))


def test_a_tenth_left_raises_the_alarm_once() -> None:
    used = [AUTHORISED, block(1, 1, 34)]
    low = (
        given(number_range, *used)
        .when(open_block(1))
        .then(block(2, 35, 36), NumberRangeLow(prefix="CHK", resolution="R1", left=4))
    )
    low.when(open_block(2)).then(block(3, 37, 38))


def test_thirty_days_before_the_end_the_alarm_is_raised_once() -> None:
    check = CheckRange(at=datetime(2026, 12, 1, 15, tzinfo=UTC), by="x", prefix="CHK")
    given(number_range, AUTHORISED).when(check.model_copy(update={"at": NOW})).then_nothing()
    given(number_range, AUTHORISED).when(check).then(
        NumberRangeExpiring(prefix="CHK", resolution="R1", valid_to=date(2026, 12, 31))
    ).when(check).then_nothing()


def allocate(document: int, last: int = 3) -> AllocateNumber:
    return AllocateNumber(at=NOW, by="x", prefix="CHK", block=1, first=1, last=last, document_id=uuid(document))


def test_each_document_gets_the_next_number_and_always_the_same() -> None:
    one = (
        given(number_block)
        .when(allocate(1))
        .then(NumberAllocated(prefix="CHK", block=1, document_id=uuid(1), number=1))
    )
    one.when(allocate(1)).then_nothing()
    one.when(allocate(2)).then(NumberAllocated(prefix="CHK", block=1, document_id=uuid(2), number=2))


def test_a_full_block_says_so_but_knows_its_documents() -> None:
    full = given(number_block).when(allocate(1, last=1)).then_repeating_adds_nothing()
    full.when(allocate(2, last=1)).then_rejected("block-full")
    full.when(allocate(1, last=1)).then_nothing()


def test_a_block_whose_authorisation_has_ended_gives_nothing_any_more() -> None:
    close = CloseBlock(at=NOW, by="x", prefix="CHK", block=1, first=1, last=3)
    closed = given(number_block).when(close).then(NumberBlockClosed(prefix="CHK", block=1, unused=3))
    closed.when(close).then_nothing()
    closed.when(allocate(1)).then_rejected("block-full")
    given(number_block).when(allocate(1, last=1)).then_repeating_adds_nothing().when(
        close.model_copy(update={"last": 1})
    ).then_nothing()


@settings(max_examples=60)
@examples(st.integers(min_value=1, max_value=300), st.lists(st.integers(min_value=0, max_value=60), max_size=120))
def test_numbers_are_gap_free_and_unique_whatever_is_asked_again(size: int, documents: list[int]) -> None:
    range_state: Any = number_range.replay([RangeAuthorised(**FIELDS | {"last": size})])
    blocks: list[Any] = []
    given_out: dict[int, int] = {}
    for document in documents:
        if document in given_out:
            continue
        while True:
            if not blocks or len(blocks[-1][1].numbers) > blocks[-1][0].last - blocks[-1][0].first:
                if sum(len(b[1].numbers) for b in blocks) == size:
                    return
                facts = number_range.decide(open_block(len(blocks)), range_state)
                range_state = number_range.replay(facts, range_state)
                blocks.append([range_state.current, number_block.initial_state])
            opened, state = blocks[-1]
            ask = allocate(document).model_copy(update={"first": opened.first, "last": opened.last})
            state = number_block.replay(number_block.decide(ask, state), state)
            blocks[-1][1] = state
            given_out[document] = state.numbers[uuid(document)]
            break
        assert sorted(given_out.values()) == list(range(1, len(given_out) + 1))
