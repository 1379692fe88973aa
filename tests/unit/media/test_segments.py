"""An upload is put together of the segments that lie in the store, whatever else lies there."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from services.kernel.segments import Segment, covered, covering
from services.media import segments
from tests.support.bucket import Store

CONTENT = bytes(range(200))
pieces = st.lists(
    st.tuples(st.integers(0, 199), st.integers(0, 60)).map(lambda p: Segment(p[0], min(p[1], 200 - p[0]), f"k{p}")),
    max_size=25,
)


@given(pieces)
def test_the_content_is_put_together_of_those_that_are_needed(found: list[Segment]) -> None:
    store = Store()
    for segment in found:
        data = CONTENT[segment.offset : segment.end]
        store.put_object("in", segment.key, io.BytesIO(data), len(data))
    assert b"".join(segments.content(store, "in", covering(found))) == CONTENT[: covered(found)]


def test_the_segments_of_one_upload_are_found_and_no_others() -> None:
    store = Store()
    for key in ("acme/u/000000000000003-b", "acme/u/000000000000000-a", "acme/u2/000000000000000-a", "acme/u/junk"):
        store.put_object("in", key, io.BytesIO(b"abc"), 3)
    found = segments.found(store, "in", "acme", "u")
    assert (len(found), covered(found)) == (2, 6)
