"""A technician's phone as the protocol wants it: numbers its work, keeps what is not answered, believes pulls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.kernel.clock import new_id
from tests.unit.tasks.office import Office

Work = dict[str, Any]


class Phone:
    """One installation of one person. `outbox`: work without a final result; `view`: what it has pulled."""

    def __init__(self, office: Office, user_id: str) -> None:
        self.office = office
        self.user_id = user_id
        self.device_id = new_id()
        self.outbox: list[Work] = []
        self.results: dict[str, dict[str, Any]] = {}
        self.view: dict[tuple[str, str], dict[str, Any]] = {}
        self.cursor: str | None = None
        self.through = 0
        self._seq = 0

    def did(self, type: str, subject: tuple[str, str] | None, base_version: int | None = None, **body: Any) -> Work:
        """Something was done on the phone, with or without a network."""
        self._seq += 1
        now = self.office.app.clock.now() - timedelta(hours=5)
        work: Work = {
            "id": new_id(),
            "seq": self._seq,
            "type": type,
            "schema": 1,
            "occurred_at": now.replace(tzinfo=None).isoformat(timespec="seconds") + "-05:00",
            "mono_ms": int(now.timestamp() * 1_000) % 10**9,
            "boot_id": "b1",
            "body": body,
        }
        if subject is not None:
            work["aggregate"] = {"kind": subject[0], "id": subject[1]}
        if base_version is not None:
            work["base_version"] = base_version
        self.outbox.append(work)
        return work

    def push(self, *window: Work, **more: Any) -> list[dict[str, Any]]:
        """Send some work (all that waits, when none is named); what the server answers."""
        sent = list(window) or list(self.outbox)
        batch = {
            "device_id": self.device_id,
            "received_at": self.office.app.clock.now(),
            "offset_ms": 0,
            "commands": [{**work, "sent": work} for work in sent],
            **more,
        }
        return list(self.office.do("take_commands", self.user_id, **batch)["results"])

    def heard(self, results: list[dict[str, Any]]) -> None:
        """The answer has come through."""
        for result in results:
            if result["status"] == "deferred":
                continue
            known = self.results.setdefault(result["id"], result)
            assert known == result, "another answer to the same command"
            self.outbox = [work for work in self.outbox if work["id"] != result["id"]]

    def sync(self) -> list[dict[str, Any]]:
        """Send everything, hear everything, pull everything."""
        results = self.push() if self.outbox else []
        self.heard(results)
        self.pull()
        return results

    def page(self, limit: int = 500) -> dict[str, Any]:
        """Ask for what is new."""
        asked = {"device_id": self.device_id, "limit": limit} | ({"cursor": self.cursor} if self.cursor else {})
        return dict(self.office.ask("sync_pull", self.user_id, **asked))

    def take(self, page: dict[str, Any]) -> None:
        """Believe a page."""
        if page["reset"]:
            self.view.clear()
        for change in page["changes"]:
            key = (change["kind"], change["id"])
            if change["op"] == "put":
                self.view[key] = change["data"]
            else:
                self.view.pop(key, None)
        self.cursor, self.through = page["cursor"], page["through_seq"]

    def pull(self, limit: int = 500) -> None:
        """Page by page to the end."""
        for _ in range(1_000):
            page = self.page(limit)
            self.take(page)
            if not page["more"]:
                return
        raise AssertionError("the feed has no end")

    def tasks(self) -> dict[str, dict[str, Any]]:
        """The tasks on the phone."""
        return {id: data for (kind, id), data in self.view.items() if kind == "task"}
