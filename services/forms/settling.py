"""Media and the submissions that wait for them: whoever comes second, they find each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.forms.domain.form_content import id_of
from services.forms.domain.medium import Medium, RejectMedium, StoreMedium, medium
from services.forms.domain.submission import ArriveMedia, RefuseMedia, submission
from services.kernel.application import Ask
from services.kernel.domain import Command, Rejected

Fields = Mapping[str, Any]


def media_stored(ask: Ask) -> Fields:
    """The bytes are there and verified."""
    return _noted(ask, ask.make(StoreMedium, ask.data))


def media_rejected(ask: Ask) -> Fields:
    """The bytes were not accepted."""
    return _noted(ask, ask.make(RejectMedium, ask.data))


def settle_media(ask: Ask) -> Fields:
    """Tell submissions how their media stand: those named, or all that wait for one item."""
    _check_system(ask)
    if media_id := ask.data.get("media_id"):
        waiting = ask.reads["submissions"].find({"missing": str(media_id)})
        pairs = [(doc["id"], str(media_id)) for doc in waiting]
    else:
        pairs = [(str(ask.data["submission_id"]), str(id)) for id in ask.data["media_ids"]]
    _tell(ask, pairs)
    return {}


def _noted(ask: Ask, command: Command) -> Fields:
    _check_system(ask)
    assert isinstance(command, StoreMedium | RejectMedium)
    return ask.handle(medium, id_of(command.media_id), command, part="medium").to_wire()


def _tell(ask: Ask, pairs: Iterable[tuple[str, str]]) -> None:
    for submission_id, media_id in pairs:
        known: Medium = ask.state(medium, id_of(media_id))
        named = {"submission_id": submission_id, "media_id": media_id}
        if known.status == "stored":
            command: Command = ask.make(ArriveMedia, named)
        elif known.status == "rejected":
            command = ask.make(RefuseMedia, {**named, "code": known.code})
        else:
            continue
        ask.handle(submission, submission_id, command, part=f"{submission_id}/{media_id}/{known.status}")


def _check_system(ask: Ask) -> None:
    if ask.caller.role != "system":
        raise Rejected("forbidden")
