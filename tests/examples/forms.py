"""The forms service's canonical things: an inspection with everything in it, answers to it, and facts about both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.forms.domain.judging import Circumstances, Judged, judge
from services.forms.domain.plan import Plan
from services.forms.domain.schema import Content
from services.forms.expressions import When


def an_id(number: int) -> str:
    """The id of the n-th example thing."""
    return f"0196b000-0000-7000-8000-{number:012d}"


NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
BOGOTA = ZoneInfo("America/Bogota")
ADMIN, SUPERVISOR, TECHNICIAN, COLLEAGUE = (an_id(n) for n in range(1, 5))
FORM, OTHER_FORM = an_id(11), an_id(12)
SUBMISSION, OTHER_SUBMISSION = an_id(21), an_id(22)
TASK, DEVICE = an_id(31), an_id(41)
PROCESS, SUBPROCESS = an_id(51), an_id(52)


def sha(letter: str) -> str:
    """The id of a media item."""
    return f"sha256:{letter * 64}"


def photo(letter: str = "a", **more: Any) -> dict[str, Any]:
    """A declared photo."""
    return {"id": sha(letter), "bytes": 182_331, "type": "image/jpeg", **more}


def text(name: str, **more: Any) -> dict[str, Any]:
    """A question for one line."""
    return {"type": "short_text", "name": name, "labels": {"es": name.capitalize()}, **more}


def item(type: str, name: str, **more: Any) -> dict[str, Any]:
    """Any other item."""
    return {"type": type, "name": name, "labels": {"es": name.capitalize()}, **more}


def choices(*values: str, **properties: str) -> list[dict[str, Any]]:
    """A list of choices with labels."""
    return [{"value": value, "labels": {"es": value.capitalize()}, "properties": properties} for value in values]


def form(*items: dict[str, Any], **more: Any) -> Content:
    """A form of these items."""
    return Content.model_validate({"items": list(items), **more})


INSPECTION = form(
    item("note", "welcome"),
    item(
        "section",
        "visit",
        items=[
            text("contact", required=True),
            text("email", kind="email"),
            text("phone", kind="phone"),
            item("dropdown", "department", choices="departments", required=True),
            item("single_choice", "city", choices="cities", choice_filter="department = ${department}", required=True),
            item("checkboxes", "systems", choices="systems", min_count=1, max_count=2),
            item("date", "visited_on", max="2030-12-31", constraint=". <= today()"),
            item("time", "arrived"),
            item("date_time", "left"),
            item("gps", "point", max_accuracy_m=50),
        ],
    ),
    item(
        "repeat",
        "extinguishers",
        min=1,
        max=20,
        items=[
            item("barcode", "serial", required=True, pattern="EX-[0-9]{3}"),
            item("number", "pressure", kind="decimal", min=0, max=30, required=True),
            item("calculated", "low", calculation="if(${pressure} < 10, 'yes', 'no')"),
            item("picture", "photos", max_count=3, max_bytes=500_000, required="${low} = 'yes'"),
            item(
                "single_choice",
                "state",
                choices="states",
                required=True,
                follow_up={
                    "when": ". = 'failed'",
                    "process_id": PROCESS,
                    "subprocess_id": SUBPROCESS,
                    "priority": "high",
                },
            ),
            item("long_text", "failure", relevant="${state} = 'failed'", required=True, max_length=200),
        ],
    ),
    item("calculated", "total", calculation="sum(${pressure})"),
    item("voice", "remark", max_seconds=60),
    item("video", "walk", max_bytes=20_000_000),
    item("document", "plan", kinds=["pdf", "excel"]),
    item("signature", "client_signature", of="client", required=True),
    languages=["es"],
    choice_lists={
        "departments": choices("cundinamarca", "valle"),
        "cities": [
            *choices("bogota", "soacha", department="cundinamarca"),
            *choices("cali", department="valle"),
        ],
        "systems": choices("power", "water", "gas"),
        "states": choices("good", "failed"),
    },
)

ANSWERS: dict[str, Any] = {
    "contact": "Marta Ñungo",
    "email": "marta@example.com",
    "phone": "+57 601 555 0101",
    "department": "valle",
    "city": "cali",
    "systems": ["power", "gas"],
    "visited_on": "2026-03-01",
    "arrived": "08:30",
    "left": "2026-03-02T09:12:03-05:00",
    "point": {"lat": 3.45, "lon": -76.53, "accuracy_m": 12.5},
    "extinguishers": [
        {"serial": "EX-001", "pressure": 12.5, "photos": [photo("a")], "state": "good"},
        {"serial": "EX-002", "pressure": 4, "photos": [photo("b"), photo("c")], "state": "failed", "failure": "Roto"},
    ],
    "client_signature": photo("d", type="image/png", bytes=9_000, signed_by="Marta Ñungo"),
}

WHEN = When.of(NOW, BOGOTA)


def judged(content: Content, answers: dict[str, Any], **more: Any) -> Judged:
    """These answers, judged on the example's day."""
    return judge(Plan(content), answers, Circumstances(WHEN, **more))
