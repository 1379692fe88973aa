"""The names of people and teams, which only identity keeps: asked for while an export is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from services.kernel.application import Ask

AT_ONCE = 500


class People:
    """What people and teams are called; asked for once each, and never longer than for one part of an export."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._names: dict[str, str | None] = {}

    def learn(self, users: Iterable[str | None], teams: Iterable[str | None] = ()) -> None:
        """Ask for those that are not known yet. Raises PeerAway: then it is worth another attempt."""
        wanted = {kind: self._unknown(ids) for kind, ids in (("users", users), ("teams", teams))}
        while any(wanted.values()):
            asked = {kind: ids[:AT_ONCE] for kind, ids in wanted.items()}
            wanted = {kind: ids[AT_ONCE:] for kind, ids in wanted.items()}
            tenant = self._ask.caller.tenant
            answer = self._ask.ports["peers"]().query("identity", "names", asked, tenant=tenant, by="export")
            for kind, ids in asked.items():
                found: Mapping[str, str] = answer[kind]
                self._names.update((id, found.get(id)) for id in ids)

    def called(self, id: str | None) -> str | None:
        """The name; the id of whom nobody knows any more."""
        return self._names.get(id) or id if id else None

    def _unknown(self, ids: Iterable[str | None]) -> list[str]:
        # Reactions and timers act under names of their own, which are no ids.
        return sorted({id for id in ids if id and ":" not in id and id not in self._names})
