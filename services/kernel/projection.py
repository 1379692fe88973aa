"""Read models: documents folded from facts, kept up to date and rebuilt from the beginning beside the live ones."""

from __future__ import annotations

import re
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import Any, ClassVar, Protocol

from bson.int64 import Int64
from pymongo import DeleteOne, InsertOne, MongoClient, ReadPreference, ReplaceOne, ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.kernel import faults, logging
from services.kernel.commit import PLATFORM, Commit, Recorded
from services.kernel.keyring import Keyring

Document = dict[str, Any]
Change = DeleteOne | InsertOne[Document] | ReplaceOne[Document]
log = logging.get(__name__)
MAJORITY = WriteConcern(w="majority", j=True)
BATCH = 500
REBUILD_BATCH = 2_000
WALK_BATCH = 200
REMEMBERED = 20_000
POINTER_SECONDS = 1.0
NOTED_SECONDS = 1.0


class ReadModel(ABC):
    """What one screen or query needs, one document per thing, folded from facts.

    `keys` names the documents a fact touches; `evolve` gives the document afterwards (None: there is
    none). Both are pure and total, so live and rebuilt documents are equal. Documents hold neither
    `_id` nor `tenant`; the kernel adds both, and every index in `indexes` starts with the tenant. A
    `shared` model holds what belongs to the platform rather than to one account.
    """

    name: ClassVar[str]
    categories: ClassVar[tuple[str, ...]] = ()
    indexes: ClassVar[tuple[Sequence[tuple[str, Any]], ...]] = ()
    shared: ClassVar[bool] = False

    @abstractmethod
    def keys(self, fact: Recorded) -> Sequence[str]:
        """The ids of the documents this fact touches."""

    @abstractmethod
    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The document after this fact."""

    def owned_keys(self, fact: Recorded) -> list[str]:
        """The stored ids of those documents: each key under the account it belongs to."""
        owner = PLATFORM if self.shared else fact.tenant
        return [f"{owner}:{key}" for key in self.keys(fact)]


class Shelf:
    """Where a read model's generations stand: a pointer to the live one, a cursor each.

    A rebuild fills a generation of its own beside the live one and moves the pointer once it has caught
    up; the former generation stays for going back, older ones are swept away.
    """

    def __init__(self, db: Database[Document], model: ReadModel) -> None:
        self.db = db
        self.model = model
        self._pointers = db.get_collection("read_models", write_concern=MAJORITY)
        self._cursors = db.get_collection("cursors", write_concern=MAJORITY)
        self._known: tuple[float, str] | None = None

    def live(self) -> str:
        """The name of the live generation's collection; remembered for a second."""
        now = time.monotonic()
        if self._known is None or now - self._known[0] > POINTER_SECONDS:
            row = self._pointers.find_one({"_id": self.model.name})
            self._known = (now, row["live"] if row else self._name(1))
        return self._known[1]

    def next(self) -> str:
        """The name of a generation nobody else fills: two rebuilds at once do not disturb each other."""
        row = self._pointers.find_one_and_update(
            {"_id": self.model.name},
            [
                {
                    "$set": {
                        "live": {"$ifNull": ["$live", self._name(1)]},
                        "newest": {"$add": [{"$ifNull": ["$newest", 1]}, 1]},
                    }
                }
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return self._name(row["newest"])

    def point_to(self, generation: str) -> None:
        """Make this generation the live one, atomically; sweep away what is older than the former one."""
        former = self._pointers.find_one_and_update(
            {"_id": self.model.name}, {"$set": {"live": generation}}, upsert=True
        )
        self._known = None
        self._sweep(_number(former["live"] if former else self._name(1)))

    def drop(self, generation: str) -> None:
        """Remove a generation and everything noted about it."""
        self.db.drop_collection(generation)
        self._cursors.delete_many({"$or": [{"_id": generation}, {"generation": generation}]})
        of_handler = {"handler": {"$regex": f"/{re.escape(generation)}$"}}
        self.db["inbox_cursors"].delete_many(of_handler)
        self.db["inbox_parked"].delete_many(of_handler)

    def prepare(self, generation: str) -> None:
        """Create the generation's collection, indexes and cursor; safe to repeat."""
        collection = self.db[generation]
        # An index makes its collection, and unlike an explicit creation it may be asked for by two processes at once.
        for keys in self.model.indexes or ([("tenant", 1)],):
            if next(iter(keys))[0] != "tenant":
                raise ValueError(f"an index of {self.model.name} does not start with the tenant")
            collection.create_index(list(keys))
        self._cursors.update_one({"_id": generation}, {"$setOnInsert": {"position": Int64(0)}}, upsert=True)

    def position(self, generation: str, session: ClientSession | None = None) -> int:
        """Up to where this generation has folded the log."""
        row = self._cursors.find_one({"_id": generation}, session=session)
        return int(row["position"]) if row else 0

    def move(self, generation: str, start: int, to: int, session: ClientSession | None = None) -> bool:
        """Move the cursor from `start` to `to`; False when somebody else moved it first."""
        moved = self._cursors.update_one(
            {"_id": generation, "position": start}, {"$set": {"position": Int64(to)}}, session=session
        )
        return moved.matched_count == 1

    def block(self, generation: str, fact: Recorded, why: Exception) -> None:
        """Record that this generation stopped following the fact's stream, so that operators see it."""
        self._cursors.update_one(
            {"_id": f"blocked:{generation}|{fact.stream}"},
            {
                "$setOnInsert": {
                    "generation": generation,
                    "stream": fact.stream,
                    "version": fact.version,
                    "fact": fact.id,
                    "reason": repr(why)[:300],
                    "at": datetime.now(UTC),
                }
            },
            upsert=True,
        )

    def blocked(self, generation: str) -> dict[str, Document]:
        """The streams this generation stopped following, and why."""
        return {row["stream"]: row for row in self._cursors.find({"generation": generation})}

    def _sweep(self, kept: int) -> None:
        prefix = f"{self.model.name}@"
        for name in self.db.list_collection_names(filter={"name": {"$regex": f"^{re.escape(prefix)}"}}):
            if _number(name) < kept:
                self.drop(name)

    def _name(self, generation: int) -> str:
        return f"{self.model.name}@{generation}"


def _number(generation: str) -> int:
    return int(generation.rsplit("@", 1)[1])


class Folding:
    """Documents of one generation while facts are folded into them; a `fresh` one is empty and nobody else's."""

    def __init__(
        self, collection: Collection[Document], session: ClientSession | None = None, *, fresh: bool = False
    ) -> None:
        self._collection = collection
        self._session = session
        self._docs: OrderedDict[str, Document | None] = OrderedDict()
        self._touched: set[str] = set()
        self._unwritten: set[str] = set()
        self._fresh = self._knows_all = fresh

    def fold(self, model: ReadModel, fact: Recorded) -> None:
        """Let one fact change the documents it touches."""
        for id in model.owned_keys(fact):
            self._docs[id] = model.evolve(self._load(id), fact)
            self._docs.move_to_end(id)
            self._touched.add(id)

    def preload(self, ids: Iterable[str]) -> None:
        """Fetch many documents in one round trip."""
        if self._knows_all:
            return
        wanted = list({id for id in ids if id not in self._docs})
        if wanted:
            found = {row["_id"]: row for row in self._collection.find({"_id": {"$in": wanted}}, session=self._session)}
            for id in wanted:
                self._remember(id, found.get(id))

    def changes(self) -> list[Change]:
        """What the facts so far have changed; from here on they count as written."""
        changed = [self._change(id, self._docs[id]) for id in self._touched]
        self._unwritten -= self._touched
        self._touched.clear()
        return changed

    def write(self, changes: list[Change]) -> None:
        """Store changes, in one bulk."""
        if changes:
            self._collection.bulk_write(changes, ordered=False, session=self._session)

    def forget(self) -> None:
        """Drop the oldest documents beyond the remembered number; call it when all but the untold are written."""
        surplus = [id for id in islice(self._docs, max(len(self._docs) - REMEMBERED, 0)) if id not in self._touched]
        for id in surplus:
            del self._docs[id]
        self._knows_all = self._knows_all and not surplus

    def _change(self, id: str, doc: Document | None) -> Change:
        if doc is None:
            return DeleteOne({"_id": id})
        whole = {"_id": id, "tenant": id.split(":", 1)[0], **doc}
        # To add a document costs a fraction of looking for one to replace, and a rebuild mostly adds.
        return InsertOne(whole) if id in self._unwritten else ReplaceOne({"_id": id}, whole, upsert=True)

    def _load(self, id: str) -> Document | None:
        if id not in self._docs:
            row = None if self._knows_all else self._collection.find_one({"_id": id}, session=self._session)
            self._remember(id, row)
        return self._docs[id]

    def _remember(self, id: str, row: Document | None) -> None:
        self._docs[id] = _bare(row)
        if row is None and self._fresh:
            self._unwritten.add(id)


def _bare(row: Document | None) -> Document | None:
    """The document as `evolve` knows it, without what the kernel adds."""
    return row and {k: v for k, v in row.items() if k not in ("_id", "tenant")}


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


class TenantReads:
    """The read models of one service as one account may see them; it cannot be made without a tenant."""

    def __init__(self, shelves: Mapping[str, Shelf], tenant: str) -> None:
        if not tenant:
            raise ValueError("read models cannot be read without a tenant")
        self._shelves = shelves
        self._tenant = tenant

    def __getitem__(self, model: str) -> TenantCollection:
        shelf = self._shelves[model]
        return TenantCollection(shelf.db[shelf.live()], self._tenant)


class TenantCollection:
    """One read model's documents of one account; the tenant is part of every question asked."""

    def __init__(self, collection: Collection[Document], tenant: str) -> None:
        self._collection = collection
        self._tenant = tenant

    def one(self, key: str) -> Document | None:
        """The document of that key, with its key as `id`."""
        row = self._collection.find_one({"_id": f"{self._tenant}:{key}", "tenant": self._tenant})
        return row and self._open(row)

    def find(
        self,
        filter: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
        skip: int = 0,
    ) -> list[Document]:
        """Documents that match, each with its key as `id`."""
        rows = self._collection.find(self._bound(filter), skip=skip, limit=limit)
        return [self._open(row) for row in (rows.sort(list(sort)) if sort else rows)]

    def walk(
        self, filter: Mapping[str, Any], *, after: str = "", only: Sequence[str] | None = None
    ) -> Iterator[Document]:
        """All documents that match, behind the one of key `after`, in the order of their keys, a batch in memory.

        `only` names the fields that are wanted; without it they come whole.
        """
        # Bounded on both sides, so that the order can be read from the index of the ids, inside this account.
        mine = {"_id": {"$gt": f"{self._tenant}:{after}", "$lt": f"{self._tenant};"}}
        wanted = {"tenant": 1} | dict.fromkeys(only, 1) if only is not None else None
        rows = self._collection.find({"$and": [mine, self._bound(filter)]}, wanted, batch_size=WALK_BATCH)
        with rows.sort([("_id", 1)]) as walked:
            for row in walked:
                yield self._open(row)

    def count(self, filter: Mapping[str, Any]) -> int:
        """How many match."""
        return self._collection.count_documents(self._bound(filter))

    def distinct(self, field: str, filter: Mapping[str, Any]) -> list[Any]:
        """The different values that a field has in documents that match."""
        values: list[Any] = self._collection.distinct(field, self._bound(filter))
        return values

    def _bound(self, filter: Mapping[str, Any]) -> Document:
        return {"$and": [{"tenant": self._tenant}, dict(filter)]} if filter else {"tenant": self._tenant}

    def _open(self, row: Document) -> Document:
        _, key = row.pop("_id").split(":", 1)
        row.pop("tenant")
        return {"id": key, **row}
