"""Tasks, equipment, fields, recurring work and whereabouts over HTTP: what the service is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.gateway.conftest import Ask, FakeServices, token

ID, OTHER = "01936f5e-0000-7000-8000-00000000f001", "01936f5e-0000-7000-8000-00000000f002"
OFFICE = token(
    permissions=("tasks:read", "tasks:edit", "customers:edit", "customers:read", "processes:read", "processes:edit")
)
FIELD = token(permissions=("tasks:read", "tasks:execute", "gps"))
RECEIPT = {"id": ID, "stream": "s", "version": 2, "position": 9}


def told(services: FakeServices, command: str) -> dict[str, Any]:
    (asked,) = services.asked(command)
    data: dict[str, Any] = asked["data"]
    return data


def test_null_clears_what_can_be_absent_and_asks_for_the_neutral_otherwise(ask: Ask, services: FakeServices) -> None:
    services.answers["edit_task"] = services.answers["change_recurrence"] = RECEIPT
    nothing = {"description": None, "equipment_id": None, "service_ids": None, "priority": None}
    cleared = {"description": "", "equipment_id": None, "service_ids": [], "priority": "normal"}
    ask("PATCH", f"/v1/tasks/{ID}", authorization=OFFICE, json={**nothing, "window": None})
    assert told(services, "edit_task") == {**cleared, "window": {}, "task_id": ID}
    ask("PATCH", f"/v1/recurrences/{ID}", authorization=OFFICE, json={**nothing, "minutes": None})
    assert told(services, "change_recurrence") == {**cleared, "minutes": None, "recurrence_id": ID}


def test_a_new_thing_has_the_clients_id_or_one_of_its_own(ask: Ask, services: FakeServices) -> None:
    for command, path, name, body in (
        ("install_equipment", "/v1/equipment", "equipment_id", {"name": "x", "customer_id": ID, "location_id": OTHER}),
        ("add_service", "/v1/services", "service_id", {"name": "x"}),
        (
            "start_recurrence",
            "/v1/recurrences",
            "recurrence_id",
            {
                "title": "x",
                "process_id": ID,
                "subprocess_id": OTHER,
                "rule": "FREQ=DAILY",
                "starts": "2026-12-01T08:00",
                "zone": None,
            },
        ),
    ):
        services.answers[command] = RECEIPT
        answer = ask("POST", path, authorization=OFFICE, json={**body, "id": OTHER})
        assert answer.status_code == 201, answer.text
        assert told(services, command)[name] == OTHER
        ask("POST", path, authorization=OFFICE, json=body, headers={"Idempotency-Key": "the-same-key"})
        ask("POST", path, authorization=OFFICE, json=body, headers={"Idempotency-Key": "the-same-key"})
        made = [asked["data"][name] for asked in services.asked(command)[1:]]
        assert made[0] == made[1] != OTHER
        assert all("zone" not in asked["data"] for asked in services.asked(command))


def test_a_decision_over_many_says_only_what_belongs_to_it(ask: Ask, services: FakeServices) -> None:
    services.answers["decide_over_tasks"] = {"results": [], "done": 0, "refused": 0, "position": 0}
    body = {"action": "assign", "task_ids": [ID], "user_id": None, "team_id": OTHER, "reason": None}
    assert ask("POST", "/v1/tasks/bulk", authorization=OFFICE, json=body).status_code == 200
    assert told(services, "decide_over_tasks") == {
        "action": "assign",
        "task_ids": [ID],
        "user_id": None,
        "team_id": OTHER,
    }


def test_a_saved_filter_holds_what_was_chosen(ask: Ask, services: FakeServices) -> None:
    services.answers["change_filter"] = RECEIPT
    body = {"name": "Urgentes", "chosen": {"priority": "urgent", "team_id": None, "overdue": True}}
    answer = ask("PUT", f"/v1/saved-filters/{ID}", authorization=OFFICE, json=body)
    assert answer.status_code == 200
    assert told(services, "change_filter") == {
        "filter_id": ID,
        "name": "Urgentes",
        "screen": "board",
        "chosen": {"priority": "urgent", "overdue": True},
    }


def test_points_are_ones_own_and_in_utc(ask: Ask, services: FakeServices) -> None:
    services.answers["record_points"] = RECEIPT
    point = {"point_id": ID, "at": "2026-12-01T08:00:00-05:00", "position": {"lat": 4.6, "lon": -74.0}, "battery": 5}
    assert ask("POST", "/v1/gps/points", authorization=FIELD, json={"points": [point]}).status_code == 201
    (sent,) = told(services, "record_points")["points"]
    assert (sent["at"], sent["battery"]) == ("2026-12-01T13:00:00Z", 5)
    assert ask("POST", "/v1/gps/points", authorization=OFFICE, json={"points": [point]}).status_code == 403


@pytest.mark.parametrize(
    ("path", "query", "params"),
    [
        (
            "/v1/map?south=4&west=-75&north=5&east=-73&status=pending&from=2026-12-01T05:00:00Z",
            "map",
            {"south": 4.0, "west": -75.0, "north": 5.0, "east": -73.0, "limit": 500, "status": ["pending"]}
            | {"from": "2026-12-01T05:00:00+00:00"},
        ),
        (
            "/v1/technicians/nearest?lat=4.6&lon=-74&within_m=500",
            "nearest_technicians",
            {"lat": 4.6, "lon": -74.0, "fresh_minutes": 60, "within_m": 500, "limit": 10},
        ),
        (f"/v1/gps/positions?user_id={ID}", "positions", {"user_ids": [ID]}),
        (f"/v1/gps/routes/{ID}?day=2026-12-01", "route", {"user_id": ID, "day": "2026-12-01"}),
        (
            "/v1/recurrences/preview?rule=FREQ%3DDAILY&starts=2026-12-01T08:00",
            "preview_recurrence",
            {"rule": "FREQ=DAILY", "starts": "2026-12-01T08:00", "upcoming": 10},
        ),
        ("/v1/dynamic-fields?entity=task", "dynamic_fields", {"entity": "task"}),
        (f"/v1/equipment?location_id={ID}", "equipment_list", {"location_id": ID, "limit": 50}),
    ],
)
def test_questions(ask: Ask, services: FakeServices, path: str, query: str, params: dict[str, Any]) -> None:
    services.answers[query] = {"items": []}
    assert ask("GET", path, authorization=OFFICE).status_code == 200
    assert services.asked(query)[0]["params"] == params


@pytest.mark.parametrize(
    "path",
    [
        "/v1/map?south=4&west=-75&north=5",
        "/v1/map?south=4&west=-75&north=5&east=400",
        "/v1/technicians/nearest?lat=4.6&lon=nan",
        "/v1/recurrences/preview?rule=FREQ%3DDAILY&starts=mañana",
        f"/v1/gps/routes/{ID}?day=ayer",
        "/v1/dynamic-fields?entity=invoice",
    ],
)
def test_what_makes_no_sense_is_refused_at_the_door(ask: Ask, path: str) -> None:
    assert ask("GET", path, authorization=OFFICE).status_code == 422
