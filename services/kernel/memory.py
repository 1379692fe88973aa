"""The log in memory: the MongoDB store's twin, held to the same contract, for tests in milliseconds."""

from __future__ import annotations

import threading

from services.kernel.commit import Commit, VersionConflict, storable


class MemoryCommitStore:
    """Commits in a list; lives and dies with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: list[Commit] = []
        self._by_id: dict[str, Commit] = {}
        self._next_version: dict[str, int] = {}

    def append(self, commit: Commit) -> Commit:
        """See `CommitStore.append`."""
        storable(commit)
        with self._lock:
            if stored := self._by_id.get(commit.commit_id):
                return stored
            if commit.version != self._next_version.get(commit.stream, 1):
                raise VersionConflict(commit.stream)
            placed = commit.placed(len(self._log) + 1)
            self._log.append(placed)
            self._by_id[commit.commit_id] = placed
            self._next_version[commit.stream] = commit.last_version + 1
            return placed

    def load(self, stream: str) -> list[Commit]:
        """See `CommitStore.load`."""
        with self._lock:
            return [commit for commit in self._log if commit.stream == stream]

    def last(self, stream: str, up_to: int | None = None) -> Commit | None:
        """See `CommitStore.last`."""
        there = [commit for commit in self.load(stream) if up_to is None or commit.position <= up_to]
        return there[-1] if there else None

    def find(self, commit_id: str) -> Commit | None:
        """See `CommitStore.find`."""
        with self._lock:
            return self._by_id.get(commit_id)

    def after(self, position: int, limit: int) -> list[Commit]:
        """See `CommitStore.after`."""
        with self._lock:
            return self._log[position : position + limit]

    def head(self) -> int:
        """See `CommitStore.head`."""
        with self._lock:
            return len(self._log)
