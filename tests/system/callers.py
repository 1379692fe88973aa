"""People and companies in front of the running platform, as the HTTP tests need them: raw answers, nothing retried."""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import httpx

from deploy.demo.client import mail_to
from deploy.demo.company import STAGES, invitation_token
from deploy.local.supervisor import Supervisor

PASSWORD = "Cuadrilla-Norte-2026"


class Platform(Protocol):
    """What the fixture `platform` offers."""

    base_url: str
    mailbox_url: str
    env: Mapping[str, str]
    supervisor: Supervisor


class Client:
    """One caller; `token` None is nobody."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=base_url, headers=headers, timeout=20)
        self.token = token
        self.ids: dict[str, str] = {}
        self.refresh_token = ""
        self.email = ""

    def __call__(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """One request, whatever comes of it."""
        return self.http.request(method, path, **arguments)

    def ok(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """One request that must succeed."""
        answer = self.http.request(method, path, **arguments)
        return _document(answer)

    def soon(self, not_yet: str, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """One request that must succeed once word of something new has come round; until then its codes begin so."""
        answers: list[httpx.Response] = []

        def settled() -> bool:
            answers.append(self.http.request(method, path, **arguments))
            return answers[-1].is_success or not answers[-1].json().get("code", "").startswith(not_yet)

        within(20, settled)
        return _document(answers[-1])


def _document(answer: httpx.Response) -> dict[str, Any]:
    asked = answer.request
    assert answer.is_success, f"{asked.method} {asked.url.path}: {answer.status_code} {answer.text}"
    document: dict[str, Any] = answer.json()
    return document


def log_in(platform: Platform, email: str) -> Client:
    """A new session of this person."""
    admission = Client(platform.base_url).ok("POST", "/v1/sessions", json={"email": email, "password": PASSWORD})
    client = Client(platform.base_url, admission["access_token"])
    client.ids = {name: admission[name] for name in ("user_id", "account_id", "session_id")}
    client.refresh_token = admission["refresh_token"]
    client.email = email
    return client


def register(platform: Platform, name: str = "Prueba S.A.S.") -> Client:
    """A new company; its owner, logged in."""
    email = f"owner-{uuid.uuid4().hex[:12]}@example.com"
    body = {"name": name, "owner_name": "Laura Gómez", "email": email, "password": PASSWORD}
    Client(platform.base_url).ok("POST", "/v1/accounts", json=body)
    return log_in(platform, email)


def join(platform: Platform, by: Client, role: str) -> Client:
    """A person invited by `by`, who has accepted and logged in."""
    email = f"{role}-{uuid.uuid4().hex[:12]}@example.com"
    by.ok("POST", "/v1/users", json={"email": email, "name": "Tomás Ruiz", "role": role})
    token = invitation_token(mail_to(platform.mailbox_url, email))
    accept = {"token": token, "name": "Tomás Ruiz", "password": PASSWORD}
    Client(platform.base_url).ok("POST", "/v1/invitations/accept", json=accept)
    return log_in(platform, email)


def furnish(owner: Client) -> dict[str, str]:
    """One of everything in the owner's account: ids by the names that paths and bodies use."""
    ids = {"user_id": owner.ids["user_id"], "session_id": owner.ids["session_id"]}
    ids["list_id"] = owner.ok("POST", "/v1/status-lists", json={"name": "Visits", "stages": STAGES})["id"]
    ids["process_id"] = owner.ok("POST", "/v1/processes", json={"name": "Maintenance"})["id"]
    process = f"/v1/processes/{ids['process_id']}"
    ids["subprocess_id"] = owner.ok("POST", f"{process}/subprocesses", json={"name": "Yearly"})["subprocess_id"]
    ids["customer_id"] = owner.ok("POST", "/v1/customers", json={"code": "C-1", "name": "Andina"})["id"]
    customer = f"/v1/customers/{ids['customer_id']}"
    ids["location_id"] = owner.ok("POST", f"{customer}/locations", json={"name": "North"})["location_id"]
    task = {name: ids[name] for name in ("process_id", "subprocess_id", "customer_id", "location_id")}
    ids |= furnish_work(owner, task)
    opened = owner.ok("POST", "/v1/tasks", json={"title": "Inspect", **task})
    ids["task_id"] = ids["parent_id"] = opened["id"]
    ids["team_id"] = ids["parent"] = owner.ok("POST", "/v1/teams", json={"name": "Crew"})["id"]
    ids |= furnish_forms(owner)
    profile = {"name": "Planner", "permissions": ["tasks:read"]}
    ids["profile_id"] = owner.ok("POST", "/v1/profiles", json=profile)["id"]
    token = {"name": "Report", "scopes": ["tasks:read"], "expires_at": in_days(30)}
    ids["token_id"] = owner.ok("POST", "/v1/api-tokens", json=token)["id"]
    ids["invoice_id"] = first_invoice(owner)
    ids["quote_id"] = owner.ok("POST", "/v1/seat-quotes", json={"to_seats": 12})["quote_id"]
    file = {"file": ("customers.csv", b"code,name\nC-9,Nueve\n", "text/csv")}
    ids["import_id"] = owner.ok("POST", "/v1/imports", files=file, data={"kind": "customers"})["id"]
    ids["export_id"] = owner.ok("POST", "/v1/exports", json={"kind": "customers"})["id"]
    ids |= furnish_evidence(owner, ids["task_id"])
    ids["device_id"] = str(uuid.uuid4())
    body = {"email": owner.email, "password": PASSWORD, "kind": "device", "device_id": ids["device_id"]}
    Client(str(owner.http.base_url)).ok("POST", "/v1/sessions", json=body)
    return ids


def furnish_work(owner: Client, task: dict[str, str]) -> dict[str, str]:
    """What work is done on and asked by, work that will recur next year, and a choice of tasks."""
    place = {name: task[name] for name in ("customer_id", "location_id")}
    recurring = {"title": "Round", "rule": "FREQ=DAILY", "starts": f"{time.gmtime().tm_year + 1}-06-01T08:00", **task}
    field = {"key": "meter", "label": "Meter", "rules": {"type": "text"}}
    owner.ok("POST", "/v1/dynamic-fields/task/fields", json=field)
    return {
        "equipment_id": owner.ok("POST", "/v1/equipment", json={"name": "Cold room", **place})["id"],
        "service_id": owner.ok("POST", "/v1/services", json={"name": "Preventive"})["id"],
        "recurrence_id": owner.ok("POST", "/v1/recurrences", json=recurring)["id"],
        "filter_id": owner.ok("POST", "/v1/saved-filters", json={"name": "All", "chosen": {}})["filter_id"],
        "entity": "task",
        "key": "meter",
        "work_id": str(uuid.uuid4()),  # nothing of a device waits here
    }


FORM = {"items": [{"type": "short_text", "name": "contact", "labels": {"es": "Contacto"}}]}


def furnish_forms(owner: Client) -> dict[str, str]:
    """A form with one version, and answers that nobody handed in."""
    form_id = owner.ok("POST", "/v1/forms", json={"name": "Inspection"})["id"]
    owner.ok("PUT", f"/v1/forms/{form_id}/draft", json={"content": FORM})
    owner.ok("POST", f"/v1/forms/{form_id}/publish")
    return {"form_id": form_id, "number": "1", "submission_id": str(uuid.uuid4())}


def furnish_evidence(owner: Client, task_id: str) -> dict[str, str]:
    """A note that is kept, a link to it, an upload whose bytes are still awaited, and a report of the task."""

    def planned(content: bytes) -> dict[str, Any]:
        plan = {"id": f"sha256:{hashlib.sha256(content).hexdigest()}", "bytes": len(content), "type": "text/plain"}
        return owner.ok("POST", "/v1/media", json=plan)

    content = secrets.token_hex(32).encode()
    sent = planned(content)
    told = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert owner("PATCH", sent["tus"], content=content, headers=told).status_code == 204
    within(20.0, lambda: owner.ok("GET", sent["tus"])["status"] == "stored")
    target = {"kind": "media", "id": sent["id"]}
    reported = {"kind": "task", "subject_id": task_id}
    return {
        "media_id": sent["id"],
        "link_id": owner.ok("POST", "/v1/public-links", json={"target": target})["id"],
        "upload_id": planned(secrets.token_bytes(32))["upload_id"],
        "report_id": owner.soon("task-unknown", "POST", "/v1/reports", json=reported)["id"],
    }


def first_invoice(owner: Client) -> str:
    """The invoice of the first cycle, waited for: billing hears of a new account moments later."""
    found: list[str] = []

    def there() -> bool:
        answer = owner("GET", "/v1/invoices")
        found.extend(item["id"] for item in answer.json().get("items", ()))
        return bool(found)

    within(20.0, there)
    return found[0]


def in_days(days: int) -> str:
    """A moment as the API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86_400))


def problem(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    """The answer is a complete problem document of one of these statuses, and no stack trace."""
    where = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:500]}"
    assert answer.status_code in statuses, where
    assert answer.headers["content-type"] == "application/problem+json", where
    document: dict[str, Any] = answer.json()
    assert document["status"] == answer.status_code, where
    assert document["type"] == f"https://checkop.co/problems/{document['code']}", where
    assert document["title"], where
    assert document["detail"], where
    assert document["instance"].removeprefix("urn:uuid:") == answer.headers["x-correlation-id"], where
    assert "Traceback" not in answer.text, where
    return document


def within(seconds: float, look: Callable[[], bool]) -> float:
    """How long it took until it was so. Raises AssertionError when it never was."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if look():
            return time.monotonic() - start
        time.sleep(0.02)
    raise AssertionError(f"not so within {seconds} s")
