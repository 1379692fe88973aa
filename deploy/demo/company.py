"""Sets up one company through the front door: people, a team, a process with its stages, a customer."""

from __future__ import annotations

import re
import time
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from deploy.demo.client import Person, Refused, mail_to

STAGES = [
    {"stage_id": "pending", "name": "Pending", "generic_state": "pending"},
    {"stage_id": "on-the-way", "name": "On the way", "generic_state": "in_progress"},
    {"stage_id": "in-progress", "name": "In progress", "generic_state": "in_progress"},
    {"stage_id": "pending-validation", "name": "Pending validation", "generic_state": "in_progress"},
    {"stage_id": "completed", "name": "Completed", "generic_state": "completed"},
]

Report = dict[str, Any]


KNOWN_WITHIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Login:
    """What someone types to get in."""

    who: str
    email: str
    password: str


@dataclass(slots=True)
class Company:
    """An account with its people logged in, and where its work is filed."""

    name: str
    base_url: str
    mailbox_url: str
    domain: str
    owner: Person
    logins: list[Login]
    process_id: str = ""
    subprocess_id: str = ""
    team_id: str = ""

    @classmethod
    def register(
        cls,
        base_url: str,
        mailbox_url: str,
        name: str,
        owner_name: str,
        password: str,
        domain: str = "",
        story: uuid.UUID | None = None,
    ) -> Company:
        """The company signs up, once in a `story` however often that is told; its owner logs in. Raises Refused."""
        domain = domain or f"{_plain(name.split()[0])}-{uuid.uuid4().hex[:6]}.example.com"
        login = Login(f"{owner_name} (owner)", f"{_plain(owner_name.split()[0])}@{domain}", password)
        Person(base_url, story=story).post(
            "/v1/accounts",
            {
                "name": name,
                "country": "CO",
                "time_zone": "America/Bogota",
                "language": "es",
                "owner_name": owner_name,
                "email": login.email,
                "password": login.password,
            },
        )
        owner = Person(base_url, owner_name, story=story).log_in(login.email, login.password)
        return cls(name, base_url, mailbox_url, domain, owner, [login])

    def invite(self, by: Person, name: str, role: str, password: str) -> Person:
        """Invite someone; they follow the link in their mail, choose a password and log in."""
        login = Login(f"{name} ({role})", f"{_plain(name.split()[0])}@{self.domain}", password)
        by.post("/v1/users", {"email": login.email, "name": name, "role": role, "language": "es"})
        token = invitation_token(mail_to(self.mailbox_url, login.email))
        invited = Person(self.base_url, name, story=by.story)
        invited.post("/v1/invitations/accept", {"token": token, "name": name, "password": password})
        self.logins.append(login)
        return invited.log_in(login.email, login.password)

    def form_team(self, by: Person, name: str, members: list[Person]) -> None:
        """A team of these people, and known to the planning board."""
        self.team_id = by.post("/v1/teams", {"name": name})["id"]
        for member in members:
            by.post(f"/v1/teams/{self.team_id}/members", {"user_id": member.ids["user_id"]})

    def define_work(self, by: Person) -> None:
        """A process with one subprocess, whose tasks walk through five stages."""
        stages = by.post("/v1/status-lists", {"name": "Field visits", "stages": STAGES})["id"]
        self.process_id = by.post("/v1/processes", {"name": "Mantenimiento"})["id"]
        by.put(f"/v1/processes/{self.process_id}/status-list", {"list_id": stages})
        self.subprocess_id = by.post(
            f"/v1/processes/{self.process_id}/subprocesses", {"name": "Mantenimiento preventivo"}
        )["subprocess_id"]

    def open_task(self, by: Person, title: str, **more: Any) -> str:
        """A new task of that subprocess; answers its id. Who has just joined may become known to the board first."""
        body = {"title": title, "process_id": self.process_id, "subprocess_id": self.subprocess_id, **more}
        end = time.monotonic() + KNOWN_WITHIN_SECONDS
        while True:
            try:
                return str(by.post("/v1/tasks", body)["id"])
            except Refused as refused:
                if not refused.code.startswith("assignee-") or time.monotonic() > end:
                    raise
            time.sleep(0.05)

    def import_file(self, by: Person, kind: str, filename: str, content: bytes) -> tuple[Report, Report]:
        """Dry run, then apply what was found right; answers the report of each."""
        import_id = by.upload("/v1/imports", filename, content, kind=kind)["id"]
        checked = until(lambda: by.get(f"/v1/imports/{import_id}"), lambda i: i["status"] != "requested")
        by.post(f"/v1/imports/{import_id}/apply", {"skip_bad_rows": True})
        applied = until(lambda: by.get(f"/v1/imports/{import_id}"), lambda i: i["status"] == "finished")
        return checked, applied


def _plain(word: str) -> str:
    """The word as it may stand in an e-mail address."""
    return unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower()


def invitation_token(mail: dict[str, Any]) -> str:
    """The token in the link of an invitation."""
    link = re.search(r"https?://\S+token=\S+", mail["text"])
    assert link, "the invitation holds no link"
    return parse_qs(urlsplit(link[0].rstrip(".>)")).query)["token"][0]


def until(
    look: Callable[[], dict[str, Any]], good: Callable[[dict[str, Any]], bool], *, within: float = 60.0
) -> dict[str, Any]:
    """Look again until it is good. Raises TimeoutError with what was seen last."""
    end = time.monotonic() + within
    seen: dict[str, Any] | Refused | None = None
    while time.monotonic() < end:
        try:
            seen = found = look()
            if good(found):
                return found
        except Refused as not_yet:
            # What was asked for is being made known to the other service.
            if not_yet.status != 404:
                raise
            seen = not_yet
        time.sleep(0.05)
    raise TimeoutError(f"still {seen!r}")
