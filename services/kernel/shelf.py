"""Where the generations of a read model stand, and which of them is live."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from bson.int64 import Int64
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from services.kernel.commit import Recorded
from services.kernel.readmodel import Document, ReadModel

MAJORITY = WriteConcern(w="majority", j=True)
POINTER_SECONDS = 1.0


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
