"""Commits without a domain behind them, for tests of the log itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.kernel.clock import new_id
from services.kernel.commit import Commit, StoredEvent, stream_of

TENANT = "0196a000-0000-7000-8000-00000000ac3e"
AT = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)


def stream(name: str, category: str = "parcel") -> str:
    """A stream of the example account."""
    return stream_of(category, TENANT, name)


def commit(of: str, version: int = 1, *, facts: int = 1, id: str | None = None, **data: Any) -> Commit:
    """`facts` facts added to the stream `of` from `version` on."""
    return Commit(
        stream=of,
        category=of.split("-", 1)[0],
        version=version,
        commit_id=id or new_id(),
        digest="d1",
        tenant=TENANT,
        actor="ana",
        origin="203.0.113.7",
        at=AT,
        correlation_id="corr-1",
        causation_id="cause-1",
        events=tuple(StoredEvent("Moved", 1, {"n": version + i, **data}) for i in range(facts)),
    )
