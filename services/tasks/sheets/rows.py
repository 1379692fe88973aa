"""Judges the rows of an import: each is either what a command needs, or a list of cells that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from services.kernel.domain import Rejected
from services.tasks.domain.customer import Place, Profile
from services.tasks.domain.values import Window
from services.tasks.sheets.columns import PRIORITIES
from services.tasks.sheets.reader import Row, plain_text

DATE_FORMATS = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y")


@dataclass(frozen=True, slots=True)
class Wrong:
    """One cell that is not usable."""

    column: str
    code: str
    value: str


class BadRow(Exception):
    """A row with cells that are wrong."""

    def __init__(self, wrong: Sequence[Wrong]) -> None:
        super().__init__(*wrong)
        self.wrong = tuple(wrong)


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer, new or known by its code, and perhaps one location of it."""

    profile: Profile
    given: frozenset[str]
    place: Place | None


class Known(Protocol):
    """What the account has already, as a row may refer to it."""

    time_zone: str

    def customer(self, code: str) -> str | None:
        """The id of the customer with this code."""

    def location(self, customer_id: str, name: str) -> str | None:
        """The id of the customer's location of this name."""

    def subprocess(self, process: str, subprocess: str) -> list[tuple[str, str]]:
        """(process id, subprocess id) of all active subprocesses with this name or id."""

    def check_assignee(self, user_id: str) -> None:
        """Raises Rejected for somebody who cannot be given work."""

    def check_team(self, team_id: str) -> None:
        """Raises Rejected for an unknown team."""


@dataclass(slots=True)
class _Cells:
    """The cells of one row, and what was found wrong with them so far."""

    cells: Mapping[str, str]
    wrong: list[Wrong] = field(default_factory=list)

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def blame(self, column: str, code: str) -> None:
        self.wrong.append(Wrong(column, code, self[column][:200]))

    def number(self, column: str) -> float | None:
        if not self[column]:
            return None
        try:
            return float(self[column].replace(",", "."))
        except ValueError:
            self.blame(column, "number-invalid")
            return None

    def checked(self, model: type[BaseModel], values: Mapping[str, Any], columns: Mapping[str, str]) -> Any:
        """The model, or None after blaming the columns its complaints are about."""
        try:
            return model.model_validate(values)
        except ValidationError as invalid:
            for error in invalid.errors(include_url=False, include_input=False, include_context=False):
                name = next(part for part in reversed(error["loc"]) if isinstance(part, str))
                column = columns.get(name, name)
                self.blame(column, _code(error["type"], self[column]))
            return None

    def end(self) -> None:
        if self.wrong:
            raise BadRow(self.wrong)


def customer_row(row: Row) -> CustomerRow:
    """What a row of customers asks for. Raises BadRow."""
    cells = _Cells(row.cells)
    texts = {name: cells[name] for name in Profile.model_fields if cells[name]}
    # Empty cells of required columns are errors; of others they mean "not said", never "take away".
    profile = cells.checked(Profile, {"code": cells["code"], "name": cells["name"], **texts}, {})
    place = _place(cells)
    cells.end()
    return CustomerRow(profile, frozenset(texts), place)


def _place(cells: _Cells) -> Place | None:
    if not any(cells[c] for c in ("location_name", "location_address", "lat", "lon")):
        return None
    lat, lon = cells.number("lat"), cells.number("lon")
    for column, other in (("lat", "lon"), ("lon", "lat")):
        if cells[other] and not cells[column]:
            cells.blame(column, "required")
    values: dict[str, Any] = {
        "name": cells["location_name"] or cells["name"][:120],
        "address": cells["location_address"] or None,
    }
    if lat is not None and lon is not None:
        values["position"] = {"lat": lat, "lon": lon}
    place: Place | None = cells.checked(Place, values, {"name": "location_name", "address": "location_address"})
    return place


def task_row(row: Row, known: Known) -> dict[str, Any]:
    """What a row of tasks asks for, as the fields of an opening. Raises BadRow."""
    cells = _Cells(row.cells)
    if not cells["title"]:
        cells.blame("title", "required")
    elif len(cells["title"]) > 200:
        cells.blame("title", "too-long")
    if len(cells["description"]) > 10_000:
        cells.blame("description", "too-long")
    process_id, subprocess_id = _subprocess(cells, known)
    customer_id, location_id = _customer(cells, known)
    user_id = _reference(cells, "assignee", known.check_assignee)
    team_id = _reference(cells, "team", known.check_team)
    if user_id and team_id:
        cells.blame("team", "assignee-ambiguous")
    window = _window(cells, known)
    priority = _priority(cells)
    cells.end()
    return {
        "title": cells["title"],
        "description": cells["description"],
        "process_id": process_id,
        "subprocess_id": subprocess_id,
        "customer_id": customer_id,
        "location_id": location_id,
        "user_id": user_id,
        "team_id": team_id,
        "window": window,
        "priority": priority,
    }


def _subprocess(cells: _Cells, known: Known) -> tuple[str, str]:
    if not cells["subprocess"]:
        cells.blame("subprocess", "required")
        return "", ""
    found = known.subprocess(cells["process"], cells["subprocess"])
    if len(found) == 1:
        return found[0]
    cells.blame("subprocess", "subprocess-ambiguous" if found else "subprocess-unknown")
    return "", ""


def _customer(cells: _Cells, known: Known) -> tuple[str | None, str | None]:
    if not cells["customer_code"]:
        if cells["location_name"]:
            cells.blame("customer_code", "required")
        return None, None
    customer_id = known.customer(cells["customer_code"])
    if customer_id is None:
        cells.blame("customer_code", "customer-unknown")
        return None, None
    if not cells["location_name"]:
        return customer_id, None
    location_id = known.location(customer_id, cells["location_name"])
    if location_id is None:
        cells.blame("location_name", "location-unknown")
    return customer_id, location_id


def _reference(cells: _Cells, column: str, check: Callable[[str], None]) -> str | None:
    if not cells[column]:
        return None
    try:
        check(cells[column].lower())
    except Rejected as refused:
        cells.blame(column, refused.code)
    return cells[column].lower()


def _window(cells: _Cells, known: Known) -> Window:
    zone = _zone(cells, known)
    window = Window(start=_moment(cells, "start", zone), end=_moment(cells, "end", zone))
    if not window.in_order:
        cells.blame("end", "window-out-of-order")
    return window


def _zone(cells: _Cells, known: Known) -> ZoneInfo:
    try:
        return ZoneInfo(cells["time_zone"] or known.time_zone)
    except (KeyError, OSError, ValueError):
        cells.blame("time_zone", "time-zone-unknown")
        return ZoneInfo("UTC")


def _moment(cells: _Cells, column: str, zone: ZoneInfo) -> datetime | None:
    """A time with its own offset, or else on the wall clock of the zone; day before month."""
    text = cells[column]
    if not text:
        return None
    for read in (datetime.fromisoformat, *(_by(pattern) for pattern in DATE_FORMATS)):
        try:
            said = read(text)
            return (said if said.tzinfo else said.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    cells.blame(column, "date-invalid")
    return None


def _by(pattern: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, pattern)  # noqa: DTZ007 (the zone follows)


def _priority(cells: _Cells) -> str:
    if not cells["priority"]:
        return "normal"
    said = plain_text(cells["priority"])
    for priority, words in PRIORITIES.items():
        if said in words:
            return priority
    cells.blame("priority", "priority-unknown")
    return "normal"


def _code(kind: str, value: str) -> str:
    if not value:
        return "required"
    return {"string_too_long": "too-long"}.get(kind, "invalid")
