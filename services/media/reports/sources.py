"""What other services know of a task or a submission, asked for at the moment when it is put on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.kernel.application import Ask
from services.kernel.domain import Rejected

BY = "reports"
MOST_SUBMISSIONS = 60
AT_ONCE = 500

Document = Mapping[str, Any]


class Sources:
    """Questions to peers, each asked once. Everything raises PeerAway, which is worth another attempt, or Rejected."""

    def __init__(self, ask: Ask) -> None:
        self._peers = ask.ports["peers"]()
        self._tenant = ask.caller.tenant
        self._answers: dict[tuple[str, str, str], Document | None] = {}

    def account(self) -> Document:
        """The account."""
        return self._ask("identity", "account", {})

    def task(self, task_id: str) -> Document:
        """A task in full. Raises Rejected("task-unknown")."""
        return self._ask("tasks", "task", {"task_id": task_id})

    def submission(self, submission_id: str) -> Document:
        """A submission in full. Raises Rejected("submission-unknown")."""
        return self._ask("forms", "submission", {"submission_id": submission_id})

    def submissions(self, task_id: str) -> Iterator[Document]:
        """The submissions of a task that prove something, in the order in which they were filled in."""
        asked = {"task_id": task_id, "status": ["accepted", "released"], "limit": MOST_SUBMISSIONS}
        cards = self._ask("forms", "submissions", asked)["items"]
        for card in sorted(cards, key=lambda card: (str(card["occurred_at"]), str(card["id"]))):
            yield self.submission(card["id"])

    def form(self, form_id: str) -> Document | None:
        """What a form is called; None where there is none (any more)."""
        return self._known("forms", "form", {"form_id": form_id})

    def form_version(self, form_id: str, version: int) -> Document | None:
        """What the version asks; None where there is no such version, or where it was erased."""
        return self._known("forms", "form_version", {"form_id": form_id, "version": version})

    def customer(self, customer_id: str | None) -> Document | None:
        """A customer with its locations."""
        return self._known("tasks", "customer", {"customer_id": customer_id}) if customer_id else None

    def equipment(self, equipment_id: str | None) -> Document | None:
        """A piece of equipment."""
        return self._known("tasks", "equipment", {"equipment_id": equipment_id}) if equipment_id else None

    def task_fields(self) -> Iterator[Document]:
        """The fields of its own that the account asks about tasks, in their order."""
        for entity in self._ask("tasks", "dynamic_fields", {"entity": "task"})["items"]:
            for section in entity["sections"]:
                yield from section["fields"]

    def names(self, users: Iterable[str | None], teams: Iterable[str | None] = ()) -> dict[str, str]:
        """What people and teams are called, those that are known; policies of the platform have no names."""
        wanted = {"users": _ids(users)[:AT_ONCE], "teams": _ids(teams)[:AT_ONCE]}
        found = self._ask("identity", "names", wanted)
        return {**found["users"], **found["teams"]}

    def _known(self, service: str, query: str, params: Document) -> Document | None:
        key = (service, query, repr(sorted(params.items())))
        if key not in self._answers:
            try:
                self._answers[key] = self._ask(service, query, params)
            except Rejected as refused:
                if not refused.code.endswith("-unknown"):
                    raise
                self._answers[key] = None
        return self._answers[key]

    def _ask(self, service: str, query: str, params: Document) -> dict[str, Any]:
        answer: dict[str, Any] = self._peers.query(service, query, params, tenant=self._tenant, by=BY)
        return answer


def _ids(ids: Iterable[str | None]) -> list[str]:
    return sorted({id for id in ids if id and ":" not in id})
