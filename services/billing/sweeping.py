"""The sweep: whatever is due and was not done, for every account, a page at a time and any number of times."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from services.billing.biller import Biller
from services.billing.domain.number_range import CheckRange, number_range
from services.billing.readmodels.billing_agenda import CYCLES, DOCUMENTS
from services.billing.staff import check_tenant, stamp
from services.kernel import logging
from services.kernel.application import Ask
from services.kernel.commit import PLATFORM, VersionConflict
from services.kernel.domain import Rejected

log = logging.get(__name__)
PAGE = 200


def sweep(ask: Ask, biller: Biller) -> Mapping[str, Any]:
    """Open cycles that have begun, then see unfinished documents through; answers how many of each.

    With `limit` it stops after so many; asked again it goes on, as what is done leaves the agenda. With
    `lane` and `lanes` it takes every so many-th account only, so that several sweeps share the work. What
    refuses is counted and left for the next sweep: it never stops the others.
    """
    check_tenant(ask)
    limit, lane, lanes = (ask.data.get(name) for name in ("limit", "lane", "lanes"))
    done = {"opened": 0, "seen_through": 0, "waiting": 0}
    for prefix in biller.prefixes:
        check = ask.make(CheckRange, {"prefix": prefix})
        ask.handle(number_range, prefix, check, part=f"check/{prefix}", tenant=PLATFORM)
    for act, row in _agenda(ask, biller, done):
        if isinstance(limit, int) and sum(done.values()) >= limit:
            break
        if isinstance(lanes, int) and zlib.crc32(row["account_id"].encode()) % max(lanes, 1) != lane:
            continue
        try:
            act(row)
        except (Rejected, VersionConflict) as refused:
            done["waiting"] += 1
            log.warning("sweep.waiting", account=row["account_id"], why=str(refused))
    return done


def see_held_through(ask: Ask, biller: Biller) -> Mapping[str, Any]:
    """The invoices of the caller's account that waited for something."""
    held = ask.reads["invoices"].find({"status": "held"}, sort=[("cycle_start", 1)], limit=PAGE)
    for row in held:
        biller.bill(ask.caller.tenant, row["cycle"])
    return {"held": len(held)}


def _agenda(
    ask: Ask, biller: Biller, done: dict[str, int]
) -> Iterator[tuple[Callable[[Mapping[str, Any]], None], Mapping[str, Any]]]:
    def open_cycles(row: Mapping[str, Any]) -> None:
        done["opened"] += biller.open_and_bill(row["account_id"])

    def see_through(row: Mapping[str, Any]) -> None:
        if row["cycle"] is not None:
            biller.bill(row["account_id"], row["cycle"])
        else:
            biller.see_through(row["account_id"], row["invoice_id"], row["document_id"])
        done["seen_through"] += 1

    begun = {"status": "running", "due": {"$lte": stamp(ask.now)}}
    for row in _all(ask, CYCLES, begun, by="account_id"):
        yield open_cycles, row
    for row in _all(ask, DOCUMENTS, {"status": {"$ne": "refused"}}, by="document_id"):
        yield see_through, row


def _all(ask: Ask, model: str, filter: Mapping[str, Any], by: str) -> Iterator[Mapping[str, Any]]:
    """Every document of the filter, a page in memory at a time."""
    after = ""
    while rows := ask.reads[model].find({**filter, by: {"$gt": after}}, sort=[(by, 1)], limit=PAGE):
        yield from rows
        after = rows[-1][by]
