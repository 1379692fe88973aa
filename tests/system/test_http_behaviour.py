"""What the HTTP door promises to those who use it well: repeats, preconditions, own writes, pages, live facts."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import orjson
import pytest

from tests.system.callers import Client, Platform, furnish, in_days, join, log_in, problem, register, within


@pytest.fixture(scope="module")
def owner(platform: Platform) -> Client:
    return register(platform, "Cordillera")


@pytest.fixture(scope="module")
def ids(owner: Client) -> dict[str, str]:
    return furnish(owner)


def task_of(ids: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"title": "x", "process_id": ids["process_id"], "subprocess_id": ids["subprocess_id"], **more}


class TestRepeats:
    def test_a_repeat_gets_the_first_answer(self, owner: Client, ids: dict[str, str]) -> None:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        answers = [owner("POST", "/v1/tasks", json=task_of(ids), headers=headers) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1

    def test_many_at_once_make_one(self, owner: Client, ids: dict[str, str]) -> None:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        seen: list[tuple[int, str]] = []

        def ask() -> None:
            answer = owner("POST", "/v1/tasks", json=task_of(ids), headers=headers)
            seen.append((answer.status_code, answer.json()["id"]))

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(seen)) == 1, seen

    def test_a_key_used_for_something_else_is_refused(self, owner: Client, ids: dict[str, str]) -> None:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        owner.ok("POST", "/v1/tasks", json=task_of(ids, title="one"), headers=headers)
        found = problem(owner("POST", "/v1/tasks", json=task_of(ids, title="two"), headers=headers), 422)
        assert found["code"] == "idempotency-key-reused"

    def test_keys_of_other_people_do_not_collide(self, platform: Platform, ids: dict[str, str], owner: Client) -> None:
        other = register(platform)
        headers = {"Idempotency-Key": "the-same-key-0001"}
        mine = owner.ok("POST", "/v1/processes", json={"name": "x"}, headers=headers)
        theirs = other.ok("POST", "/v1/processes", json={"name": "x"}, headers=headers)
        assert mine["id"] != theirs["id"]


class TestVersions:
    def test_what_changed_meanwhile_is_not_overwritten(self, owner: Client, ids: dict[str, str]) -> None:
        task = owner.ok("POST", "/v1/tasks", json=task_of(ids))
        path = f"/v1/tasks/{task['id']}"
        read = owner("GET", path, params={"at_least": task["position"]})
        tag = read.headers["etag"]
        changed = owner("PATCH", path, json={"title": "first"}, headers={"If-Match": tag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag
        found = problem(owner("PATCH", path, json={"title": "second"}, headers={"If-Match": tag}), 412)
        assert found["code"] == "version-mismatch"
        fresh = {"If-Match": changed.headers["etag"]}
        assert owner("PATCH", path, json={"title": "second"}, headers=fresh).status_code == 200

    def test_own_writes_are_read(self, owner: Client, ids: dict[str, str]) -> None:
        for n in range(20):
            name = f"Process {n}"
            made = owner.ok("POST", "/v1/processes", json={"name": name})
            shown = owner.ok("GET", f"/v1/processes/{made['id']}", params={"at_least": made["position"]})
            assert shown["name"] == name


def test_pages_show_everything_once(owner: Client) -> None:
    for n in range(7):
        owner.ok("POST", "/v1/customers", json={"code": f"P-{n}", "name": f"Cliente {n % 2}"})
    last = owner.ok("POST", "/v1/customers", json={"code": "P-7", "name": "Cliente 9"})
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 3, "at_least": last["position"]}
    while True:
        page = owner.ok("GET", "/v1/customers", params=params)
        seen += [row["code"] for row in page["items"]]
        assert len(page["items"]) <= 3
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert len(seen) == len(set(seen))
    assert {f"P-{n}" for n in range(8)} <= set(seen)


def test_history_tells_who_and_from_where_and_exports(owner: Client) -> None:
    # Nobody made this address a trusted proxy: what it says about somebody behind it is not believed.
    lie = {"X-Forwarded-For": "6.6.6.6"}
    process = owner.ok("POST", "/v1/processes", json={"name": "Para la historia"}, headers=lie)

    def told() -> list[dict[str, Any]]:
        page = owner.ok("GET", "/v1/history", params={"type": "ProcessCreated", "limit": 50})
        return [entry for entry in page["items"] if entry["detail"].get("process_id") == process["id"]]

    within(10, lambda: bool(told()))
    (entry,) = told()
    assert entry["actor"] == owner.ids["user_id"]
    assert entry["ip"] == "127.0.0.1"
    csv = owner("GET", "/v1/history.csv", params={"type": "ProcessCreated"})
    assert csv.headers["content-type"].startswith("text/csv")
    lines = csv.text.splitlines()
    assert lines[0].startswith("time,")
    assert sum(process["id"] in line for line in lines) == 1


def test_an_api_token_acts_for_its_maker_until_revoked(platform: Platform, owner: Client) -> None:
    wanted = {"name": "Report", "scopes": ["processes:read"], "expires_at": in_days(30)}
    made = owner.ok("POST", "/v1/api-tokens", json=wanted)
    program = Client(platform.base_url, made["token"])
    assert program("GET", "/v1/processes").status_code == 200
    assert problem(program("POST", "/v1/processes", json={"name": "x"}), 403)["permission"] == "processes:edit"
    owner.ok("DELETE", f"/v1/api-tokens/{made['id']}")
    within(2.0, lambda: program("GET", "/v1/processes").status_code == 401)


def test_a_deactivated_person_is_out_within_two_seconds(platform: Platform, owner: Client) -> None:
    viewer = join(platform, owner, "viewer")
    assert viewer("GET", "/v1/board").status_code == 200
    owner.ok("POST", f"/v1/users/{viewer.ids['user_id']}/deactivate")
    within(2.0, lambda: viewer("GET", "/v1/board").status_code == 401)


class Stream:
    """An open stream of facts, read line by line in a thread of its own."""

    def __init__(self, client: Client, last_id: str | None = None) -> None:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        self.events: list[dict[str, Any]] = []
        self.ended = threading.Event()
        self._response = client.http.send(
            client.http.build_request("GET", "/v1/events", headers=headers, timeout=60), stream=True
        )
        assert self._response.status_code == 200
        assert self._response.headers["content-type"].startswith("text/event-stream")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        event: dict[str, Any] = {}
        try:
            for line in self._response.iter_lines():
                name, _, value = line.partition(": ")
                if not line:
                    self.events += [event] if event else []
                    event = {}
                elif name:
                    event[name] = orjson.loads(value) if name == "data" else value
        except httpx.HTTPError:
            pass
        finally:
            self.ended.set()

    def names(self) -> list[str]:
        return [event.get("event", "") for event in self.events]

    def close(self) -> None:
        """Hang up; closing alone would wait for the thread that reads."""
        with suppress(OSError):
            self._response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self.ended.wait(5)
        self._response.close()


@contextmanager
def following(client: Client, last_id: str | None = None) -> Iterator[Stream]:
    stream = Stream(client, last_id)
    try:
        within(20, lambda: "ready" in stream.names())
        yield stream
    finally:
        stream.close()


class TestLive:
    def test_facts_arrive_in_their_account_only(self, platform: Platform, owner: Client) -> None:
        stranger = register(platform)
        with following(owner) as mine, following(stranger) as theirs:
            made = owner.ok("POST", "/v1/processes", json={"name": "En vivo"})
            within(20, lambda: "ProcessCreated" in mine.names())
            (fact,) = [event for event in mine.events if event.get("event") == "ProcessCreated"]
            assert fact["data"]["data"] == {"process_id": made["id"]}
            assert "En vivo" not in str(fact), "names are confidential and never published"
            time.sleep(0.5)
            assert "ProcessCreated" not in theirs.names()

    def test_who_comes_back_misses_nothing(self, owner: Client) -> None:
        with following(owner) as first:
            owner.ok("POST", "/v1/processes", json={"name": "Uno"})
            within(20, lambda: "ProcessCreated" in first.names())
            last = next(event["id"] for event in first.events if event.get("event") == "ProcessCreated")
        missed = owner.ok("POST", "/v1/processes", json={"name": "Dos"})
        with following(owner, last) as second:
            within(20, lambda: "ProcessCreated" in second.names())
            assert "reset" not in second.names()
            (fact,) = [event for event in second.events if event.get("event") == "ProcessCreated"]
            assert fact["data"]["data"] == {"process_id": missed["id"]}

    def test_an_unknown_place_starts_over(self, owner: Client) -> None:
        with following(owner, "tasks:999999999:0") as stream:
            within(20, lambda: "reset" in stream.names())

    def test_a_revoked_session_hears_no_more(self, platform: Platform, owner: Client) -> None:
        mine = log_in(platform, owner.email)
        with following(mine) as stream:
            owner.ok("DELETE", f"/v1/sessions/{mine.ids['session_id']}")
            within(20, stream.ended.is_set)
            assert stream.events[-1]["event"] == "bye"
            assert stream.events[-1]["data"]["reason"] == "session-revoked"

    def test_streams_are_limited_per_person(self, platform: Platform, owner: Client) -> None:
        mine = log_in(platform, owner.email)
        streams = [Stream(mine) for _ in range(8)]
        try:
            found = problem(mine("GET", "/v1/events"), 429)
            assert found["code"] == "too-many-streams"
        finally:
            for stream in streams:
                stream.close()
        within(20, lambda: not too_many(mine))


def too_many(client: Client) -> bool:
    request = client.http.build_request("GET", "/v1/events")
    response = client.http.send(request, stream=True)
    response.close()
    return response.status_code == 429


def test_an_import_is_tried_first_and_then_applied(owner: Client) -> None:
    content = b"code,name,city\nI-1,Uno,Cali\nI-2,,Cali\nI-3,Tres,Cali\n"
    made = owner.ok("POST", "/v1/imports", files={"file": ("c.csv", content, "text/csv")}, data={"kind": "customers"})
    path = f"/v1/imports/{made['id']}"

    def state() -> str:
        shown = owner("GET", path)
        return str(shown.json()["status"]) if shown.is_success else ""

    within(15, lambda: state() == "checked")
    checked = owner.ok("GET", path)
    assert (checked["good"], checked["bad"]) == (2, 1)
    assert problem(owner("POST", f"{path}/apply"), 409)["code"] == "import-has-bad-rows"
    owner.ok("POST", f"{path}/apply", json={"skip_bad_rows": True})
    within(15, lambda: state() == "finished")
    within(20, lambda: len(owner.ok("GET", "/v1/customers", params={"text": "I-"})["items"]) == 2)


def test_health_and_documents_need_nobody(platform: Platform) -> None:
    nobody = Client(platform.base_url)
    assert nobody("GET", "/healthz").json() == {"status": "ok"}
    ready = nobody("GET", "/readyz")
    assert ready.status_code == 200
    assert set(ready.json()) == {"status", "broker", "identity", "tasks", "forms", "billing", "media", "revocations"}
    assert nobody("GET", "/openapi.json").json()["openapi"] == "3.1.0"
