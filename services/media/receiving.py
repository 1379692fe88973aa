"""Uploads as people and phones ask for them: who may begin one, how long it is waited for, whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.kernel.application import Ask
from services.kernel.commands import Receipt
from services.kernel.domain import Rejected
from services.kernel.shown import stamp
from services.media.domain.medium import Medium, medium
from services.media.domain.upload import Upload
from services.media.domain.values import hex_of, plain_type
from services.media.readmodels.uploads import own_upload
from services.media.standing import EDIT, EXECUTE, demand

Fields = Mapping[str, Any]
LASTS = timedelta(hours=72)
MOST_OPEN = 1_000
"""Uploads that one person may have under way; a phone that comes back after weeks has hundreds of photos."""


def beginning(ask: Ask) -> Fields:
    """Begun by somebody who works in the field or corrects what was handed in."""
    demand(ask.caller, EXECUTE, EDIT)
    return beginning_from_device(ask)


def beginning_from_device(ask: Ask) -> Fields:
    """Begun by an enrolled phone, which the gateway let in: also what was done before its right ended comes in."""
    upload_id = str(ask.data.get("upload_id"))
    if ask.reads["open_uploads"].one(upload_id) is None:
        under_way = ask.reads["open_uploads"].count({"begun_by": ask.caller.actor})
        if under_way >= MOST_OPEN:
            raise Rejected("too-many-uploads", most=MOST_OPEN)
    return {**ask.data, "type": plain_type(str(ask.data.get("type", ""))), "expires_at": ask.now + LASTS}


def begun(ask: Ask, receipt: Receipt, state: Upload) -> Fields:
    """Until when the bytes are waited for, and whether there is any need to send them."""
    assert state.begun is not None
    known: Medium = ask.state(medium, hex_of(state.begun.media_id))
    return {
        "media_id": state.begun.media_id,
        "expires_at": stamp(state.begun.expires_at),
        "stored": known.status == "stored",
    }


def ones_own(ask: Ask) -> Fields:
    """Whoever began it goes on with it, and nobody else."""
    own_upload(ask, str(ask.data.get("upload_id")))
    return ask.data
