"""Keeps read models up to date with their own service's log, and rebuilds them beside the live ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from pymongo import MongoClient, ReadPreference
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from services.kernel import faults, logging
from services.kernel.commit import Commit, Recorded
from services.kernel.folding import Folding
from services.kernel.keyring import Keyring
from services.kernel.readmodel import Document, ReadModel
from services.kernel.shelf import MAJORITY, Shelf

log = logging.get(__name__)
BATCH = 500
REBUILD_BATCH = 2_000
NOTED_SECONDS = 1.0


class Log(Protocol):
    """Where facts to fold are read."""

    def after(self, position: int, limit: int) -> Sequence[Commit]:
        """See `CommitStore.after`."""


class Typing(Protocol):
    """How stored facts become typed ones."""

    def followed(self, commit: Commit, keyring: Keyring) -> list[Recorded]:
        """See `Registry.followed`."""


class Projector:
    """Keeps one read model of own facts up to date; documents and cursor change in one transaction.

    Several projectors of one model may run: the cursor is compared and set inside the transaction, so
    one of them wins each batch and the others read on.
    """

    def __init__(
        self,
        db: Database[Document],
        model: ReadModel,
        store: Log,
        registry: Typing,
        keyring: Keyring,
    ) -> None:
        self._client: MongoClient[Document] = db.client
        self._model = model
        self._store = store
        self._registry = registry
        self._keyring = keyring
        self.shelf = Shelf(db, model)
        self._following = ""
        self._stopped: set[str] = set()
        self._at: int | None = None
        self._noted = 0
        self._noted_when = 0.0

    def prepare(self) -> None:
        """Make sure the live generation exists."""
        self.shelf.prepare(self.shelf.live())

    def position(self) -> int:
        """Up to where this projector has read the log for the live generation."""
        if self._at is None:
            self._at = self._noted = self.shelf.position(self.shelf.live())
        return self._at

    def rest(self, passed: int) -> None:
        """Nothing comes at the moment: note that the log was read, or passed over, up to there.

        The next time the cursor is looked at anew: a rebuilt generation may have gone live a little behind.
        """
        generation = self._generation()
        if self._at is not None:
            self._at = max(self._at, passed)
            self._note(generation)
        self._at = None

    def step(self) -> int:
        """Fold the next batch into the live generation; answers how many commits it moved on.

        The cursor moves with what was folded. Behind commits that do not concern the model it moves now
        and then only: most commits concern few models, and every model's cursor would be written for each.
        """
        generation = self._generation()
        # What this projector remembers may be behind, when another one moved on: then it loses the race below.
        commits = self._store.after(self.position(), BATCH)
        if not commits:
            self._note(generation)
            return 0
        facts, end = self._facts(commits), commits[-1].position
        if facts:
            if not self._fold_in(generation, facts, end):
                self._at = None
                return 0
            self._noted, self._noted_when = end, time.monotonic()
        self._at = end
        if time.monotonic() - self._noted_when > NOTED_SECONDS:
            self._note(generation)
        return len(commits)

    def _generation(self) -> str:
        generation = self.shelf.live()
        if generation != self._following:
            # Where a rebuild has healed what the former generation could not fold, it is followed again.
            self._following, self._stopped = generation, set(self.shelf.blocked(generation))
            self._at = None
        return generation

    def _fold_in(self, generation: str, facts: Sequence[Recorded], end: int) -> bool:
        def fold(session: ClientSession) -> bool:
            if not self.shelf.move(generation, self._noted, end, session):
                return False
            folding = Folding(self.shelf.db[generation], session)
            self._fold(folding, facts, generation, self._stopped)
            folding.write(folding.changes())
            faults.reached("projection.before_commit")
            return True

        with self._client.start_session() as session:
            won = session.with_transaction(
                fold,
                read_concern=ReadConcern("snapshot"),
                write_concern=MAJORITY,
                read_preference=ReadPreference.PRIMARY,
            )
        faults.reached("projection.after_commit")
        return won

    def _note(self, generation: str) -> None:
        if self._at is None or self._at <= self._noted:
            return
        if self.shelf.move(generation, self._noted, self._at):
            self._noted = self._at
        else:
            self._at = None
        self._noted_when = time.monotonic()

    def rebuild(
        self, stop: threading.Event | None = None, progress: Callable[[int, int], None] | None = None
    ) -> tuple[str, int]:
        """Fold the whole log into a new generation and make it live; answers its name and the facts folded.

        The live generation serves and follows meanwhile. Safe to kill and start again: an unfinished
        generation is swept away later. `progress` hears the position and the number of facts so far.
        """
        generation = self.shelf.next()
        self.shelf.prepare(generation)
        folding = Folding(self.shelf.db[generation], fresh=True)
        position = folded = 0
        stopped: set[str] = set()
        # One batch is read and one is written while the one between them is folded.
        with ThreadPoolExecutor(2, thread_name_prefix="rebuild") as beside:
            ahead = beside.submit(self._store.after, 0, REBUILD_BATCH)
            written = beside.submit(folding.write, [])
            while (commits := ahead.result()) and not (stop is not None and stop.is_set()):
                position = commits[-1].position
                ahead = beside.submit(self._store.after, position, REBUILD_BATCH)
                facts = self._facts(commits)
                folded += len(facts)
                self._fold(folding, facts, generation, stopped)
                written.result()
                folding.forget()
                written = beside.submit(folding.write, folding.changes())
                faults.reached("rebuild.after_batch")
                if progress is not None:
                    progress(position, folded)
            written.result()
        if commits:
            self.shelf.drop(generation)
            raise InterruptedError("the rebuild was stopped; the live read model is untouched")
        with self._client.start_session() as session, session.start_transaction():
            self.shelf.move(generation, 0, position, session)
        faults.reached("rebuild.before_switch")
        self.shelf.point_to(generation)
        return generation, folded

    def _facts(self, commits: Sequence[Commit]) -> list[Recorded]:
        return [
            fact
            for commit in commits
            if commit.category in self._model.categories
            for fact in self._registry.followed(commit, self._keyring)
        ]

    def _fold(self, folding: Folding, facts: Sequence[Recorded], generation: str, stopped: set[str]) -> None:
        folding.preload(id for fact in facts for id in self._keys(fact))
        for fact in facts:
            if fact.stream in stopped:
                continue
            try:
                if isinstance(fact.event, Exception):
                    raise fact.event
                folding.fold(self._model, fact)
            except PyMongoError:
                raise  # the database was away: nothing is wrong with the fact
            except Exception as why:
                # One thing that cannot be folded must not stop every other: it is recorded, and a
                # rebuild with the mended code heals it.
                log.error("projection.blocked", model=self._model.name, fact=fact.id, exc_info=why)
                stopped.add(fact.stream)
                self.shelf.block(generation, fact, why)

    def _keys(self, fact: Recorded) -> Sequence[str]:
        try:
            return self._model.owned_keys(fact)
        except Exception:
            return ()  # reported by the fold itself
