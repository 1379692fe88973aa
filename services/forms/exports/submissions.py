"""Submissions of a form as tables: one row each, and one for every repetition of a group, under its parent's key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import AwareDatetime

from services.forms.contents import load
from services.forms.domain.form import Form, form
from services.forms.domain.schema import Content
from services.forms.exports.answers import Answers, Choices, Column, columns, left_over, rows_of
from services.forms.exports.layout import Table, layout
from services.forms.readmodels.submissions import SubmissionsQuery, narrowed
from services.forms.standing import READ
from services.kernel.application import Ask, Query
from services.kernel.domain import Erased, Rejected
from services.kernel.exporting import columns as usual
from services.kernel.exporting.job import Sheet
from services.kernel.exporting.kinds import Cell, ExportKind, Plan, Row, Thing, Wanted
from services.kernel.exporting.people import People

CARDS, ANSWERS = "submissions", "submission_answers"
STATUSES = {
    "accepted": ("Aceptado", "Accepted"),
    "parked": ("En espera de decisión", "Waiting for a decision"),
    "released": ("Liberado", "Released"),
    "discarded": ("Descartado", "Discarded"),
}


class SubmissionFilters(Query):
    """Which submissions of which form, and how choices are told: by label, by code, or by both.

    With `split` each option of a multiple choice also has a column of its own.
    """

    form_id: str
    task_id: str | None = None
    user_id: str | None = None
    status: tuple[str, ...] = ()
    complete: bool | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    choices: Choices = "both"
    split: bool = False

    @property
    def chosen(self) -> SubmissionsQuery:
        """The same as a question for submissions."""
        names = {"form_id", "task_id", "user_id", "status", "complete"}
        given = self.model_dump(include=names, exclude_none=True)
        return SubmissionsQuery.model_validate({**given, "from": self.since, "to": self.until})


def _card(english: bool, people: People) -> list[usual.Column]:
    return [
        ("Id", "Id", usual.field("id")),
        ("Versión del formulario", "Form version", usual.field("form_version")),
        ("Estado", "Status", lambda card: STATUSES[card["status"]][english]),
        ("Tarea", "Task", usual.field("task_id")),
        ("Diligenciado por", "Filled in by", lambda card: people.called(card["user_id"])),
        ("Diligenciado", "Filled in", usual.moment("occurred_at")),
        ("Recibido", "Received", usual.moment("received_at")),
        ("Hora dudosa", "Time in doubt", usual.field("time_suspect")),
        ("Completo", "Complete", usual.field("complete")),
        ("Archivos recibidos", "Media arrived", usual.field("media_arrived")),
        ("Archivos declarados", "Media declared", usual.field("media_declared")),
        ("Correcciones", "Amendments", usual.field("amendments")),
        ("Latitud", "Latitude", usual.field("place", "lat")),
        ("Longitud", "Longitude", usual.field("place", "lon")),
        ("Id de quien diligenció", "Id of who filled in", usual.field("user_id")),
    ]


def _known(ask: Ask, form_id: str) -> Form:
    known: Form = ask.state(form, form_id)
    if not known.exists:
        raise Rejected("form-unknown", form_id=form_id)
    return known


def _check(ask: Ask, filters: Mapping[str, Any]) -> None:
    _known(ask, filters["form_id"])


def _plan(wanted: Wanted) -> Plan:
    filters = SubmissionFilters.model_validate(wanted.filters)
    known = _known(wanted.ask, filters.form_id)
    documents = [load(wanted.ask, version.hash) for _, version in sorted(known.versions.items())]
    tables = layout([Content.model_validate(document) for document in documents if document], wanted.language)
    name = known.header[0]
    title, people = "" if isinstance(name, Erased) else name, People(wanted.ask)
    sheets = [_Sheet(table, wanted, filters, people).sheet(title) for table in tables]
    filter = narrowed(filters.chosen, wanted.ask)
    scope = {"filter": filter, "tables": [table.model_dump(mode="json") for table in tables]}
    return Plan(sheets, wanted.ask.reads[CARDS].count(filter), scope)


def _rows(wanted: Wanted, scope: Mapping[str, Any], after: str) -> Iterator[Thing]:
    filters = SubmissionFilters.model_validate(wanted.filters)
    tables = [Table.model_validate(table) for table in scope["tables"]]
    people = People(wanted.ask)
    sheets = [_Sheet(table, wanted, filters, people) for table in tables]
    reads, tenant = wanted.ask.reads, wanted.ask.caller.tenant
    for cards in usual.batches(reads[CARDS].walk(scope["filter"], after=after)):
        people.learn(card["user_id"] for card in cards)
        ids = [f"{tenant}:{card['id']}" for card in cards]
        full = {doc["id"]: doc for doc in reads[ANSWERS].find({"_id": {"$in": ids}})}
        for card in cards:
            doc = full.get(card["id"], {})
            answers = json.loads(doc.get("answers", "{}"))
            rest = left_over(answers, tables)
            rows = [
                (number, row)
                for number, sheet in enumerate(sheets)
                for row in sheet.rows({**card, "place": doc.get("place")}, answers, rest)
            ]
            yield Thing(card["id"], rows)


class _Sheet:
    """One table, ready for rows."""

    def __init__(self, table: Table, wanted: Wanted, filters: SubmissionFilters, people: People) -> None:
        self._table = table
        self._english = wanted.language == "en"
        self._card = _card(self._english, people)
        self._columns: list[tuple[str, list[Column]]] = [
            (field.name, columns(field, wanted.language, filters.choices, filters.split)) for field in table.fields
        ]
        self._language = wanted.language

    def sheet(self, form_name: str) -> Sheet:
        """Its name and headings."""
        answers = [heading for _, several in self._columns for heading, _ in several]
        if not self._table.path:
            before = usual.headings(self._card, self._language)
            name, behind = form_name, ["Other answers" if self._english else "Otras respuestas"]
        else:
            before = ["Submission" if self._english else "Respuesta", *(f"{group} #" for group in self._table.path)]
            name, behind = self._table.heading, []
        return Sheet(name=name, headings=(*before, *answers, *behind))

    def rows(self, card: Mapping[str, Any], answers: Answers, rest: Cell) -> Iterator[Row]:
        """The rows of one submission."""
        if not self._table.path:
            yield [*usual.cells(self._card, card), *self._cells(answers), rest]
            return
        for numbers, repetition in rows_of(answers, self._table.path):
            yield [card["id"], *numbers, *self._cells(repetition)]

    def _cells(self, answers: Answers) -> Iterator[Cell]:
        for name, several in self._columns:
            answer = answers.get(name)
            for _, read in several:
                yield read(answer)


submissions = ExportKind(
    name="submissions",
    permission=READ,
    titles={"es": "respuestas", "en": "submissions"},
    filters=SubmissionFilters,
    plan=_plan,
    rows=_rows,
    check=_check,
)
