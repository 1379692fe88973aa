"""The time at which a form was filled in, which is the only time an expression knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo


@dataclass(frozen=True, slots=True)
class When:
    """A moment as the wall clock showed it in the zone of whoever answered; never the server's own."""

    now: datetime
    zone: tzinfo

    @classmethod
    def of(cls, moment: datetime, zone: tzinfo) -> When:
        """The moment in this zone."""
        return cls(moment.astimezone(zone), zone)
