"""Documents of a read model in memory while facts are folded into them, and what has to be written of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from itertools import islice

from pymongo import DeleteOne, InsertOne, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from services.kernel.commit import Recorded
from services.kernel.readmodel import Document, ReadModel

Change = DeleteOne | InsertOne[Document] | ReplaceOne[Document]
REMEMBERED = 20_000


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
