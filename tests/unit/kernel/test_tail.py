"""One reading of the log for many followers: each still sees all of it, in order, and nothing is kept for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel import tail
from services.kernel.commit import Commit, StoredEvent
from services.kernel.keyring import SqliteKeyring
from services.kernel.memory import MemoryCommitStore
from services.kernel.registry import Registry, UnknownEvent
from services.kernel.tail import Head, Recent, Watch
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


@settings(max_examples=150)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["append", "read", "wait"]), st.integers(0, 3), st.integers(1, 5)),
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
            elif step == "wait":
                patched.setattr(tail, "KEPT_SECONDS", -1.0 if who % 2 else 3600.0)
            else:
                batch: Sequence[Commit] = recent.after(len(followers[who]), count)
                assert len(batch) <= count
                assert batch or len(followers[who]) == store.head(), "a follower is told that there is nothing more"
                followers[who] += [c.position for c in batch]
        assert all(seen == list(range(1, store.head() + 1)) for seen in followers.values())


def test_followers_that_are_close_together_cost_one_reading() -> None:
    store = Counting()
    grown(store, 10)
    recent = Recent(store, REGISTRY)
    for _ in range(5):
        assert len(recent.after(0, 100)) == 10
    assert store.asked == 1


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


@contextmanager
def watched(store: MemoryCommitStore, *categories: str) -> Iterator[list[Watch]]:
    """One watch for each category, while a thread looks at the log."""
    stop = threading.Event()
    head = Head(Recent(store, REGISTRY), stop)
    watches = [head.watch([category]) for category in categories]
    thread = threading.Thread(target=head.run)
    thread.start()
    try:
        while head.began is None:
            time.sleep(0.001)
        yield watches
    finally:
        stop.set()
        thread.join(5)
    assert not thread.is_alive()


def of_category(store: MemoryCommitStore, category: str) -> int:
    given = commit(stream(f"s{store.head()}"))
    names = {name: getattr(given, name) for name in given.__slots__}
    return store.append(Commit(**names | {"category": category})).position


def test_a_follower_is_woken_by_what_concerns_it_and_passes_over_the_rest() -> None:
    store = MemoryCommitStore()
    with watched(store, "parcel", "depot") as (parcels, depots):
        assert not parcels.wait(0, 0.05)
        began = time.monotonic()
        position = of_category(store, "parcel")
        assert parcels.wait(0, 5)
        assert time.monotonic() - began < 1
        assert (parcels.passed(0), parcels.passed(position)) == (0, position)
        assert not depots.wait(0, 0.05)
        assert depots.passed(0) == position
        assert of_category(store, "depot") == 2
        assert depots.wait(position, 5)
        assert depots.passed(position) == position, "a fact that it is to read was passed over"
        assert not parcels.wait(position, 0.05)


def test_who_is_behind_where_the_looking_began_reads_on_by_himself() -> None:
    store = MemoryCommitStore()
    grown(store, 3)
    with watched(store, "depot") as (depots,):
        assert depots.wait(1, 0.05)
        assert depots.passed(1) == 1
        assert not depots.wait(3, 0.05)


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["parcel", "depot", "van"]), max_size=30))
def test_whatever_comes_each_follower_meets_all_of_its_own(categories: list[str]) -> None:
    store = MemoryCommitStore()
    kinds = ("parcel", "depot", "van")
    with watched(store, *kinds) as watches:
        met: dict[str, list[int]] = {kind: [] for kind in kinds}

        def follow(kind: str, watch: Watch) -> None:
            position, until = 0, time.monotonic() + 5
            while position < len(categories) and time.monotonic() < until:
                if watch.wait(position, 0.005):
                    for one in store.after(position, 3):
                        position = one.position
                        met[kind] += [position] * (one.category == kind)
                else:
                    position = watch.passed(position)

        threads = [threading.Thread(target=follow, args=pair) for pair in zip(kinds, watches, strict=True)]
        for thread in threads:
            thread.start()
        for category in categories:
            of_category(store, category)
        for thread in threads:
            thread.join(10)
    assert met == {kind: [n for n, c in enumerate(categories, 1) if c == kind] for kind in kinds}


def test_nobody_waits_when_the_process_is_to_stop() -> None:
    with watched(MemoryCommitStore(), "depot") as (depots,):
        waiting = threading.Thread(target=depots.wait, args=(0, 30))
        waiting.start()
    waiting.join(5)
    assert not waiting.is_alive()
