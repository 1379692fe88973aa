"""The story of one working day, told through the HTTP door only: `make demo`.

Starts a private platform with free ports on a directory of its own, plays every step, says how long
each took, and ends with everything stopped. The exit code is 0 when every step held.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.demo.client import Person, Refused
from deploy.demo.company import STAGES, Company, until
from deploy.demo.evidence import Visit
from deploy.demo.fieldwork import Day
from deploy.demo.seats import Eleventh, buy_one_more, fill_the_seats, prices_are_set
from deploy.local.programs import platform
from deploy.local.stack import LocalStack
from deploy.local.supervisor import Supervisor

REPORTS = Path(__file__).resolve().parents[2] / ".local" / "demo"
FILES = Path(__file__).resolve().parents[2] / "tests" / "data"
PASSWORD = "Cuadrilla-Norte-2026"  # noqa: S105  # of people who exist for a minute
WALK = [stage["stage_id"] for stage in STAGES[1:]]


class Broken(AssertionError):
    """A step of the story did not hold."""


class Teller:
    """Prints each step with the time it took, and the summary."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.steps: list[tuple[str, float]] = []

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[str], None]]:
        """One step; what is said inside is printed below it."""
        said: list[str] = []
        start = time.perf_counter()
        yield said.append
        took = time.perf_counter() - start
        self.steps.append((what, took))
        self.console.print(f"[green]✓[/green] [bold]{what:<88}[/bold][dim]{took * 1000:6.0f} ms[/dim]")
        for line in said:
            self.console.print(f"    {line}")

    def summary(self, facts: dict[str, Any]) -> None:
        """What the day came to."""
        table = Table(title="Summary", show_header=False, title_justify="left")
        for name, value in facts.items():
            table.add_row(name, str(value))
        table.add_row("steps", str(len(self.steps)))
        table.add_row("time told", f"{sum(took for _, took in self.steps):.1f} s")
        self.console.print(table)


def hold(condition: bool, what: str) -> None:
    """Go on only when it is so."""
    if not condition:
        raise Broken(what)


def refused(attempt: Callable[[], Any], code: str) -> str:
    """The attempt must be refused with this code; answers the sentence people see."""
    try:
        attempt()
    except Refused as no:
        hold(no.code == code, f"expected {code}, got {no.code}: {no.problem}")
        return f"{no.status} {code}: {no.problem.get('detail') or no.problem.get('title')}"
    raise Broken(f"expected {code}, but it was allowed")


def tell(teller: Teller, env: Mapping[str, str], kill: Callable[[str], None], reports: Path) -> dict[str, Any]:
    """The whole story on the running platform of this environment; `kill` ends one program with SIGKILL.

    Reports are written into the folder `reports`.
    """
    base_url, mailbox_url = env["CHECKOP_GATEWAY_URL"], env["MAILBOX_URL"]
    with teller.step("A company registers and its owner logs in") as say:
        company = Company.register(base_url, mailbox_url, "Frío Andino S.A.S.", "Laura Gómez", PASSWORD)
        owner = company.owner
        say(f"account {owner.ids['account_id']}, e-mail {company.logins[0].email}")

    with teller.step("The owner invites an admin and two technicians, who accept by mail") as say:
        admin = company.invite(owner, "Andrés Peña", "admin", PASSWORD)
        tomas = company.invite(admin, "Tomás Ruiz", "technician", PASSWORD)
        nubia = company.invite(admin, "Nubia Cárdenas", "technician", PASSWORD)
        company.form_team(admin, "Cuadrilla Norte", [tomas, nubia])
        say("invitations travelled by SMTP; their links are single-use")

    with teller.step("The admin defines a process, a subprocess and a pipeline of five stages") as say:
        company.define_work(admin)
        say(" → ".join(str(stage["name"]) for stage in STAGES))

    with teller.step("… and a customer with a location") as say:
        customer = admin.post(
            "/v1/customers", {"code": "900111222-3", "name": "Clínica Santa Bárbara", "city": "Bogotá"}
        )
        admin.post(
            f"/v1/customers/{customer['id']}/locations",
            {"name": "Sede Usaquén", "address": "Calle 119 # 7-14", "position": {"lat": 4.6966, "lon": -74.0315}},
        )
        say("Clínica Santa Bárbara, Sede Usaquén")

    with teller.step("25 customers come from XLSX: a dry run, then for real") as say:
        imported = company.import_file(admin, "customers", "customers.xlsx", (FILES / "customers.xlsx").read_bytes())
        report_import(say, *imported, good=25, bad=2)
    with teller.step("40 tasks come from CSV: a dry run, then for real") as say:
        imported = company.import_file(admin, "tasks", "tasks.csv", (FILES / "tasks.csv").read_bytes())
        report_import(say, *imported, good=40, bad=2)

    with teller.step("A task is assigned to the team; a technician claims it and starts") as say:
        job = company.open_task(admin, "Revisión de la cava 3", customer_id=customer["id"])
        until_known(lambda: admin.post(f"/v1/tasks/{job}/assign", {"team_id": company.team_id}))
        until_known(lambda: tomas.post(f"/v1/tasks/{job}/claim"))
        tomas.post(f"/v1/tasks/{job}/start")
        say(f"claimed and started by {tomas.name}")

    stranger_company = Company.register(base_url, mailbox_url, "Otra Empresa Ltda.", "Óscar Díaz", PASSWORD)
    with teller.step("What must not happen is refused") as say:
        leap = {"to_stage": "completed"}
        attempts: list[tuple[str, Callable[[], Any], str]] = [
            ("an illegal jump", lambda: tomas.post(f"/v1/tasks/{job}/advance", leap), "stage-not-reachable"),
            ("a second claim", lambda: nubia.post(f"/v1/tasks/{job}/claim"), "task-already-claimed"),
            ("a stranger", lambda: nubia.post(f"/v1/tasks/{job}/start"), "not-the-assignee"),
            ("another company", lambda: stranger_company.owner.get(f"/v1/tasks/{job}"), "task-unknown"),
        ]
        for who, attempt, code in attempts:
            say(f"{who:<16} → {refused(attempt, code)}")
        tomas.language = "es"
        say(f"{'in Spanish':<16} → {refused(attempts[0][1], attempts[0][2])}")

    with teller.step("It walks through its stages, one by one") as say:
        steps = [tomas.post(f"/v1/tasks/{job}/advance", {"to_stage": stage}) for stage in WALK[1:]]
        task = tomas.get(f"/v1/tasks/{job}", at_least=steps[-1]["position"])
        hold(task["stage"] == "completed", f"the task is at {task['stage']}")
        say(" → ".join(["pending", *WALK]))

    with teller.step("Every step is in identity's history: who, what, when, from where") as say:
        entries = until(
            lambda: admin.get("/v1/history", type="TaskAdvanced", limit=50),
            lambda page: len(of_task(page, job)) == len(WALK),
        )
        for entry in reversed(of_task(entries, job)):
            who, to = entry["actor_name"], entry["detail"]["to_stage"]
            say(f"{entry['at'][:19]}  {who:<14} {entry['type']} → {to:<18} from {entry['ip']}")

    tell_of_seats(teller, env, company, admin)
    day = tell_of_fieldwork(teller, company, admin, tomas, nubia)
    visit = Visit(company, admin, tomas, day.phone, customer["id"])
    report = tell_of_evidence(teller, visit, reports)

    with teller.step("A service is killed (SIGKILL) while two technicians work; nothing is lost or doubled") as say:
        counted = work_through_a_crash(company, admin, [tomas, nubia], kill)
        say(f"tasks.service and tasks.relay killed; {counted.repeated} requests had to be repeated")
        say(f"{counted.asked} advances asked, {counted.recorded} facts recorded, {counted.told} lines of history")

    board = admin.get("/v1/board", status="completed", limit=200)
    return {
        "company": company.name,
        "people": len(company.logins),
        "customers": len(admin.get("/v1/customers", limit=200)["items"]),
        "completed tasks": len(board["items"]),
        "forms filled in offline": len(day.submissions),
        "files of evidence": len(visit.files),
        "report": report,
    }


def tell_of_seats(teller: Teller, env: Mapping[str, str], company: Company, admin: Person) -> None:
    """All ten seats are taken; an eleventh is bought, used at once, and bought only once."""
    with teller.step("The operator lets a colleague of finance in, who sets prices and tax") as say:
        prices_are_set(env, say)

    with teller.step("Ten technicians sit on the ten seats of the plan; the eleventh has to wait") as say:
        fill_the_seats(company, admin, PASSWORD)
        eleventh = Eleventh(company, admin, PASSWORD)
        say(refused(eleventh.come_in, "no-free-seat"))
        seats = admin.get("/v1/seats")
        say(f"seats: {seats['limit']}, used: {seats['used']}, free: {seats['free']}; the invitation stays good")

    with teller.step("The admin asks what a seat costs, accepts that very quote, and it can be used at once") as say:
        accept_again = buy_one_more(admin, eleventh, say)

    with teller.step("Accepted once more, or after a newer quote, it changes nothing") as say:
        accept_again()
        older, _newer = (admin.post("/v1/seat-quotes", {"to_seats": seats}) for seats in (12, 13))
        stale = {"hash": older["quote"]["hash"]}
        say(refused(lambda: admin.post(f"/v1/seat-quotes/{older['quote_id']}/accept", stale), "quote-superseded"))
        seats = admin.get("/v1/seats")
        hold((seats["limit"], seats["used"]) == (11, 11), f"seats are {seats}")
        say(f"seats: {seats['limit']}, used: {seats['used']}")


def tell_of_fieldwork(teller: Teller, company: Company, admin: Person, technician: Person, other: Person) -> Day:
    """A day without a network, and the way home over a line that loses half of everything."""
    with teller.step("A technician's phone takes the day's work and its form along") as say:
        day = Day(company, admin, technician)
        day.set_out(say)

    with teller.step("Without a network he works all of it, creates one task more and edits another") as say:
        day.work_without_a_network(say)

    with teller.step("… while the office changes its mind") as say:
        day.meanwhile_in_the_office(other, say)

    with teller.step("He comes home over a line that breaks half of all requests; everything arrives once") as say:
        day.come_home(say)
        results = day.results()
        say(", ".join(f"{many} {status}" for status, many in results.items()))
        arrived = day.arrived()
        hold(sorted(one["id"] for one in arrived) == sorted(day.submissions), "submissions are lost or doubled")
        hold(results == {"applied": len(day.phone.results) - 2, "parked": 2}, f"results are {results}")
        conflict = day.conflict()
        hold((conflict["kept"], conflict["other"]) == ("Del campo", "De la oficina"), f"the conflict is {conflict}")
        say(
            f"{len(arrived)} submissions; of `{conflict['field']}` both values are kept: {conflict['other']!r} → "
            f"{conflict['kept']!r}"
        )

    with teller.step(
        "What was done on a task that had been given away waits for the office, and nothing is lost"
    ) as say:
        hold(day.decide_over_what_waits(say) == 2, "something else was parked")
        task = until(lambda: admin.get(f"/v1/tasks/{day.taken}"), lambda seen: seen["stage"] == "in-progress")
        hold(task["user_id"] == technician.ids["user_id"], "the task is somebody else's")
        until(day.pulled, lambda tasks: {*day.jobs, day.made} <= set(tasks) and day.phone.through_seq > 0)
        say("the phone asks what is new and shows what the office shows")
    return day


def tell_of_evidence(teller: Teller, visit: Visit, reports: Path) -> str:
    """What proves a visit: in pieces over a bad line, refused where it is too heavy, shown and taken back, printed."""
    with teller.step("The office puts the company's sign on its reports") as say:
        visit.put_the_sign_on_reports(say)

    with teller.step("A visit is proven without a network: photos, film, voice, a plan, a code, two signatures") as say:
        visit.gather(say)

    with teller.step("The files come in over a line that breaks; each goes on where it was cut") as say:
        visit.hand_in(say)

    with teller.step("The office sees what is missing, and the task cannot be completed before it is there") as say:
        visit.see_what_is_missing(say)
        say(refused(visit.complete, "stage-demands-unmet"))

    with teller.step("A lighter photo takes the refused one's place, the film arrives; now it can be completed") as say:
        visit.mend(say)
        visit.complete_when_known()

    with teller.step("A public link shows a photo to a stranger, and is dead when it is revoked") as say:
        revoke = visit.share_a_photo(say)
        hold(revoke() == 410, "the link lives on")

    with teller.step("The report of the visit, as PDF/A") as say:
        return visit.report(reports, say)


def report_import(
    say: Callable[[str], None], checked: dict[str, Any], applied: dict[str, Any], *, good: int, bad: int
) -> None:
    """The dry run found the bad rows, by row and column, and the good ones were created."""
    hold(
        (checked["good"], checked["bad"]) == (good, bad),
        f"the dry run found {checked['good']} good, {checked['bad']} bad",
    )
    for error in checked["errors"]:
        say(f"dry run: row {error['row']}, column {error['column']}: {error['code']}")
    hold(applied["applied"] == good, f"{applied['applied']} rows were applied")
    say(f"applied: {applied['applied']} created, {bad} left out")


def until_known(attempt: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Teams and people are identity's; the planning side hears of them moments later."""
    end = time.monotonic() + 10
    while True:
        try:
            return attempt()
        except Refused as no:
            if no.code not in ("assignee-unknown", "not-in-team") or time.monotonic() > end:
                raise
            time.sleep(0.05)


def of_task(page: dict[str, Any], task_id: str) -> list[dict[str, Any]]:
    """The entries of one task on a page of history."""
    return [entry for entry in page["items"] if entry["detail"].get("task_id") == task_id]


@dataclass(frozen=True, slots=True)
class Counted:
    """What was asked during the crash, and what came of it."""

    asked: int
    recorded: int
    told: int
    repeated: int


def work_through_a_crash(
    company: Company, admin: Person, technicians: list[Person], kill: Callable[[str], None]
) -> Counted:
    """Ten tasks walk their four steps while processes die; every step must count exactly once."""
    tasks = [
        (who, company.open_task(admin, f"Ruta {n + 1}", user_id=who.ids["user_id"]))
        for n in range(5)
        for who in technicians
    ]
    before = sum(who.retries for who in technicians)
    failures: list[BaseException] = []

    def walk(who: Person, mine: list[str]) -> None:
        try:
            for stage in WALK:
                for task in mine:
                    who.post(f"/v1/tasks/{task}/advance", {"to_stage": stage})
        except BaseException as broken:  # a thread's failure is the story's failure
            failures.append(broken)

    walkers = [
        threading.Thread(target=walk, args=(who, [task for owner, task in tasks if owner is who]))
        for who in technicians
    ]
    for walker in walkers:
        walker.start()
    time.sleep(0.1)
    kill("tasks.service")
    kill("tasks.relay")
    for walker in walkers:
        walker.join()
    if failures:
        raise failures[0]
    recorded = 0
    for _who, task in tasks:

        def look(task: str = task) -> dict[str, Any]:
            return admin.get(f"/v1/tasks/{task}")

        history = until(look, lambda doc: doc["stage"] == "completed")["history"]
        steps = [line["to"]["stage"] for line in history if line["what"] == "TaskAdvanced"]
        hold(steps == WALK, f"task {task} walked {steps}")
        recorded += len(steps)
    ids = {task for _, task in tasks}

    def told() -> dict[str, Any]:
        page = admin.get("/v1/history", type="TaskAdvanced", limit=200)
        return {"items": [entry for entry in page["items"] if entry["detail"].get("task_id") in ids]}

    asked = len(WALK) * len(tasks)
    seen = until(told, lambda page: len(page["items"]) >= asked)
    hold(len(seen["items"]) == asked, f"{len(seen['items'])} lines of history")
    return Counted(asked, recorded, len(seen["items"]), sum(who.retries for who in technicians) - before)


def main() -> int:
    """Play the story on a private platform; 0 when it held."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep-log", type=Path, help="write the platform's log there")
    parser.add_argument("--reports", type=Path, default=REPORTS, help="where the report of the visit is written")
    parser.add_argument("--picture", type=Path, help="draw what is printed there, as SVG")
    options = parser.parse_args()
    console = Console(highlight=False, record=options.picture is not None, width=132 if options.picture else None)
    teller = Teller(console)
    options.reports.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="checkop-demo-") as data:
        log = options.keep_log or Path(data) / "checkop.log"
        start = time.perf_counter()
        with LocalStack(Path(data), progress=lambda line: console.print(f"[dim]· {line}[/dim]")) as stack:
            env = {**stack.env, "CHECKOP_LOG_LEVEL": "WARNING", **GENEROUS}
            with Supervisor(platform(env), log=log, engines=stack.engines) as supervisor:
                console.print(f"[dim]· the platform is up after {time.perf_counter() - start:.1f} s[/dim]\n")
                try:
                    facts = tell(teller, stack.env, supervisor.kill, options.reports)
                except (Broken, Refused, TimeoutError) as broken:
                    console.print(f"[red]✗ {type(broken).__name__}: {broken}[/red]")
                    return 1
    console.print()
    teller.summary(facts)
    if options.picture:
        drawn = console.export_svg(title="make demo")
        # The picture must not fetch fonts from elsewhere: every viewer has a monospaced one.
        options.picture.write_text(re.sub(r"@font-face \{.*?\}|<!--.*?-->", "", drawn, flags=re.DOTALL))
    return 0


# Everybody in the story shares one address, where the platform would suspect a single impatient client.
GENEROUS = {
    "CHECKOP_RATE_SUBJECT_PER_SECOND": "1000",
    "CHECKOP_RATE_SUBJECT_BURST": "1000",
    "CHECKOP_RATE_ADDRESS_PER_SECOND": "1000",
    "CHECKOP_RATE_ADDRESS_BURST": "1000",
    "CHECKOP_RATE_ENTRANCE_PER_MINUTE": "1000",
    "CHECKOP_RATE_ENTRANCE_BURST": "1000",
}

if __name__ == "__main__":
    sys.exit(main())
