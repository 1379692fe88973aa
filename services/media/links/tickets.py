"""What of a thing leaves the house: without what the camera wrote into it, opened for this one look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.kernel.application import Ask
from services.media.domain.medium import Medium, medium
from services.media.domain.public_link import Target
from services.media.domain.values import KINDS, Rendering, hex_of
from services.media.keeping import ticket
from services.media.reports.showing import report_ticket

_OUTSIDE: Mapping[str, Rendering] = {"image": "screen", "video": "outside", "sound": "outside"}


def outside_of(ask: Ask, target: Target, tenant: str) -> Mapping[str, Any] | None:
    """What opens the object that the outside world gets; None when there is nothing left to see."""
    if target.kind == "report":
        return report_ticket(ask, target.id, tenant)
    known: Medium = ask.state(medium, hex_of(target.id), tenant=tenant)
    if known.status != "stored" or known.stored is None:
        return None
    wanted = _OUTSIDE.get(KINDS[known.stored.type])
    made = {rendition.name for rendition in known.stored.renditions}
    return ticket(ask, known, wanted if wanted in made else "original")
