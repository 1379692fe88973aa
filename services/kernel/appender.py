"""Group commit: writers that arrive together share one insert, and each gets its own answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.kernel import faults
from services.kernel.commit import Commit, StoreUnavailable, VersionConflict
from services.kernel.together import Together


@dataclass(frozen=True, slots=True)
class Taken:
    """The stream's version is taken by another commit."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The store could not be asked in time."""

    why: Exception


Outcome = Commit | Taken | Unknown


class Appender:
    """Turns many concurrent `append` calls into few ordered batches, one at a time per process."""

    def __init__(self, insert: Callable[[Sequence[Commit]], Sequence[Outcome]]) -> None:
        self._insert = insert
        self._together: Together[Commit, Outcome] = Together(self._at_once)

    @property
    def waiting(self) -> int:
        """How many writers wait for the next insert."""
        return self._together.waiting

    def append(self, commit: Commit) -> Commit:
        """See `CommitStore.append`."""
        match self._together.ask(commit):
            case Commit() as stored:
                return stored
            case Taken():
                raise VersionConflict(commit.stream)
            case Unknown(why=why):
                raise StoreUnavailable(str(why)) from why

    def _at_once(self, commits: Sequence[Commit]) -> Sequence[Outcome]:
        faults.reached("store.before_insert")
        outcomes = self._insert(commits)
        faults.reached("store.after_insert_before_ack")
        return outcomes
