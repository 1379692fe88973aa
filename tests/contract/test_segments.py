"""What the gateway stores of an upload is what the media service puts together: both read the same names alike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.receiving import covering as door
from services.media import segments as inside

UPLOAD = ("acme", "01936f5e-7c1a-7d2e-9f43-2b7a6c1d0e55")
pieces = st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**6)), max_size=20)


@given(pieces)
def test_both_know_how_far_an_upload_has_come(found: list[tuple[int, int]]) -> None:
    stored = [(door.folder(*UPLOAD) + door.new_name(offset), length) for offset, length in found]
    read = [inside.segment_of(key, length) for key, length in stored]
    assert [(one.offset, one.length) for one in read if one is not None] == found
    reached = door.covered(door.Segment.stored(key, length) for key, length in stored)
    assert inside.covered(one for one in read if one is not None) == reached


def test_both_look_in_the_same_place() -> None:
    assert door.folder(*UPLOAD) == f"{inside.folder_of(*UPLOAD)}/"
    form = inside.segment_of(door.folder(*UPLOAD) + door.FORM, 7)
    assert form is not None
    assert (form.offset, form.length) == (0, 7)
