"""A commit's stored form: everything comes back, nothing is missing, and what cannot be stored is found out before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.commit import LARGEST_COMMIT, Commit, NotStorable, StoredEvent, storable, stream_of
from tests.support.commits import AT, commit, stream

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
KEYS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
EVENTS = st.builds(
    StoredEvent,
    type=TEXT,
    v=st.integers(1, 9),
    data=st.dictionaries(KEYS, VALUES, max_size=5),
    sealed=st.lists(
        st.fixed_dictionaries({"scope": TEXT, "key": st.integers(1, 5), "nonce": st.binary(), "ct": st.binary()}),
        max_size=2,
    ).map(tuple),
)


def through_the_database(given: Commit, **options: Any) -> Commit:
    """Written and read back as a driver does it."""
    return Commit.from_document(bson.decode(bson.encode(given.to_document()), CodecOptions(**options)))


@given(events=st.lists(EVENTS, min_size=1, max_size=3), origin=st.none() | TEXT, position=st.integers(1, 2**62))
def test_whatever_is_stored_comes_back(events: list[StoredEvent], origin: str | None, position: int) -> None:
    made = replace(commit(stream("a"), 7), events=tuple(events), origin=origin, position=position)
    assert through_the_database(made, tz_aware=True) == made
    assert storable(made) is made


def test_time_is_read_as_utc_whoever_reads_it() -> None:
    bogota = timezone(timedelta(hours=-5))
    made = replace(commit(stream("a")), at=datetime(2026, 11, 23, 8, tzinfo=bogota))
    for aware in (True, False):
        assert through_the_database(made, tz_aware=aware).at == AT
        assert through_the_database(made, tz_aware=aware).at.utcoffset() == timedelta()


def test_the_document_names_its_place_in_log_and_stream() -> None:
    document = commit(stream("a"), 7, facts=3).placed(11).to_document()
    assert (document["_id"], document["version"], document["next"]) == (11, 7, 10)
    assert isinstance(document["_id"], bson.Int64)
    assert commit(stream("a"), 7, facts=3).last_version == 9


def test_the_category_stands_before_the_first_dash() -> None:
    assert stream_of("parcel", "t-1", "p-2").split("-", 1)[0] == "parcel"


def test_a_commit_may_be_large_but_not_too_large() -> None:
    storable(commit(stream("a"), much="x" * (LARGEST_COMMIT - 2_000)))
    with pytest.raises(NotStorable, match="bytes"):
        storable(commit(stream("a"), much="x" * LARGEST_COMMIT))
