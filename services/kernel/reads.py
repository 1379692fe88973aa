"""Read models as one account may see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pymongo.collection import Collection

from services.kernel.readmodel import Document
from services.kernel.shelf import Shelf

WALK_BATCH = 200


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
