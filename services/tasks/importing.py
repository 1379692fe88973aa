"""Imports at work: reads the file, judges its rows, and later turns the good ones into commands, each once."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from services.kernel.application import Ask
from services.kernel.domain import Command, Rejected
from services.kernel.objects import fetch
from services.tasks.customers import claim, edition, holder_of, plain_code
from services.tasks.domain.customer import (
    AddLocation,
    CreateCustomer,
    EditCustomer,
    EditLocation,
    Place,
    customer,
)
from services.tasks.domain.import_job import (
    MAX_BYTES,
    DiscardImport,
    ImportJob,
    ImportRequested,
    RecordCheck,
    RecordRows,
    RejectImport,
    RowError,
    import_job,
)
from services.tasks.domain.task import task
from services.tasks.domain.task_planning import OpenTask
from services.tasks.known import KnownHere
from services.tasks.sheets.columns import CUSTOMER_COLUMNS, TASK_COLUMNS
from services.tasks.sheets.reader import FileRejected, Row, Table, read_table
from services.tasks.sheets.rows import BadRow, CustomerRow, Wrong, customer_row, task_row
from services.tasks.standing import demand, demand_system
from services.tasks.work import opening_facts

CHUNK = 250
LISTED_ERRORS = 500
Fields = Mapping[str, Any]


def requesting(ask: Ask) -> Fields:
    """Who may ask for an import, and that the file is the account's own."""
    demand(ask.caller, "imports:edit")
    # The key comes with the request; without this, it could name another account's file.
    key = str(ask.data.get("object_key", ""))
    if not key.startswith(f"{ask.caller.tenant}/") or ".." in key:
        raise Rejected("object-unknown")
    kind = ask.data.get("kind")
    if kind in ("customers", "tasks"):
        demand(ask.caller, f"{kind}:edit")
    return ask.data


def deciding(ask: Ask) -> Fields:
    """Who may apply or discard an import."""
    demand(ask.caller, "imports:edit")
    return ask.data


def check_import(ask: Ask) -> Fields:
    """The dry run: every row judged, nothing changed."""
    import_id, job = _job(ask)
    if job.status != "requested" or job.requested is None:
        return {}
    try:
        table = _read(ask, job.requested)
    except FileRejected as useless:
        fields = {"import_id": import_id, "code": useless.code, "columns": useless.columns}
        return _recorded(ask, import_id, ask.make(RejectImport, fields), "reject")
    rows = _Rows(ask, job.requested, table)
    found: list[tuple[int, Wrong]] = []
    bad = 0
    for row in table.rows:
        try:
            rows.judge(row)
        except BadRow as refused:
            bad += 1
            found += [(row.number, wrong) for wrong in refused.wrong]
    listed = found[:LISTED_ERRORS]
    check: dict[str, Any] = {
        "import_id": import_id,
        "rows": len(table.rows),
        "good": len(table.rows) - bad,
        "bad": bad,
        "errors": [RowError(row=n, column=w.column, code=w.code) for n, w in listed],
        "unlisted": len(found) - len(listed),
        "values": {f"{n}:{w.column}": w.value for n, w in listed},
        "ignored_columns": table.ignored,
    }
    return _recorded(ask, import_id, ask.make(RecordCheck, check), "check")


def apply_rows(ask: Ask) -> Fields:
    """The next rows of an import that is under way.

    Every row is a commit of its own, named after this request and the row's number, and what it makes
    has an id made of the import and the row: killed in the middle and done again, nothing doubles.
    """
    import_id, job = _job(ask)
    if job.status != "applying" or job.requested is None:
        return {}
    try:
        table = _read(ask, job.requested)
    except FileRejected:
        table = Table((), ())  # the file is gone or was changed: what was applied stays, the rest is not
    rows = _Rows(ask, job.requested, table, applied_by=job.applied_by)
    ahead = [row for row in table.rows if row.number > job.upto]
    applied, skipped, refused = 0, 0, []
    for row in ahead[:CHUNK]:
        try:
            rows.apply(row)
            applied += 1
        except BadRow:
            skipped += 1
        except Rejected as late:
            refused.append(RowError(row=row.number, column="", code=late.code))
    fields = {
        "import_id": import_id,
        "after": job.upto,
        "upto": ahead[:CHUNK][-1].number if ahead else job.upto,
        "applied": applied,
        "skipped": skipped,
        "refused": refused,
        "last": len(ahead) <= CHUNK,
    }
    return _recorded(ask, import_id, ask.make(RecordRows, fields), f"rows/{job.upto}")


def expire_import(ask: Ask) -> Fields:
    """An import that nobody applied goes, with its file."""
    import_id, job = _job(ask)
    if job.status not in ("requested", "checked"):
        return {}
    return _recorded(ask, import_id, ask.make(DiscardImport, {"import_id": import_id}), "expire")


def _job(ask: Ask) -> tuple[str, ImportJob]:
    demand_system(ask.caller)
    import_id = str(ask.data.get("import_id"))
    return import_id, ask.state(import_job, import_id)


def _recorded(ask: Ask, import_id: str, command: Command, part: str) -> Fields:
    return ask.handle(import_job, import_id, command, part=part).to_wire()


def _read(ask: Ask, requested: ImportRequested) -> Table:
    columns = CUSTOMER_COLUMNS if requested.kind == "customers" else TASK_COLUMNS
    data = fetch(ask.ports["objects"](), ask.settings.s3_bucket, requested.object_key, MAX_BYTES)
    if data is None:
        raise FileRejected("file-missing")
    if len(data) > MAX_BYTES:
        raise FileRejected("file-too-large")
    if sha256(data).hexdigest() != requested.sha256:
        raise FileRejected("file-changed")
    return read_table(data, columns)


class _Rows:
    """The rows of one import, judged and applied against what the account has."""

    def __init__(self, ask: Ask, requested: ImportRequested, table: Table, applied_by: str = "") -> None:
        self._ask = ask
        self._requested = requested
        self._applied_by = applied_by
        self._known = KnownHere(ask)
        self._first: dict[str, int] = {}
        for row in table.rows:
            self._first.setdefault(plain_code(row.cells.get("code", "")), row.number)

    def judge(self, row: Row) -> None:
        """Raises BadRow."""
        if self._requested.kind == "tasks":
            task_row(row, self._known)
            return
        asked = customer_row(row)
        if self._first[plain_code(asked.profile.code)] != row.number:
            raise BadRow([Wrong("code", "doubled-in-file", asked.profile.code)])

    def apply(self, row: Row) -> None:
        """Carry the row out. Raises BadRow, or Rejected when the domain refuses what looked good."""
        if self._requested.kind == "tasks":
            self._open_task(row)
            return
        self.judge(row)
        self._put_customer(row, customer_row(row))

    def _open_task(self, row: Row) -> None:
        fields = {**task_row(row, self._known), "task_id": self._id(row, "task")}
        wanted = self._ask.make(OpenTask, fields)
        assert isinstance(wanted, OpenTask)
        facts = opening_facts(self._ask, wanted)
        # The person who applied the import opened its tasks, though the system carries them out.
        opened = wanted.model_copy(update={"facts": facts, "by": self._applied_by})
        self._ask.handle(task, wanted.task_id, opened, part=f"row/{row.number}")

    def _put_customer(self, row: Row, asked: CustomerRow) -> None:
        """Create the customer, or bring the one with this code up to date; empty cells take nothing away."""
        known = holder_of(self._ask, asked.profile.code)
        customer_id = known or self._id(row, "customer")
        part = f"row/{row.number}"
        if known is None or known == self._id(row, "customer"):
            profile = asked.profile
            held = claim(self._ask, customer_id, profile.code)
            fields = {"customer_id": customer_id, "claim": held, "profile": profile}
            self._ask.handle(customer, customer_id, self._ask.make(CreateCustomer, fields), part=part)
        else:
            changes = asked.profile.model_dump(include=set(asked.given))
            fields = dict(edition(self._ask, {"customer_id": customer_id, **changes}))
            self._ask.handle(customer, customer_id, self._ask.make(EditCustomer, fields), part=part)
        if asked.place is not None:
            self._put_location(row, customer_id, asked.place)

    def _put_location(self, row: Row, customer_id: str, place: Place) -> None:
        location_id = self._known.location(customer_id, place.name)
        ids = {"customer_id": customer_id, "location_id": location_id or self._id(row, "location")}
        if location_id is None:
            command = self._ask.make(AddLocation, {**ids, "place": place})
        else:
            command = self._ask.make(
                EditLocation, {**ids, "changes": place.model_dump(exclude_unset=True, exclude_none=True)}
            )
        self._ask.handle(customer, customer_id, command, part=f"row/{row.number}/location")

    def _id(self, row: Row, thing: str) -> str:
        return str(uuid5(UUID(self._requested.import_id), f"{thing}:{row.number}"))
