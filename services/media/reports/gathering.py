"""Puts a task or a submission on paper: asks whoever knows, and says it in the words of the report's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from services.kernel.application import Ask
from services.kernel.domain import Rejected
from services.kernel.shown import shown
from services.media.domain.evidence_settings import EvidenceSettings, evidence_settings
from services.media.domain.report import ReportRequested
from services.media.reports.answers import Reading
from services.media.reports.evidence import Evidence
from services.media.reports.paper import (
    Amendment,
    Answers,
    Chart,
    Company,
    Line,
    Paper,
    Remark,
    Spot,
    State,
    Step,
)
from services.media.reports.sources import Sources
from services.media.reports.speech import Speech, way

MOST_STEPS = 60
MOST_SPOTS = 40
_STATES: Mapping[str, State] = {
    "pending": "pending",
    "in_progress": "in_progress",
    "completed": "completed",
    "cancelled": "cancelled",
}

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gathered:
    """A paper, the evidence that stands on it, and the time zone of its clocks."""

    paper: Paper
    evidence: Evidence
    time_zone: str


def gather(ask: Ask, report_id: str, wanted: ReportRequested) -> Gathered:
    """Everything as it is now.

    Raises PeerAway, which is worth another attempt, or Rejected ("task-unknown", "submission-unknown").
    """
    sources = Sources(ask)
    account = sources.account()
    zone = str(account["time_zone"])
    speech = Speech(wanted.language, ZoneInfo(zone))
    evidence = Evidence(ask, speech)
    settled: EvidenceSettings = ask.state(evidence_settings, ask.caller.tenant)
    company = Company(name=account["name"], logo=evidence.logo(settled.logo), footer=shown(settled.footer) or "")
    work = _Work(sources, speech, evidence, ask.settings.app_url)
    told = work.task(wanted.subject_id) if wanted.kind == "task" else work.submission(wanted.subject_id)
    paper = Paper(kind=wanted.kind, language=wanted.language, report_id=report_id, company=company, **told)
    return Gathered(paper, evidence, zone)


class _Work:
    """One report being gathered."""

    def __init__(self, sources: Sources, speech: Speech, evidence: Evidence, app_url: str) -> None:
        self._sources = sources
        self._speech = speech
        self._word = speech.word
        self._evidence = evidence
        self._app_url = app_url
        self._names: dict[str, str] = {}
        self._spots: list[Spot] = []

    def task(self, task_id: str) -> dict[str, Any]:
        task = self._sources.task(task_id)
        submissions = list(self._sources.submissions(task_id))
        self._learn_names([task], submissions)
        customer = self._sources.customer(task["customer_id"])
        location = _location(customer, task["location_id"])
        site = location.get("position")
        stages = {stage["stage_id"]: stage for stage in task["stages"]}
        self._presences(task, stages)
        answers = tuple(self._answers(submission) for submission in submissions)
        radius = [stage["radius_m"] for stage in task["stages"] if stage.get("radius_m")]
        return {
            "title": task["title"],
            "code": f"{self._word['task']} {task_id[-8:]}",
            "state": _STATES[task["status"]],
            "state_name": self._word[f"{task['status']}-state"],
            "stage": task["stage_name"] or "",
            "facts": tuple(self._task_facts(task, customer, location)),
            "description": task["description"],
            "steps": tuple(self._steps(task, stages))[-MOST_STEPS:],
            "chart": self._chart(site, min(radius) if radius else None),
            "remarks": tuple(
                Remark(at=self._at(note["at"]), by=self._called(note["user_id"]), text=note["text"])
                for note in task["notes"]
            ),
            "answers": answers,
        }

    def submission(self, submission_id: str) -> dict[str, Any]:
        submission = self._sources.submission(submission_id)
        task = self._task_of(submission)
        self._learn_names([task] if task else [], [submission])
        customer = self._sources.customer(task["customer_id"]) if task else None
        location = _location(customer, task["location_id"]) if task else {}
        answers = self._answers(submission)
        state = _standing(submission)
        facts = [*answers.lines]
        if task:
            facts = [Line(name=self._word["task"], text=task["title"]), *self._where(task, customer, location), *facts]
        return {
            "title": answers.form,
            "code": f"{self._word['submission']} {submission_id[-8:]}",
            "state": state,
            "state_name": self._word[f"{'complete' if state == 'completed' else state}-state"],
            "facts": tuple(facts),
            "chart": self._chart(location.get("position"), None),
            "answers": (answers.model_copy(update={"lines": ()}),),
        }

    def _task_of(self, submission: Document) -> Document | None:
        if submission["task_id"] is None:
            return None
        try:
            return self._sources.task(submission["task_id"])
        except Rejected as refused:
            if refused.code != "task-unknown":
                raise
            return None

    def _learn_names(self, tasks: Sequence[Document], submissions: Sequence[Document]) -> None:
        users: list[str | None] = []
        for task in tasks:
            users += [task["user_id"], task["opened_by"]]
            users += [line["by"] for line in task["history"]]
            users += [note["user_id"] for note in task["notes"]]
        for submission in submissions:
            users += [submission["user_id"], *(one["by"] for one in submission["amendments"])]
        self._names = self._sources.names(users, [task["team_id"] for task in tasks])

    def _called(self, id: str | None) -> str:
        return self._names.get(id or "", "")

    def _at(self, stamp: str | None) -> str:
        return self._speech.moment(datetime.fromisoformat(stamp)) if stamp else ""

    def _task_facts(self, task: Document, customer: Document | None, location: Document) -> Iterator[Line]:
        started = next((line["at"] for line in task["history"] if _began(line)), None)
        window = self._speech.window(*(_moment(task["window"][end]) for end in ("start", "end")))
        process = " / ".join(name for name in (task["process_name"], task["subprocess_name"]) if name)
        when = [
            self._line("technician", self._called(task["user_id"])),
            self._line("team", self._called(task["team_id"])),
            self._line("window", window),
            self._line("started", self._at(started)),
            self._line("completed", self._at(task["completed_at"])),
            self._line("process", process),
            self._line("priority", self._word[task["priority"]] if task["priority"] in ("high", "urgent") else ""),
        ]
        # Left where and for whom, right who and when.
        pairs = zip_longest(self._where(task, customer, location), (line for line in when if line.text))
        yield from (line for pair in pairs for line in pair if line is not None)
        yield from self._own_fields(task)

    def _where(self, task: Document, customer: Document | None, location: Document) -> Iterator[Line]:
        if task["customer_id"]:
            yield Line(name=self._word["customer"], text=customer["name"] if customer else None)
        if customer and location:
            yield Line(name=self._word["location"], text=location["name"])
        if customer:
            parts = [location.get("address") or customer["address"], customer["city"], customer["department"]]
            parts.append(customer["country"])
            if address := ", ".join(part for part in parts if part):
                yield Line(name=self._word["address"], text=address)
        if task["equipment_id"]:
            yield Line(name=self._word["equipment"], text=self._equipment(task["equipment_id"]))

    def _equipment(self, equipment_id: str) -> str | None:
        plate = self._sources.equipment(equipment_id)
        if plate is None or plate["name"] is None:
            return None
        marks = [f"{self._word[mark]} {plate[mark]}" for mark in ("serial", "model") if plate.get(mark)]
        return "\n".join([str(plate["name"]), *([" · ".join(marks)] if marks else [])])

    def _own_fields(self, task: Document) -> Iterator[Line]:
        values = task["fields"]
        if not values:
            return
        for field in self._sources.task_fields():
            value = values.get(field["key"])
            if field["label"] and value not in (None, "", []):
                yield Line(name=field["label"], text=self._value(field, value))

    def _value(self, field: Document, value: Any) -> str:
        match value:
            case bool():
                return self._word["yes" if value else "no"]
            case int() | float():
                return self._speech.number(value)
            case list():
                return "; ".join(map(str, value))
            case _ if field["type"] == "date":
                return self._speech.day(datetime.fromisoformat(str(value)).date())
            case _:
                return str(value)

    def _line(self, name: str, text: str) -> Line:
        return Line(name=self._word[name], text=text)

    def _steps(self, task: Document, stages: Mapping[str, Document]) -> Iterator[Step]:
        for line in task["history"]:
            at, by = self._at(line["at"]), self._called(line["by"])
            match line["what"]:
                case "TaskOpened":
                    yield Step(name=self._word["opened"], state="pending", at=at, by=by)
                case "TaskAdvanced":
                    name = stages.get(line["to"]["stage"], {}).get("name")
                    yield Step(name=name, state=_STATES[line["to"]["generic_state"]], at=at, by=by)
                case "TaskReopened":
                    state = _STATES[line["to"]["generic_state"]]
                    yield Step(name=self._word["reopened"], state=state, at=at, by=by)
                case "TaskCancelled":
                    yield Step(name=self._word["cancelled"], state="cancelled", at=at, by=by)

    def _presences(self, task: Document, stages: Mapping[str, Document]) -> None:
        for line in task["history"]:
            position = line["to"].get("position")
            if line["what"] == "PresenceConfirmed" and isinstance(position, dict) and "lat" in position:
                name = stages.get(line["to"]["stage_id"], {}).get("name")
                self._note_spot(position, name, line["at"])

    def _note_spot(self, position: Document, name: str | None, at: str | None) -> None:
        lat, lon, accuracy = position["lat"], position["lon"], position.get("accuracy_m")
        self._spots.append(Spot(number=0, lat=lat, lon=lon, accuracy_m=accuracy, name=name, at=self._at(at)))

    def _chart(self, site: Document | None, radius_m: int | None) -> Chart | None:
        numbered = [
            spot.model_copy(update={"number": n, "away": self._away(site, spot)})
            for n, spot in enumerate(self._spots[:MOST_SPOTS], start=1)
        ]
        if site:
            numbered.insert(0, Spot(number=None, lat=site["lat"], lon=site["lon"], name=self._word["site"]))
        return Chart(spots=tuple(numbered), radius_m=radius_m if site else None) if numbered else None

    def _away(self, site: Document | None, spot: Spot) -> str:
        if not site:
            return ""
        metres, _ = way(site["lat"], site["lon"], spot.lat, spot.lon)
        return self._word["from-site"].format(self._speech.distance(metres))

    def _answers(self, submission: Document) -> Answers:
        form = self._sources.form(submission["form_id"])
        version = self._sources.form_version(submission["form_id"], submission["form_version"])
        self._evidence.learn(submission["media"])
        name = form["name"] if form else None
        if submission["place"]:
            self._note_spot(submission["place"], name, submission["occurred_at"])
        common: dict[str, Any] = {
            "form": name,
            "lines": tuple(self._answer_lines(submission)),
            "received": submission["media_arrived"],
            "declared": submission["media_declared"],
            "standing": self._word["parked-state"] if submission["status"] == "parked" else "",
            "amendments": tuple(
                Amendment(
                    number=one["number"], at=self._at(one["at"]), by=self._called(one["by"]), reason=one["reason"]
                )
                for one in submission["amendments"]
            ),
        }
        content = version["content"] if version else None
        if content is None:
            return Answers(**common, erased=True)
        link = f"{self._app_url}/submissions/{submission['id']}"
        reading = Reading(content, self._speech, self._evidence.file, link)
        blocks = reading.blocks(submission["answers"])
        at = self._at(submission["occurred_at"])
        self._spots += [place.model_copy(update={"at": at}) for place in reading.places]
        return Answers(**common, blocks=blocks, missing=tuple(reading.missing))

    def _answer_lines(self, submission: Document) -> Iterable[Line]:
        if who := self._called(submission["user_id"]):
            yield self._line("filled-by", who)
        yield self._line("filled-at", self._at(submission["occurred_at"]))
        yield self._line("version", str(submission["form_version"]))


def _location(customer: Document | None, location_id: str | None) -> Document:
    known = customer["locations"] if customer and location_id else ()
    return next((place for place in known if place["location_id"] == location_id), {})


def _standing(submission: Document) -> State:
    if submission["status"] == "parked":
        return "parked"
    if submission["status"] == "discarded":
        return "cancelled"
    return "completed" if submission["complete"] else "incomplete"


def _began(line: Document) -> bool:
    return bool(line["what"] == "TaskAdvanced" and line["to"]["generic_state"] != "pending")


def _moment(stamp: str | None) -> datetime | None:
    return datetime.fromisoformat(stamp) if stamp else None
