"""What an account has already, as the rows of an import may refer to it: customers, subprocesses, people."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from services.kernel.application import Ask
from services.kernel.domain import Erased, Rejected
from services.tasks.customers import holder_of
from services.tasks.domain.customer import Customer, Place, customer
from services.tasks.domain.process import Process, process
from services.tasks.sheets.reader import plain_text
from services.tasks.standing import check_team, check_user, time_zone


class KnownHere:
    """What rows may refer to, looked up in the account's own aggregates and directory; see `rows.Known`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.time_zone = time_zone(ask)
        self._customers: dict[str, str | None] = {}
        self._people: dict[str, str | None] = {}

    def customer(self, code: str) -> str | None:
        """See `rows.Known`."""
        if code not in self._customers:
            self._customers[code] = holder_of(self._ask, code)
        return self._customers[code]

    def location(self, customer_id: str, name: str) -> str | None:
        """See `rows.Known`."""
        known: Customer = self._ask.state(customer, customer_id)
        wanted = plain_text(name)
        for location_id, place in known.locations.items():
            if isinstance(place, Place) and plain_text(place.name) == wanted:
                return location_id
        return None

    def subprocess(self, process: str, subprocess: str) -> list[tuple[str, str]]:
        """See `rows.Known`."""
        wanted, under = plain_text(subprocess), plain_text(process)
        return [
            (process_id, subprocess_id)
            for process_id, process_name, subprocess_id, name in self._subprocesses
            if wanted in (name, plain_text(subprocess_id))
            and (not under or under in (process_name, plain_text(process_id)))
        ]

    def check_assignee(self, user_id: str) -> None:
        """See `rows.Known`."""
        self._once(user_id, check_user)

    def check_team(self, team_id: str) -> None:
        """See `rows.Known`."""
        self._once(team_id, check_team)

    @cached_property
    def _subprocesses(self) -> list[tuple[str, str, str, str]]:
        found = []
        # Which processes there are stands in the read model; what they are now, in their own streams.
        for row in self._ask.reads["processes"].find({}):
            known: Process = self._ask.state(process, row["id"])
            if not known.active:
                continue
            found += [
                (row["id"], _plain(known.name), id, _plain(sub.name))
                for id, sub in known.subprocesses.items()
                if sub.active
            ]
        return found

    def _once(self, id: str, check: Callable[[Ask, str], None]) -> None:
        if id not in self._people:
            try:
                check(self._ask, id)
                self._people[id] = None
            except Rejected as refused:
                self._people[id] = refused.code
        if code := self._people[id]:
            raise Rejected(code)


def _plain(name: str | Erased) -> str:
    return "" if isinstance(name, Erased) else plain_text(name)
