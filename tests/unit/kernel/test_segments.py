"""Segments cover an upload in whatever order and pieces they come, and none is ever lost again."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.kernel.segments import FORM, Segment, covered, covering, folder, new_name, segment_of

pieces = st.lists(st.builds(Segment, st.integers(0, 199), st.integers(0, 60)), max_size=25)


@given(pieces)
def test_every_byte_before_is_there_and_the_next_is_not(found: list[Segment]) -> None:
    there = {byte for each in found for byte in range(each.offset, each.end)}
    reached = covered(found)
    assert set(range(reached)) <= there
    assert reached not in there


@given(pieces, st.randoms(use_true_random=False))
def test_it_never_sinks_in_whatever_order_they_come(found: list[Segment], dice: Random) -> None:
    dice.shuffle(found)
    reached = [covered(found[:n]) for n in range(len(found) + 1)]
    assert reached == sorted(reached)
    assert covered(reversed(found)) == reached[-1]


@given(pieces)
def test_those_that_are_needed_cover_as_much_as_all(found: list[Segment]) -> None:
    chain = covering(found)
    assert covered(chain) == covered(found)
    assert all(a.end < b.end and a.offset <= b.offset <= a.end for a, b in pairwise(chain))


@given(st.integers(0, 10**15 - 1), st.integers(1, 2**30))
def test_a_name_says_where_it_begins(offset: int, size: int) -> None:
    key = f"{folder('account', 'upload')}/{new_name(offset)}"
    assert segment_of(key, size) == Segment(offset, size, key)


def test_names_sort_by_offset_and_are_never_the_same() -> None:
    assert new_name(9) < new_name(10) < new_name(2**40)
    assert new_name(7) != new_name(7)
    assert segment_of(f"account/upload/{FORM}", 5) == Segment(0, 5, f"account/upload/{FORM}")


def test_only_what_is_named_like_a_segment_is_one() -> None:
    key = "acme/u/000000000000042-Ab_9"
    assert segment_of(key, 7) == Segment(42, 7, key)
    for name in ("acme/u/42-a", "acme/u/000000000000042", "acme/u/000000000000042-", "acme/u/x"):
        assert segment_of(name, 7) is None
