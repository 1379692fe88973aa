"""What must be known before points are recorded: whose they are, and on which day of the account they began."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from services.kernel.application import Ask
from services.kernel.domain import Rejected
from services.tasks.domain.track import RecordPoints, track_id
from services.tasks.readmodels.tracks import LONGEST_BATCH
from services.tasks.standing import demand, time_zone

Fields = Mapping[str, Any]


def recording(ask: Ask) -> Fields:
    """One's own points, as long as one is followed at all."""
    demand(ask.caller, "gps")
    zone = time_zone(ask)
    whose = {"user_id": ask.caller.actor, "zone": zone}
    if taken := sorted(ask.data.keys() & {"track_id", "day", *whose}):
        errors = [{"loc": [name], "msg": "not yours to set", "type": "forbidden"} for name in taken]
        raise Rejected("invalid", errors=errors)
    asked = ask.make(RecordPoints, {**ask.data, **whose, "track_id": "", "day": ask.now.date()})
    assert isinstance(asked, RecordPoints)
    times = sorted(point.at for point in asked.points)
    if times[-1] - times[0] > LONGEST_BATCH:
        raise Rejected("points-too-far-apart", hours=LONGEST_BATCH.days * 24)
    day = times[0].astimezone(ZoneInfo(zone)).date()
    return {**ask.data, **whose, "day": day, "track_id": track_id(ask.caller.actor, day)}
