"""Work through the front door: evidence opens a stage, a failed answer opens work, work recurs, people are found."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from tests.system.callers import Client, Platform, join, problem, register, within

CHOICES = [{"value": "yes", "labels": {"es": "Sí"}}, {"value": "no", "labels": {"es": "No"}}]
QUESTION = {
    "type": "single_choice",
    "name": "brake_ok",
    "labels": {"es": "¿Frena?"},
    "choices": "answers",
    "follow_up": {"when": ". = 'no'", "priority": "high"},
}
CONTENT = {"languages": ["es"], "choice_lists": {"answers": CHOICES}, "items": [QUESTION]}


@pytest.fixture(scope="module")
def owner(platform: Platform) -> Client:
    return register(platform, "Ascensores S.A.S.")


@pytest.fixture(scope="module")
def technician(platform: Platform, owner: Client) -> Client:
    return join(platform, owner, "technician")


@pytest.fixture(scope="module")
def form_id(owner: Client) -> str:
    id: str = owner.ok("POST", "/v1/forms", json={"name": "Frenos"})["id"]
    owner.ok("PUT", f"/v1/forms/{id}/draft", json={"content": CONTENT})
    owner.ok("POST", f"/v1/forms/{id}/publish")
    return id


@pytest.fixture(scope="module")
def kind(owner: Client, form_id: str) -> dict[str, str]:
    """A process of which the work is completed with its form only."""
    stages: list[dict[str, Any]] = [
        {"stage_id": state.replace("_", "-"), "name": state.title(), "generic_state": state}
        for state in ("pending", "in_progress", "completed")
    ]
    stages[2]["requires"] = {"task_forms": True, "complete_evidence": True}
    list_id = owner.ok("POST", "/v1/status-lists", json={"name": "Con evidencia", "stages": stages})["id"]
    process_id = owner.ok("POST", "/v1/processes", json={"name": "Mantenimiento"})["id"]
    owner.ok("PUT", f"/v1/processes/{process_id}/status-list", json={"list_id": list_id})
    added = owner.ok("POST", f"/v1/processes/{process_id}/subprocesses", json={"name": "Frenos"})
    return {"process_id": process_id, "subprocess_id": added["subprocess_id"]}


def in_the_directory(owner: Client, technician: Client, task_id: str) -> None:
    """Work can be given to somebody once word of him has come from identity."""
    body = {"user_id": technician.ids["user_id"]}
    owner.soon("assignee-", "POST", f"/v1/tasks/{task_id}/assign", json=body)


def test_evidence_opens_the_stage_and_a_failed_answer_opens_work(
    owner: Client, technician: Client, kind: dict[str, str], form_id: str
) -> None:
    body = {"title": "Revisión", "form_ids": [form_id], **kind}
    task_id = owner.ok("POST", "/v1/tasks", json=body)["id"]
    path = f"/v1/tasks/{task_id}"
    in_the_directory(owner, technician, task_id)
    started = technician.ok("POST", f"{path}/start")
    refused = problem(technician("POST", f"{path}/advance", json={"to_stage": "completed"}), 409)
    assert refused["missing"] == [{"demand": "forms", "forms": [form_id]}]
    answers = {"form": {"id": form_id, "version": 1}, "task_id": task_id, "answers": {"brake_ok": "no"}}
    submission_id = technician.ok("POST", "/v1/submissions", json=answers)["id"]
    own = {"X-At-Least": str(started["position"])}
    within(20, lambda: bool(owner.ok("GET", path, headers=own)["subtasks"]))
    technician.ok("POST", f"{path}/notes", json={"text": "Pastillas gastadas"})
    done = technician.ok("POST", f"{path}/advance", json={"to_stage": "completed"})
    shown = owner.ok("GET", path, headers={"X-At-Least": str(done["position"])})
    assert [answer["submission_id"] for answer in shown["answers"]] == [submission_id]
    assert [note["text"] for note in shown["notes"]] == ["Pastillas gastadas"]
    (follow_up,) = shown["subtasks"]
    assert (follow_up["title"], follow_up["status"]) == ("Revisión · brake_ok", "pending")


def test_work_recurs(owner: Client, kind: dict[str, str]) -> None:
    tomorrow = time.strftime("%Y-%m-%dT08:00", time.gmtime(time.time() + 86_400))
    plan = {"title": "Ronda", "rule": "FREQ=DAILY;COUNT=3", "starts": tomorrow, "minutes": 60, **kind}
    tried = owner.ok("GET", "/v1/recurrences/preview", params={"rule": plan["rule"], "starts": tomorrow})["upcoming"]
    id = owner.ok("POST", "/v1/recurrences", json=plan)["id"]

    def opened() -> list[str]:
        rows = owner.ok("GET", "/v1/board", params={"recurrence_id": id, "order": "due"})["items"]
        return [row["window"]["start"] for row in rows if row["status"] == "pending"]

    within(20, lambda: opened() == tried)
    owner.ok("POST", f"/v1/recurrences/{id}/skip", json={"start": tried[1]})
    within(20, lambda: opened() == [tried[0], tried[2]])
    owner.ok("POST", f"/v1/recurrences/{id}/end")
    within(20, lambda: opened() == [])


def test_who_is_near_and_what_is_there(owner: Client, technician: Client, kind: dict[str, str]) -> None:
    here = {"lat": 4.65, "lon": -74.06}
    customer_id = owner.ok("POST", "/v1/customers", json={"code": "A-1", "name": "Andina"})["id"]
    place = {"name": "Torre B", "position": here}
    location_id = owner.ok("POST", f"/v1/customers/{customer_id}/locations", json=place)["location_id"]
    where = {"customer_id": customer_id, "location_id": location_id}
    equipment_id = owner.ok("POST", "/v1/equipment", json={"name": "Ascensor 1", **where})["id"]
    opened = owner.ok("POST", "/v1/tasks", json={"title": "Visita", "equipment_id": equipment_id, **where, **kind})
    bounds = {"south": 4, "west": -75, "north": 5, "east": -74}
    reading = {"X-At-Least": str(opened["position"])}
    (row,) = owner.ok("GET", "/v1/map", params=bounds, headers=reading)["items"]
    assert (row["id"], row["equipment_name"], row["position"]) == (opened["id"], "Ascensor 1", here)
    in_the_directory(owner, technician, opened["id"])
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    point = {"point_id": str(uuid.uuid4()), "at": at, "position": {"lat": 4.66, "lon": -74.06}, "battery": 71}
    first = technician.ok("POST", "/v1/gps/points", json={"points": [point]})
    assert technician.ok("POST", "/v1/gps/points", json={"points": [point]})["version"] == first["version"]
    reading = {"X-At-Least": str(first["position"])}
    (near,) = owner.ok("GET", "/v1/technicians/nearest", params=here, headers=reading)["items"]
    assert (near["user_id"], near["battery"], near["away_m"]) == (technician.ids["user_id"], 71, 1112)
    route = technician.ok("GET", f"/v1/gps/routes/{technician.ids['user_id']}")
    assert [one["id"] for one in route["points"]] == [point["point_id"]]


def test_one_decision_over_many(owner: Client, kind: dict[str, str]) -> None:
    ids = [owner.ok("POST", "/v1/tasks", json={"title": f"Visita {n}", **kind})["id"] for n in range(5)]
    body = {"action": "cancel", "task_ids": [*ids, str(uuid.uuid4())], "reason": "Paro"}
    key = {"Idempotency-Key": f"bulk-{uuid.uuid4()}"}
    first = owner.ok("POST", "/v1/tasks/bulk", json=body, headers=key)
    assert (first["done"], first["refused"], first["results"][-1]["code"]) == (5, 1, "task-unknown")
    assert owner.ok("POST", "/v1/tasks/bulk", json=body, headers=key) == first
