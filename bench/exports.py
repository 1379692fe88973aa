"""How long a workbook of many submissions takes from the request to the finished file, and how much memory.

Beside it, the same rows in a plain loop into XlsxWriter (constant memory, a local file, no log, no object store),
which is the faster of the two libraries that write workbooks row by row. Everything runs in processes of its own,
so that the memory is its own as well.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import openpyxl
import xlsxwriter

from bench.figures import Figure, compare
from bench.ground import Ground
from services.forms.exports.submissions import submissions
from services.forms.wiring import define
from services.kernel.application import Ask
from services.kernel.clock import new_id
from services.kernel.commit import Caller
from services.kernel.config import Settings
from services.kernel.exporting.cells import plain
from services.kernel.exporting.kinds import Row, Wanted
from services.kernel.platform import Platform, open_platform
from services.kernel.worker import Worker

TENANT, FORM = (str(UUID(int=(7 << 76) | (8 << 60) | number)) for number in (1, 2))
OWNER = Caller(
    tenant=TENANT,
    actor=FORM,
    role="owner",
    permissions=frozenset({"forms:edit", "exports:read", "exports:edit", "submissions:read"}),
)
QUESTIONS = 60
PUBLISHED_SECONDS = 65.0
"""What Ona's developers report for 32,000 rows (onadata#1348)."""


def measure(ground: Ground) -> Iterator[Figure]:
    """A form of sixty questions and a repeated group, answered many times."""
    many = int(ground.pick(32_000, 1_000))
    env = ground.apart("exports")
    platform = open_platform(define(), Settings.model_validate(env))
    platform.ensure_indexes()
    _publish(platform)
    _answer(platform, many)
    platform.close()
    told: dict[str, list[dict[str, float]]] = {"ours": [], "xlsxwriter": [], "openpyxl": []}

    def rate(who: str) -> float:
        ran = subprocess.run(  # noqa: S603  # this very module
            [sys.executable, "-m", "bench.exports", who],
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        told[who].append(json.loads(ran.stdout.splitlines()[-1]))
        return many / told[who][-1]["seconds"]

    rate("openpyxl")
    figure = compare(
        "export of submissions to XLSX",
        "submissions/s",
        ours=lambda: rate("ours"),
        baseline=lambda: rate("xlsxwriter"),
        rounds=min(ground.rounds, 3),
    )
    slowest = max(one["seconds"] for one in told["ours"])
    figure.aim = f"{many} in far less than {PUBLISHED_SECONDS:g} s"
    figure.reached = slowest < PUBLISHED_SECONDS * many / 32_000
    size = told["ours"][0]
    figure.note = (
        f"{many} submissions of {QUESTIONS} questions, {size['rows']:.0f} rows in both sheets; ours from the request "
        f"to the file in the object store: {slowest:.1f} s at most, "
        f"{_of(told['ours'], 'grown_mb'):+.1f} MB from its first half to the second; "
        + "; ".join(f"{who} {_of(runs, 'seconds'):.1f} s, {_of(runs, 'peak_mb'):.0f} MB" for who, runs in told.items())
    )
    yield figure


def _of(runs: list[dict[str, float]], what: str) -> float:
    return sorted(run[what] for run in runs)[len(runs) // 2]


def _publish(platform: Platform) -> None:
    kinds: list[dict[str, Any]] = [
        {"type": "short_text"},
        {"type": "number"},
        {"type": "single_choice", "choices": "states"},
        {"type": "checkboxes", "choices": "states"},
        {"type": "date"},
        {"type": "long_text"},
    ]
    questions = [
        {**kinds[n % len(kinds)], "name": f"q{n}", "labels": {"es": f"Pregunta número {n}"}} for n in range(QUESTIONS)
    ]
    group = [
        {"type": type, "name": name, "labels": {"es": name}}
        for type, name in (("short_text", "part"), ("number", "amount"))
    ]
    repeat = {"type": "repeat", "name": "parts", "labels": {"es": "Repuestos"}, "items": group}
    choices = [{"value": value, "labels": {"es": value.capitalize()}} for value in ("bueno", "regular", "malo")]
    content = {"items": [*questions, repeat], "choice_lists": {"states": choices}}
    for command, data in (
        ("create_form", {"name": "Visita técnica"}),
        ("save_form_draft", {"content": content}),
        ("publish_form", {}),
    ):
        platform.application.execute(command, {"form_id": FORM, **data}, OWNER, new_id())


def _answer(platform: Platform, many: int) -> None:
    """The documents that the read models hold of so many submissions."""
    dice = Random(1)  # noqa: S311  # answers, no secrets
    cards, answers = (platform.db[platform.reads.shelf(name).live()] for name in ("submissions", "submission_answers"))
    for start in range(0, many, 1_000):
        keys = [f"{TENANT}:{number:08}" for number in range(start, min(start + 1_000, many))]
        cards.insert_many([{"_id": key, "tenant": TENANT, **_card()} for key in keys])
        answers.insert_many([{"_id": key, "tenant": TENANT, **_answers(dice)} for key in keys])


def _card() -> dict[str, Any]:
    return {
        "form_id": FORM,
        "form_version": 1,
        "task_id": FORM,
        "user_id": FORM,
        "status": "accepted",
        "occurred_at": "2026-11-23T14:12:03.000Z",
        "received_at": "2026-11-23T14:12:05.000Z",
        "time_suspect": False,
        "complete": True,
        "media_arrived": 0,
        "media_declared": 0,
        "amendments": 0,
    }


def _answers(dice: Random) -> dict[str, Any]:
    makers: list[Callable[[], Any]] = [
        lambda: f"Respuesta corta {dice.randrange(10_000)}",
        lambda: dice.randrange(100_000) / 8,
        lambda: dice.choice(("bueno", "regular", "malo")),
        lambda: ["bueno", "malo"][: dice.randrange(3)] or None,
        lambda: f"2026-11-{dice.randrange(1, 29):02}",
        lambda: "Observación: revisar <válvula> & sello" if dice.random() < 0.3 else None,
    ]
    found = {f"q{n}": makers[n % len(makers)]() for n in range(QUESTIONS)}
    found["parts"] = [{"part": f"R-{dice.randrange(999)}", "amount": n} for n in range(dice.randrange(4))]
    return {
        "form_id": FORM,
        "form_version": 1,
        "answers": json.dumps({name: value for name, value in found.items() if value is not None}),
        "place": None,
        "media": [],
    }


def _ours(platform: Platform) -> dict[str, float]:
    """Through the whole platform: a request, a worker, parts in the object store, the file."""
    memory: list[float] = []
    worker = Worker(platform)
    worker.start()
    id = new_id()
    asked = {"export_id": id, "kind": "submissions", "filters": {"form_id": FORM}}
    platform.application.execute("request_export", asked, OWNER, new_id())
    while (shown := _shown(platform, id)).get("status") != "ready":
        if shown.get("status") == "failed":
            raise AssertionError(shown["failed"])
        if shown.get("status") == "writing":
            memory.append(_resident())
        time.sleep(0.05)
    worker.stop()
    half = len(memory) // 2 or 1
    grown = max(memory[half:], default=0.0) - max(memory[:half], default=0.0)
    return {"rows": sum(table["rows"] for table in shown["tables"]), "grown_mb": grown}


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1024**2


def _shown(platform: Platform, id: str) -> Mapping[str, Any]:
    rows = platform.application.query("exports", {}, OWNER)["items"]
    return next((row for row in rows if row["id"] == id), {})


def _rows(platform: Platform) -> Iterator[tuple[int, Row]]:
    """Of both sheets, headings first."""
    asking = Ask(platform.application, OWNER, {}, "", "", None)
    wanted = Wanted({"form_id": FORM}, "es", "America/Bogota", asking)
    plan, zone = submissions.plan(wanted), ZoneInfo(wanted.time_zone)
    for number, sheet in enumerate(plan.tables):
        yield number, sheet.headings
    for thing in submissions.rows(wanted, plan.scope, ""):
        for number, row in thing.rows:
            yield number, [plain(cell, zone) for cell in row]


def _with_xlsxwriter(platform: Platform) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        book = xlsxwriter.Workbook(str(Path(folder) / "book.xlsx"), options)
        sheets, at = [book.add_worksheet(), book.add_worksheet()], [0, 0]
        for number, row in _rows(platform):
            sheets[number].write_row(at[number], 0, row)
            at[number] += 1
        book.close()
    return {"rows": sum(at)}


def _with_openpyxl(platform: Platform) -> dict[str, float]:
    book = openpyxl.Workbook(write_only=True)
    sheets, at = [book.create_sheet(), book.create_sheet()], [0, 0]
    for number, row in _rows(platform):
        sheets[number].append(row)
        at[number] += 1
    with TemporaryDirectory() as folder:
        book.save(Path(folder) / "book.xlsx")
    return {"rows": sum(at)}


class _Peers:
    """Stands in for identity, which is not what is measured: everybody goes by the id."""

    def query(self, service: str, query: str, params: Mapping[str, Any], *, tenant: str, by: str) -> dict[str, Any]:
        """Nobody has a name."""
        return {"users": {}, "teams": {}}


WAYS = {"ours": _ours, "xlsxwriter": _with_xlsxwriter, "openpyxl": _with_openpyxl}


def main(who: str) -> None:
    """One way, once; its seconds, its rows and its peak of memory as a line of JSON."""
    platform = open_platform(define(), Settings())
    assert isinstance(platform.application.ports, dict)
    platform.application.ports["peers"] = _Peers
    began = time.perf_counter()
    done = WAYS[who](platform)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    platform.close()
    sys.stdout.write(json.dumps({**done, "seconds": seconds, "peak_mb": peak}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
