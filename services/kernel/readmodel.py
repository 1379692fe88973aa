"""A read model: what one screen or query needs, said as a fold over facts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from services.kernel.commit import PLATFORM, Recorded

Document = dict[str, Any]


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
