"""What of a thing leaves the house: without what the camera wrote into it, opened for this one look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.kernel.application import Ask
from services.kernel.domain import Rejected
from services.media.domain.medium import Medium, medium
from services.media.domain.public_link import Target
from services.media.domain.values import ENDINGS, KINDS, hex_of
from services.media.keeping import ticket
from services.media.reports.showing import report_ticket


def outside_of(ask: Ask, target: Target, tenant: str) -> Mapping[str, Any]:
    """What opens the object that the outside world gets. Raises Rejected when it is not there, or not yet."""
    if target.kind == "report":
        return report_ticket(ask, target.id, tenant)
    known: Medium = ask.state(medium, hex_of(target.id), tenant=tenant)
    found = ticket(ask, known, _form(known))
    # The name under which a file came may tell what is nobody's business.
    return {**found, "file_name": f"evidence.{ENDINGS[found['type']]}"}


def _form(known: Medium) -> str:
    """A photo is only ever shown as it was drawn anew; sound and film as they are, unless they had to be cleaned."""
    if known.stored is None:
        raise Rejected("medium-unknown")
    match KINDS[known.stored.type]:
        case "image":
            return "screen"
        case "video" | "sound" if any(made.name == "outside" for made in known.stored.renditions):
            return "outside"
        case _:
            return "original"
