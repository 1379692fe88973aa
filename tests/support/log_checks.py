"""What must hold of a log under load; the same checks prove the kernel and convict its mutants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from services.kernel.commit import Commit, VersionConflict
from services.kernel.store import CommitStore, GapInLog
from tests.support.commits import commit, stream
from tests.support.threads import each_at_once


def assert_well_formed(log: Sequence[Commit]) -> None:
    """Positions 1..N, versions of every stream 1..n without overlap, every commit id once."""
    assert [c.position for c in log] == list(range(1, len(log) + 1)), "positions are not 1..N"
    following: dict[str, int] = {}
    for c in log:
        assert c.version == following.get(c.stream, 1), f"{c.stream}: version {c.version} does not follow"
        following[c.stream] = c.last_version + 1
    assert len({c.commit_id for c in log}) == len(log), "a commit id is stored twice"


def whole_log(store: CommitStore, page: int = 1_000) -> list[Commit]:
    """Every commit, read as the relay reads."""
    log: list[Commit] = []
    while more := store.after(len(log), page):
        log += more
    return log


def check_racing_writers(open_store: Callable[[], CommitStore], writers: int, each: int, stores: int = 2) -> None:
    """Writers of several processes race; a reader that follows meanwhile must see all of it, in order.

    Odd writers add to streams of their own, even ones fight for a common one. The final log alone would
    not convict a store whose commits become visible out of order: only the tailing reader does.
    """
    opened = [open_store() for _ in range(stores)]
    reader, done, seen, failed = open_store(), threading.Event(), [], []

    def follow() -> None:
        position = 0
        try:
            while True:
                last_look = done.is_set()
                batch = reader.after(position, 50)
                seen.extend(batch)
                if batch:
                    position = batch[-1].position
                elif last_look:
                    return
        except GapInLog as gap:
            failed.append(gap)

    def write(writer: int) -> list[Commit]:
        store, stored = opened[writer % stores], []
        own = stream("common" if writer % 2 == 0 else f"own-{writer}")
        for n in range(each):
            id, facts = f"w{writer}/{n}", 1 + (writer + n) % 3
            while True:
                before = store.load(own)
                try:
                    stored.append(
                        store.append(commit(own, before[-1].last_version + 1 if before else 1, facts=facts, id=id))
                    )
                    break
                except VersionConflict:
                    continue
        return stored

    following = threading.Thread(target=follow)
    following.start()
    try:
        written = [c for result in each_at_once([lambda w=w: write(w) for w in range(writers)]) for c in result]
    finally:
        done.set()
        following.join()
    assert not failed, f"the reader met a gap: {failed[0]}"
    assert len(written) == writers * each
    assert_well_formed(seen)
    assert {c.position: c for c in written} == {c.position: c for c in seen}, "acknowledged and seen differ"


def check_commit_ids(open_store: Callable[[], CommitStore]) -> None:
    """A commit id is stored once: whatever stream, version or content it comes with, the stored commit answers."""
    one, other = open_store(), open_store()
    first = one.append(commit(stream("a"), id="same"))
    one.append(commit(stream("a"), 2))
    for again in (commit(stream("a"), id="same"), commit(stream("a"), 3, id="same"), commit(stream("b"), id="same")):
        assert other.append(again) == first, "a commit id was stored twice"
    assert one.head() == 2
    assert_well_formed(whole_log(one))
