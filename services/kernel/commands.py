"""Carrying out one command: read the stream, let the domain decide, store its facts; once, whatever is repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from services.kernel.commit import Caller, Commit, NotStorable, VersionConflict, stream_of
from services.kernel.domain import Command, Decider, Event, Rejected
from services.kernel.keyring import KeyDestroyed, Keyring
from services.kernel.registry import Registry
from services.kernel.store import CommitStore

S = TypeVar("S")
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a command left behind: the aggregate's version afterwards and where the log stood for it.

    `position` is enough to read one's own write: a query asked `at_least` there sees it.
    """

    id: str
    stream: str
    version: int
    position: int

    def to_wire(self) -> dict[str, Any]:
        """The JSON form of the answer."""
        return {"id": self.id, "stream": self.stream, "version": self.version, "position": self.position}


@dataclass(frozen=True, slots=True)
class Loaded:
    """An aggregate as of now, and the commits it was folded from."""

    state: Any
    version: int
    position: int
    commits: list[Commit]


@dataclass(slots=True)
class Journal:
    """A service's aggregates: its log, its event table and its keyring together."""

    store: CommitStore
    registry: Registry
    keyring: Keyring

    def load(self, decider: Decider[Any, S, Any], tenant: str, id: str, *, up_to: int | None = None) -> Loaded:
        """The aggregate's state, folded from its stream: the present one, or that as of a position of the log."""
        stream = stream_of(decider.category, tenant, id)
        if decider.by_last:
            last = self.store.last(stream, up_to)
            commits = [] if last is None else [last]
        else:
            commits = [c for c in self.store.load(stream) if up_to is None or c.position <= up_to]
        state: Any = decider.initial_state
        version = position = 0
        for commit in commits:
            for recorded in self.registry.recorded(commit, self.keyring):
                state = decider.evolve(state, recorded.event)
            version, position = commit.last_version, commit.position
        return Loaded(state, version, position, commits)

    def handle(
        self,
        decider: Decider[Any, Any, Any],
        id: str,
        command: Command,
        *,
        commit_id: str,
        caller: Caller,
        digest: str = "",
        tenant: str | None = None,
        expected_version: int | None = None,
        redecide: Callable[[], Command] | None = None,
        creates: bool = False,
    ) -> Receipt:
        """Decide and store; the receipt is the same however often the same `commit_id` comes.

        `digest` is a keyed fingerprint of what was asked, so that one id cannot serve two requests.
        `expected_version` is the client's precondition (If-Match). `redecide` makes the command anew
        when a race was lost and it carries facts read elsewhere. `creates`: try first as if there were
        nothing yet. If there is, the store refuses; and a refusal of the domain counts only upon what there is.
        Raises Rejected when the domain refuses, when the precondition fails ("version-mismatch"), when the
        id was used for other content ("idempotency-key-reused"), or when the data is being erased ("erased");
        VersionConflict after five lost races; StoreUnavailable when the database does not answer.
        """
        owner = tenant or caller.tenant
        for attempt in range(ATTEMPTS):
            if attempt and redecide is not None:
                command = redecide()
            hopeful = creates and attempt == 0 and expected_version is None
            loaded = Loaded(decider.initial_state, 0, 0, []) if hopeful else self.load(decider, owner, id)
            for earlier in loaded.commits:
                if earlier.commit_id == commit_id:
                    return self._repeat(earlier, digest)
            if expected_version is not None and expected_version != loaded.version:
                raise Rejected("version-mismatch", expected=expected_version, actual=loaded.version)
            try:
                events = decider.decide(command, loaded.state)
            except Rejected:
                if hopeful:
                    continue
                raise
            stream = stream_of(decider.category, owner, id)
            if not events:
                if hopeful:
                    continue
                return Receipt(id, stream, loaded.version, loaded.position)
            commit = self._commit(
                decider.category,
                stream,
                loaded.version + 1,
                events,
                commit_id,
                digest,
                owner,
                caller,
                command.at,
            )
            try:
                stored = self.store.append(commit)
            except NotStorable as unfit:
                raise Rejected("invalid", errors=[{"loc": [], "msg": str(unfit), "type": "not-storable"}]) from unfit
            except VersionConflict:
                if attempt == ATTEMPTS - 1:
                    raise
                continue
            return self._repeat(stored, digest)
        raise AssertionError("the last attempt either answers or raises")

    def earlier(self, commit_id: str, digest: str) -> Receipt | None:
        """The receipt of a command that was carried out before; None for a new one.

        Raises Rejected("idempotency-key-reused") when the id was used for something else.
        """
        commit = self.store.find(commit_id)
        return None if commit is None else self._repeat(commit, digest)

    @staticmethod
    def _repeat(earlier: Commit, digest: str) -> Receipt:
        if earlier.digest != digest:
            raise Rejected("idempotency-key-reused")
        id = earlier.stream.removeprefix(stream_of(earlier.category, earlier.tenant, ""))
        return Receipt(id, earlier.stream, earlier.last_version, earlier.position)

    def _commit(
        self,
        category: str,
        stream: str,
        version: int,
        events: list[Event],
        commit_id: str,
        digest: str,
        tenant: str,
        caller: Caller,
        at: datetime,
    ) -> Commit:
        try:
            stored = tuple(
                self.registry.encode(
                    event,
                    category=category,
                    stream=stream,
                    version=version + i,
                    tenant=tenant,
                    keyring=self.keyring,
                )
                for i, event in enumerate(events)
            )
        except KeyDestroyed as fenced:
            raise Rejected("erased") from fenced
        return Commit(
            stream=stream,
            category=category,
            version=version,
            commit_id=commit_id,
            digest=digest,
            tenant=tenant,
            actor=caller.actor,
            origin=caller.origin,
            at=at,
            correlation_id=caller.correlation_id,
            causation_id=caller.causation_id,
            events=stored,
        )
