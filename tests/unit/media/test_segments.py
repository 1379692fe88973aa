"""Segments cover an upload in whatever order and pieces they come, and nothing that came is ever lost again."""

from __future__ import annotations

import io
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.media import segments
from services.media.segments import Segment, covered, covering, segment_of
from tests.support.bucket import Store

CONTENT = bytes(range(200))
pieces = st.lists(
    st.tuples(st.integers(0, 199), st.integers(0, 60)).map(lambda p: Segment(f"k{p}", p[0], min(p[1], 200 - p[0]))),
    max_size=25,
)


def reached(found: list[Segment]) -> int:
    """The same in the plainest way."""
    have = {byte for segment in found for byte in range(segment.offset, segment.end)}
    return next(byte for byte in range(201) if byte not in have)


@given(pieces)
def test_what_is_covered_ends_at_the_first_hole(found: list[Segment]) -> None:
    assert covered(found) == reached(found)


@given(pieces, pieces)
def test_more_segments_never_cover_less(some: list[Segment], more: list[Segment]) -> None:
    assert covered([*some, *more]) >= covered(some)


@given(pieces)
def test_the_content_is_put_together_of_those_that_are_needed(found: list[Segment]) -> None:
    store = Store()
    for segment in found:
        data = CONTENT[segment.offset : segment.end]
        store.put_object("in", segment.key, io.BytesIO(data), len(data))
    chain = covering(found)
    assert b"".join(segments.content(store, "in", chain)) == CONTENT[: covered(found)]
    assert all(a.end < b.end and a.offset <= b.offset for a, b in pairwise(chain))


def test_only_what_is_named_like_a_segment_is_one() -> None:
    assert segment_of("acme/u/000000000000042-Ab_9", 7) == Segment("acme/u/000000000000042-Ab_9", 42, 7)
    assert segment_of("acme/u/000000000000000-form", 7) == Segment("acme/u/000000000000000-form", 0, 7)
    for name in ("acme/u/42-a", "acme/u/000000000000042", "acme/u/000000000000042-", "acme/u/x"):
        assert segment_of(name, 7) is None


def test_the_segments_of_one_upload_are_found_and_no_others() -> None:
    store = Store()
    for key in ("acme/u/000000000000003-b", "acme/u/000000000000000-a", "acme/u2/000000000000000-a", "acme/u/junk"):
        store.put_object("in", key, io.BytesIO(b"abc"), 3)
    found = segments.found(store, "in", "acme", "u")
    assert (len(found), covered(found)) == (2, 6)
