"""What ends: uploads whose time is over, bytes that are not needed any more, items that nobody uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.kernel import objects
from services.kernel.application import Ask
from services.kernel.domain import Rejected
from services.kernel.segments import covered, folder
from services.kernel.shown import stamp
from services.media import segments
from services.media.domain.evidence_settings import EvidenceSettings, evidence_settings
from services.media.domain.medium import ForgetMedia, Medium, RestoreMedia, WithdrawMedia, medium
from services.media.domain.upload import ExpireUpload, FinishUpload, Upload, upload
from services.media.domain.values import hex_of
from services.media.standing import demand_system

Fields = Mapping[str, Any]


def expire_upload(ask: Ask) -> Fields:
    """End an upload whose time is over; one whose bytes are all there was only never said to be finished."""
    demand_system(ask.caller)
    upload_id = str(ask.data["upload_id"])
    known: Upload = ask.state(upload, upload_id)
    if known.begun is None or known.status != "open":
        return {}
    there = covered(
        segments.found(ask.ports["objects"](), ask.settings.s3_incoming_bucket, ask.caller.tenant, upload_id)
    )
    ending = FinishUpload if there >= known.begun.bytes else ExpireUpload
    return ask.handle(upload, upload_id, ask.make(ending, {"upload_id": upload_id}), part="end").to_wire()


def clear_upload(ask: Ask) -> Fields:
    """Remove the bytes of an upload that has ended."""
    demand_system(ask.caller)
    upload_id = str(ask.data["upload_id"])
    known: Upload = ask.state(upload, upload_id)
    if known.status in ("stored", "rejected", "aborted", "expired"):
        place = folder(ask.caller.tenant, upload_id)
        objects.remove_below(ask.ports["objects"](), ask.settings.s3_incoming_bucket, place)
    return {}


def withdraw_unused(ask: Ask) -> Fields:
    """Take an item out of reach if nobody uses it."""
    demand_system(ask.caller)
    media_id = str(ask.data["media_id"])
    return {} if is_used(ask, media_id) else _end(ask, WithdrawMedia, media_id)


def forget_unused(ask: Ask) -> Fields:
    """Give up an item that was withdrawn, or bring it back if somebody uses it after all.

    Raises PeerAway when forms cannot be asked: what its answers name is not always known here at once, and nothing is
    given up by mistake.
    """
    demand_system(ask.caller)
    media_id = str(ask.data["media_id"])
    known: Medium = ask.state(medium, hex_of(media_id))
    if known.status != "withdrawn":
        return {}
    if is_used(ask, media_id):
        return _end(ask, RestoreMedia, media_id)
    asked = {"media_id": media_id}
    answer = ask.ports["peers"]().query("forms", "media_use", asked, tenant=ask.caller.tenant, by="media")
    return _end(ask, RestoreMedia if answer["used"] else ForgetMedia, media_id)


def restore_used(ask: Ask) -> Fields:
    """Bring back an item that was withdrawn, if somebody uses it after all."""
    demand_system(ask.caller)
    media_id = str(ask.data["media_id"])
    known: Medium = ask.state(medium, hex_of(media_id))
    if known.status != "withdrawn" or not is_used(ask, media_id):
        return {}
    return _end(ask, RestoreMedia, media_id)


def _end(ask: Ask, command: type[WithdrawMedia | RestoreMedia | ForgetMedia], media_id: str) -> Fields:
    return ask.handle(medium, hex_of(media_id), ask.make(command, {"media_id": media_id}), part="end").to_wire()


def is_used(ask: Ask, media_id: str) -> bool:
    """Whether anything of the account needs the item: answers that name it, a link that shows it, its reports."""
    if ask.reads["uses"].find({"media.id": media_id}, limit=1):
        return True
    open_ = {"target_id": media_id, "revoked": None, "expires_at": {"$gt": stamp(ask.now)}}
    settled: EvidenceSettings = ask.state(evidence_settings, ask.caller.tenant)
    return settled.logo == media_id or bool(ask.reads["public_links"].find(open_, limit=1))


def clear_objects(ask: Ask) -> Fields:
    """Remove objects of the account that nothing names any more."""
    demand_system(ask.caller)
    for key in ask.data["objects"]:
        if not str(key).startswith(f"t/{ask.caller.tenant}/"):
            raise Rejected("forbidden")
        objects.remove(ask.ports["objects"](), ask.settings.s3_media_bucket, str(key))
    return {}
