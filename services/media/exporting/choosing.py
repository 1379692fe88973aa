"""Which media go into an export, and where in the package each lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from services.kernel.application import Ask, Query
from services.kernel.domain import Rejected
from services.kernel.paging import every
from services.kernel.shown import shown, stamp
from services.media.domain.medium import Medium, medium
from services.media.domain.values import ENDINGS, Id, Taken, hex_of
from services.media.exporting.naming import Names, safe
from services.media.reports.sources import Sources
from services.media.standing import people_seen

MOST_FILES = 10_000
_WORDS: Mapping[str, Mapping[str, str]] = {
    "es": {"task": "Sin tarea", "form": "Formulario", "erased": "borrado"},
    "en": {"task": "No task", "form": "Form", "erased": "erased"},
}


class MediaFilters(Query):
    """Which evidence: that of a task, a submission, a form, a person, handed in between two moments."""

    task_id: Id | None = None
    submission_id: Id | None = None
    form_id: Id | None = None
    user_id: Id | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """One file of the package: the original of an item, at one question of one submission."""

    path: str
    media_id: str
    bytes: int
    type: str
    taken: Taken | None
    field: str
    submission_id: str
    task_id: str | None
    task: str
    form_id: str
    form: str
    user_id: str
    user: str
    at: str


def chosen(ask: Ask, filters: MediaFilters, language: str, zone: str) -> Iterator[Chosen]:
    """What the caller sees of what is asked for, by submission.

    Raises PeerAway, which is worth another attempt, or Rejected("export-too-large").
    """
    called, names, words = _Called(ask), Names(), _WORDS[language]
    count = 0
    for use in ask.reads["uses"].walk(_wanted(ask, filters)):
        task = called.task(use["task_id"]) if use["task_id"] else words["task"]
        form = called.form(use["form_id"]) or words["form"]
        local = datetime.fromisoformat(use["at"]).astimezone(ZoneInfo(zone))
        of = f" {use['task_id'][-8:]}" if use["task_id"] else ""
        folder = "/".join((safe(form), safe((task or words["erased"]) + of), f"{local:%Y-%m-%d %H%M} {use['id'][-8:]}"))
        for item in use["media"]:
            known: Medium = ask.state(medium, hex_of(item["id"]))
            if known.stored is None or known.status != "stored":
                continue
            count += 1
            if count > MOST_FILES:
                raise Rejected("export-too-large", most=MOST_FILES)
            name = safe(item["path"] or item["kind"])
            yield Chosen(
                path=names.of(folder, name, ENDINGS[known.stored.type]),
                media_id=item["id"],
                bytes=known.stored.bytes,
                type=known.stored.type,
                taken=shown(known.stored.taken),
                field=item["path"],
                submission_id=use["id"],
                task_id=use["task_id"],
                task=task or "",
                form_id=use["form_id"],
                form=form,
                user_id=use["user_id"],
                user=called.person(use["user_id"]),
                at=use["at"],
            )


def _wanted(ask: Ask, filters: MediaFilters) -> dict[str, Any]:
    equal = filters.model_dump(include={"task_id", "form_id", "user_id"}, exclude_none=True)
    seen = people_seen(ask)
    parts: list[Mapping[str, Any]] = [equal, {} if seen is None else {"user_id": {"$in": sorted(seen)}}]
    if filters.submission_id is not None:
        parts.append({"_id": f"{ask.caller.tenant}:{filters.submission_id}"})
    if filters.since is not None:
        parts.append({"at": {"$gte": stamp(filters.since)}})
    if filters.until is not None:
        parts.append({"at": {"$lt": stamp(filters.until)}})
    return every(*parts)


class _Called:
    """What forms, tasks and people are called, asked for once each."""

    def __init__(self, ask: Ask) -> None:
        self._sources = Sources(ask)
        self._tasks: dict[str, str | None] = {}
        self._people: dict[str, str] = {}

    def form(self, form_id: str) -> str | None:
        form = self._sources.form(form_id)
        return form["name"] if form else None

    def task(self, task_id: str) -> str | None:
        if task_id not in self._tasks:
            try:
                self._tasks[task_id] = self._sources.task(task_id)["title"]
            except Rejected as refused:
                if refused.code != "task-unknown":
                    raise
                self._tasks[task_id] = None
        return self._tasks[task_id]

    def person(self, user_id: str) -> str:
        if user_id not in self._people:
            self._people[user_id] = self._sources.names([user_id]).get(user_id, "")
        return self._people[user_id]
