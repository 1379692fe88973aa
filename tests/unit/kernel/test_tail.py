"""One reading of the log for many followers: each still sees all of it, in order, and nothing is kept for long."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel import tail
from services.kernel.commit import Commit, StoredEvent
from services.kernel.keyring import SqliteKeyring
from services.kernel.memory import MemoryCommitStore
from services.kernel.registry import Registry, UnknownEvent
from services.kernel.tail import Recent
from tests.examples.kernel import ParcelMoved, parcel
from tests.support.commits import commit, stream

KEYRING = SqliteKeyring(None, b"k" * 32)
REGISTRY = Registry("parcels", [parcel])


class Counting(MemoryCommitStore):
    """Counts how often it is asked."""

    asked = 0

    def after(self, position: int, limit: int) -> list[Commit]:
        self.asked += 1
        return super().after(position, limit)


def grown(store: MemoryCommitStore, count: int) -> None:
    for _ in range(count):
        store.append(commit(stream(f"s{store.head()}")))


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["append", "look", "read", "wait"]), st.integers(0, 3), st.integers(1, 5)),
        max_size=40,
    ),
    kept=st.integers(1, 6),
)
def test_every_follower_reads_the_whole_log_in_order(steps: list[tuple[str, int, int]], kept: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tail, "KEPT", kept)
        patched.setattr(tail, "KEPT_SECONDS", 3600.0)
        store = MemoryCommitStore()
        recent = Recent(store, REGISTRY)
        followers: dict[int, list[int]] = {n: [] for n in range(4)}
        for step, who, count in [*steps, *[("read", n, 100) for n in range(4)] * 30]:
            if step == "append":
                grown(store, count)
            elif step == "look":
                assert recent.look() <= store.head()
            elif step == "wait":
                patched.setattr(tail, "KEPT_SECONDS", -1.0 if who % 2 else 3600.0)
            else:
                batch: Sequence[Commit] = recent.after(len(followers[who]), count)
                assert len(batch) <= count
                assert batch or len(followers[who]) == store.head(), "a follower is told that there is nothing more"
                followers[who] += [c.position for c in batch]
        assert all(seen == list(range(1, store.head() + 1)) for seen in followers.values())
        assert [recent.look() for _ in range(store.head() + 2)][-1] == store.head()


def test_followers_that_are_close_together_cost_one_reading() -> None:
    store = Counting()
    grown(store, 10)
    recent = Recent(store, REGISTRY)
    for _ in range(5):
        assert len(recent.after(0, 100)) == 10
    assert store.asked == 1


def test_who_looks_where_the_log_ends_reads_it_for_the_followers() -> None:
    store = Counting()
    grown(store, 3)
    recent = Recent(store, REGISTRY)
    assert recent.look() == 3
    grown(store, 4)
    assert recent.look() == 7
    asked = store.asked
    assert [commit.position for commit in recent.after(3, 100)] == [4, 5, 6, 7]
    assert [commit.position for commit in recent.after(5, 1)] == [6]
    assert store.asked == asked, "a follower read what had just been read"
    assert [commit.position for commit in recent.after(1, 100)] == [2, 3, 4, 5, 6, 7], "one further behind"
    assert recent.look() == 7


def test_nothing_typed_is_kept_for_longer_than_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "KEPT_SECONDS", 0.05)
    store = MemoryCommitStore()
    event = REGISTRY.encode(
        ParcelMoved(parcel_id="1", step=1),
        category="parcel",
        stream=stream("a"),
        version=1,
        tenant="t",
        keyring=KEYRING,
    )
    given = commit(stream("a"))
    stored = store.append(Commit(**{name: getattr(given, name) for name in given.__slots__} | {"events": (event,)}))
    recent = Recent(store, REGISTRY)
    recent.after(0, 10)
    (fact,) = recent.followed(stored, KEYRING)
    assert recent.followed(stored, KEYRING)[0] is fact
    time.sleep(0.06)
    recent.after(1, 10)
    assert recent.followed(stored, KEYRING)[0] is not fact
    assert recent.followed(stored, KEYRING)[0] == fact


def test_what_only_newer_code_knows_is_raised_every_time() -> None:
    store = MemoryCommitStore()
    given = commit(stream("a"))
    names = {name: getattr(given, name) for name in given.__slots__}
    stored = store.append(Commit(**names | {"events": (StoredEvent("Flown", 1, {}),)}))
    recent = Recent(store, REGISTRY)
    for _ in range(2):
        recent.after(0, 10)
        with pytest.raises(UnknownEvent):
            recent.followed(stored, KEYRING)
