"""The sweep: what was left behind by whoever died in the middle of it, in both buckets, again and again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import groupby
from typing import Any

from services.kernel import logging, objects
from services.kernel.application import Ask
from services.kernel.commit import PLATFORM
from services.kernel.domain import Rejected
from services.kernel.objects import Listed
from services.media.domain.upload import Upload, upload
from services.media.owners import OWNERS
from services.media.standing import demand_system

log = logging.get(__name__)
Fields = Mapping[str, Any]
YOUNG = timedelta(hours=1)
"""So long an object may be there before anything names it: whoever made it is still at work."""
ABANDONED = timedelta(hours=6)
"""So long the storing of one large object may take."""
PERIOD = timedelta(hours=1)


def sweep_media(ask: Ask) -> Fields:
    """Remove what nobody names, in every account; answers how much. What refuses is left for the next time.

    Raises OSError when the object store does not answer.
    """
    demand_system(ask.caller)
    if ask.caller.tenant != PLATFORM:
        raise Rejected("forbidden")
    store, settings = ask.ports["objects"](), ask.settings
    before = ask.now - ABANDONED
    swept = {
        "incoming": _sweep_incoming(ask, store, settings.s3_incoming_bucket),
        "media": _sweep_media(ask, store, settings.s3_media_bucket),
        "unfinished": sum(
            objects.give_up_unfinished(store, bucket, before)
            for bucket in (settings.s3_incoming_bucket, settings.s3_media_bucket)
        ),
    }
    if any(swept.values()):
        log.info("media.swept", **swept)
    return swept


def _sweep_incoming(ask: Ask, store: Any, bucket: str) -> int:
    removed = 0
    for page in objects.pages(store, bucket, ""):
        for folder, found in groupby(page, key=lambda item: item.key.rpartition("/")[0]):
            if not _awaited(ask, folder):
                removed += _remove(store, bucket, [item for item in found if item.modified < ask.now - YOUNG])
    return removed


def _awaited(ask: Ask, folder: str) -> bool:
    tenant, _, upload_id = folder.partition("/")
    known: Upload = ask.state(upload, upload_id, tenant=tenant)
    return known.status in ("open", "finished")


def _sweep_media(ask: Ask, store: Any, bucket: str) -> int:
    removed = 0
    for folder in objects.folders(store, bucket, "t/"):
        account = ask.in_account(folder.split("/")[1])
        for page in objects.pages(store, bucket, folder):
            old = [item for item in page if item.modified < ask.now - YOUNG]
            removed += _remove(store, bucket, [item for item in unnamed(account, old) if _lost(account, store, item)])
    return removed


def unnamed(ask: Ask, items: list[Listed]) -> list[Listed]:
    """Those that no read model of the account knows, which may be behind."""
    keys = [item.key for item in items]
    docs = ask.reads["objects"].find({"objects.object": {"$in": keys}}) if keys else []
    named = {one["object"] for doc in docs for one in doc["objects"]}
    return [item for item in items if item.key not in named]


def _lost(ask: Ask, store: Any, item: Listed) -> bool:
    """Whether its owner does not name it either, by the log itself. What bears no owner's name is nobody's."""
    owner = objects.note(store, ask.settings.s3_media_bucket, item.key, "owner")
    if owner is None:
        return True
    category, _, id = owner.partition("/")
    if category not in OWNERS:
        return False
    decider, kept = OWNERS[category]
    return item.key not in kept(ask.state(decider, id))


def _remove(store: Any, bucket: str, items: list[Listed]) -> int:
    for item in items:
        objects.remove(store, bucket, item.key)
    return len(items)
