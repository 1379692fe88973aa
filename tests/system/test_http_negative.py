"""Whatever is wrong with a request, the answer is a clear problem document, and nothing of another account shows."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.kernel.secrets import Secrets, decode_seed
from tests.system.callers import Client, Platform, furnish, join, log_in, problem, register, within

JSON = {"Content-Type": "application/json"}
OF_ONES_OWN = ("revoke_device", "define_field", "arrange_fields")
"""One's own device of that id, one's own fields: there may be none, but the path names no owner."""
DEVICES_OWN = "/v1/sync/"
"""Devices speak it with headers and keys of their own; tried where devices are."""
IN_THE_FIELD = ("tasks:execute", "gps")
NO_LISTS = ("/v1/events", DEVICES_OWN)
SPAN = {"from": "2020-01-01T00:00:00Z", "to": "2040-01-01T00:00:00Z"}
ASKED: dict[str, dict[str, Any]] = {
    "/v1/agenda": SPAN,
    "/v1/map": {"south": -5, "west": -80, "north": 13, "east": -66},
    "/v1/technicians/nearest": {"lat": 4.65, "lon": -74.06},
    "/v1/recurrences/preview": {"rule": "FREQ=DAILY", "starts": "2027-06-01T08:00"},
}
"""What some lists must be told."""


@pytest.fixture(scope="module")
def owner(platform: Platform) -> Client:
    return register(platform, "Andina")


@pytest.fixture(scope="module")
def theirs(owner: Client) -> dict[str, str]:
    """One of everything in the owner's account."""
    return furnish(owner)


@pytest.fixture(scope="module")
def stranger(platform: Platform) -> Client:
    """The owner of another account."""
    return register(platform, "Boreal")


@pytest.fixture(scope="module")
def strange_technician(platform: Platform, stranger: Client) -> Client:
    return join(platform, stranger, "technician")


@pytest.fixture(scope="module")
def document(owner: Client) -> dict[str, Any]:
    return owner.ok("GET", "/openapi.json")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        if path.startswith("/v1") and not path.startswith(DEVICES_OWN):
            for method, operation in item.items():
                yield method.upper(), path, operation


def filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, f"{path}: an id of a kind the matrix does not know"
    return path


def sample(document: dict[str, Any], schema: dict[str, Any], name: str, ids: dict[str, str]) -> Any:
    """A value that the schema allows; ids are those given, where the field's name says of what."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        schema = {**schema, **next(part for part in schema["anyOf"] if part.get("type") != "null")}
        schema.pop("anyOf")
        return sample(document, schema, name, ids)
    if schema.get("format") == "uuid":
        return ids.get(name, str(uuid.uuid4()))
    for key in ("example", "const", "default"):
        if schema.get(key) is not None:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            return {n: sample(document, schema["properties"][n], n, ids) for n in required}
        case "array":
            return [sample(document, schema["items"], name, ids)] if schema.get("minItems") else []
        case "string":
            return "x" * max(12, schema.get("minLength", 0))
        case "boolean":
            return True
        case kind:
            return {"integer": 1, "number": 1.5}[str(kind)]


def body_of(document: dict[str, Any], operation: dict[str, Any], ids: dict[str, str]) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return None
    return sample(document, content["application/json"]["schema"], "", ids)


def told(document: dict[str, Any], operation: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """What else a request to this operation must have: a body, and headers of its own."""
    required = [parameter for parameter in operation.get("parameters", ()) if parameter.get("required")]
    said = {one["name"]: str(one["example"]) for one in required if one.get("in") == "header"}
    plain = [kind for kind in operation.get("requestBody", {}).get("content", {}) if kind.endswith("octet-stream")]
    if plain:
        return {"content": b"x", "headers": {**said, "Content-Type": plain[0]}}
    body = body_of(document, operation, ids)
    return {"headers": said} | ({} if body is None else {"json": body})


def nothing_there(method: str, answer: httpx.Response) -> bool:
    """Whether it says that there is no such thing; an answer to HEAD can say no more than that."""
    if answer.status_code != 404:
        return False
    return method == "HEAD" or bool(problem(answer, 404)["code"].endswith("-unknown"))


class TestAnotherAccount:
    """The same ids that work for their owner do not exist for anybody else."""

    def test_every_operation_on_a_foreign_id_finds_nothing(
        self,
        document: dict[str, Any],
        owner: Client,
        theirs: dict[str, str],
        stranger: Client,
        strange_technician: Client,
    ) -> None:
        before = {path: owner.ok("GET", path) for path in own_pages(document, theirs)}
        tried, found = 0, []
        for method, path, operation in operations(document):
            if "{" not in path or operation["operationId"] in OF_ONES_OWN:
                continue
            caller = strange_technician if operation.get("x-permission") in IN_THE_FIELD else stranger
            answer = caller(method, filled(path, theirs), **told(document, operation, theirs))
            tried += 1
            if not nothing_there(method, answer):
                found.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        assert not found, "\n".join(found)
        assert tried > 45
        after = {path: owner.ok("GET", path) for path in before}
        assert after == before

    def test_a_foreign_id_in_a_body_finds_nothing(
        self, stranger: Client, theirs: dict[str, str], document: dict[str, Any]
    ) -> None:
        mine = furnish(stranger)
        task = {"title": "x", "process_id": mine["process_id"], "subprocess_id": mine["subprocess_id"]}
        own = f"/v1/tasks/{mine['task_id']}"
        attempts = [
            ("POST", "/v1/tasks", {**task, "process_id": theirs["process_id"]}),
            ("POST", "/v1/tasks", {**task, "subprocess_id": theirs["subprocess_id"]}),
            ("POST", "/v1/tasks", {**task, "customer_id": theirs["customer_id"]}),
            (
                "POST",
                "/v1/tasks",
                {**task, "customer_id": mine["customer_id"], "location_id": theirs["location_id"]},
            ),
            ("POST", "/v1/tasks", {**task, "user_id": theirs["user_id"]}),
            ("POST", "/v1/tasks", {**task, "team_id": theirs["team_id"]}),
            ("POST", "/v1/tasks", {**task, "parent_id": theirs["task_id"]}),
            ("POST", f"{own}/assign", {"user_id": theirs["user_id"]}),
            ("POST", f"{own}/assign", {"team_id": theirs["team_id"]}),
            ("PATCH", own, {"customer_id": theirs["customer_id"]}),
            ("PATCH", own, {"service_ids": [theirs["service_id"]]}),
            ("PATCH", own, {"customer_id": mine["customer_id"], "equipment_id": theirs["equipment_id"]}),
            ("POST", "/v1/equipment", {"name": "x", **{n: theirs[n] for n in ("customer_id", "location_id")}}),
            (
                "PUT",
                f"/v1/equipment/{mine['equipment_id']}/location",
                {"customer_id": mine["customer_id"], "location_id": theirs["location_id"]},
            ),
            ("PUT", f"/v1/processes/{mine['process_id']}/status-list", {"list_id": theirs["list_id"]}),
            ("PUT", f"/v1/processes/{mine['process_id']}/teams", {"team_ids": [theirs["team_id"]]}),
            ("POST", f"/v1/teams/{mine['team_id']}/members", {"user_id": theirs["user_id"]}),
            ("PUT", f"/v1/teams/{mine['team_id']}/leaders", {"leaders": [theirs["user_id"]]}),
            ("PUT", f"/v1/teams/{mine['team_id']}/parent", {"parent": theirs["team_id"]}),
            ("PUT", f"/v1/users/{mine['user_id']}/profile", {"profile_id": theirs["profile_id"]}),
        ]
        found = []
        for method, path, body in attempts:
            answer = stranger(method, path, json=body)
            if not nothing_there(method, answer):
                found.append(f"{method} {path} {body}: {answer.status_code} {answer.text[:200]}")
        assert not found, "\n".join(found)

    def test_no_list_shows_anything_of_another_account(
        self, document: dict[str, Any], theirs: dict[str, str], owner: Client, stranger: Client
    ) -> None:
        names = {theirs[name] for name in ("number", "entity", "key")}
        foreign = {*theirs.values(), *owner.ids.values(), owner.email} - names
        for path, item in document["paths"].items():
            if "get" not in item or "{" in path or not path.startswith("/v1") or path.startswith(NO_LISTS):
                continue
            span = ASKED.get(path, {})
            known = {parameter.get("name") for parameter in item["get"].get("parameters", ())}
            foreign_ids = {name: id for name, id in theirs.items() if name in known}
            for asked in ({}, foreign_ids):
                answer = stranger("GET", path, params=span | asked)
                assert answer.status_code == 200, f"{path}: {answer.text}"
                assert not any(value in answer.text for value in foreign), path


def own_pages(document: dict[str, Any], ids: dict[str, str]) -> list[str]:
    """Every page that shows one thing; without what changes by being looked at, is no JSON, or was never handed in."""
    passing = ("/sessions", "/devices", "/imports/{import_id}", "/exports/{export_id}", "/file", "/pdf", "/xlsform")
    passing += ("/submissions/{submission_id}", "/status", "/recurrences/{recurrence_id}", "/parked-work/{work_id}")
    passing += ("/reports/{report_id}",)
    return [
        filled(path, ids)
        for method, path, operation in operations(document)
        if method == "GET" and "{" in path and not path.endswith(passing)
    ]


class TestBodies:
    @pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b'{"a": NaN}', b'"\\ud800"', b"[" * 5_000, b""])
    def test_malformed_json_on_every_operation(
        self, document: dict[str, Any], owner: Client, theirs: dict[str, str], content: bytes
    ) -> None:
        for method, path, operation in operations(document):
            body = operation.get("requestBody", {})
            if "application/json" not in body.get("content", {}) or not body.get("required"):
                continue
            if operation.get("x-permission") in IN_THE_FIELD:
                continue
            answer = owner(method, filled(path, theirs), content=content, headers=JSON)
            problem(answer, 400 if content else 422)

    @pytest.mark.parametrize("wrong", [7, "\x00", [], {}, None, True, -1e308, "x" * 30_000])
    def test_a_wrong_value_in_every_field(
        self, document: dict[str, Any], owner: Client, theirs: dict[str, str], wrong: Any
    ) -> None:
        """Accepted or refused, but understood: never an error of ours."""
        found = []
        for method, path, operation in operations(document):
            if operation["operationId"] in ("revoke_session", "log_out", "deactivate_user", "change_role"):
                continue
            body = body_of(document, operation, theirs)
            if not isinstance(body, dict):
                continue
            for field in body:
                answer = owner(method, filled(path, theirs), json={**body, field: wrong})
                if answer.status_code >= 500:
                    found.append(f"{method} {path} {field}={wrong!r:.40}: {answer.text[:200]}")
                elif answer.is_error:
                    problem(answer, answer.status_code)
        assert not found, "\n".join(found)

    def test_unknown_fields_are_refused(self, owner: Client) -> None:
        found = problem(owner("POST", "/v1/processes", json={"name": "x", "tenant": "y"}), 422)
        assert found["errors"][0]["loc"] == ["body", "tenant"]

    def test_facts_that_only_services_know_cannot_be_claimed(self, owner: Client, theirs: dict[str, str]) -> None:
        for claimed in ({"facts": {"manages": True}}, {"by": "x"}, {"at": "2026-01-01T00:00:00Z"}):
            body = {"reason": "x", **claimed}
            problem(owner("POST", f"/v1/tasks/{theirs['task_id']}/cancel", json=body), 422)

    def test_oversized_bodies(self, owner: Client) -> None:
        problem(owner("POST", "/v1/processes", json={"name": "x" * (1024 * 1024)}), 413)

        def unannounced() -> Iterator[bytes]:
            yield b'{"name": "'
            for _ in range(40):
                yield b"x" * 65_536

        problem(owner("POST", "/v1/processes", content=unannounced(), headers=JSON), 413)
        file = {"file": ("c.csv", b"x" * (6 * 1024 * 1024 + 1))}
        problem(owner("POST", "/v1/imports", files=file, data={"kind": "customers"}), 413)

    def test_hostile_text_is_kept_or_refused_but_never_interpreted(self, owner: Client) -> None:
        for name in ('{"$gt": ""}', "$where", "a.b", "<script>alert(1)</script>", "=1+1", "‮abc", "'; DROP--"):
            created = owner.ok("POST", "/v1/processes", json={"name": name})
            shown = owner.ok("GET", f"/v1/processes/{created['id']}", params={"at_least": created["position"]})
            assert shown["name"] == name

    def test_objects_where_text_belongs_are_refused(self, owner: Client) -> None:
        operator = {"$gt": ""}
        problem(owner("POST", "/v1/sessions", json={"email": operator, "password": operator}), 422)
        problem(owner("GET", "/v1/customers", params={"cursor": '{"$gt": ""}'}), 422)

    def test_nothing_half_written_follows_a_refusal(self, owner: Client, theirs: dict[str, str]) -> None:
        body = {
            "title": "x",
            "process_id": theirs["process_id"],
            "subprocess_id": theirs["subprocess_id"],
            "customer_id": str(uuid.uuid4()),
        }
        id = str(uuid.uuid4())
        problem(owner("POST", "/v1/tasks", json={**body, "id": id}), 404)
        problem(owner("GET", f"/v1/tasks/{id}"), 404)
        problem(owner("GET", f"/v1/tasks/{id}/nothing"), 404)


class TestUnknownIds:
    def test_ids_that_nobody_has(self, document: dict[str, Any], owner: Client) -> None:
        found = []
        for method, path, operation in operations(document):
            if "{" not in path or operation.get("x-permission") in IN_THE_FIELD:
                continue
            if operation["operationId"] in OF_ONES_OWN:
                continue
            nobody: dict[str, str] = {part[1:-1]: str(uuid.uuid4()) for part in path.split("/") if part.startswith("{")}
            nobody |= {"number": "1", "entity": "task", "media_id": f"sha256:{'0' * 64}"}
            answer = owner(method, filled(path, nobody), **told(document, operation, nobody))
            if not nothing_there(method, answer):
                found.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        assert not found, "\n".join(found)

    @pytest.mark.parametrize("id", ["x", "1", "..%2f..", "%00", "null", "a" * 5_000, "{}", "$ne"])
    def test_ids_that_are_none(self, owner: Client, id: str) -> None:
        problem(owner("GET", f"/v1/tasks/{id}"), 404, 422)

    def test_bad_cursors(self, owner: Client) -> None:
        for path in ("/v1/customers", "/v1/processes", "/v1/users", "/v1/history", "/v1/board"):
            for cursor in ("x", "AAAA", "W10", "e30", "bnVsbA", "WyJhIiwiYiJd" * 50):
                answer = owner("GET", path, params={"cursor": cursor})
                assert answer.status_code < 500, f"{path} {cursor}: {answer.text}"


class TestTokens:
    @pytest.fixture
    def signing(self, platform: Platform, owner: Client) -> tuple[Ed25519PrivateKey, dict[str, Any], str]:
        """Identity's own key, the claims of a good token, and the key's id."""
        key = Secrets(decode_seed(platform.env["CHECKOP_TOKEN_SEED"])).signing_key()
        assert owner.token is not None
        claims = jwt.decode(owner.token, options={"verify_signature": False})
        return key, claims, jwt.get_unverified_header(owner.token)["kid"]

    def test_the_key_is_the_right_one(self, platform: Platform, signing: Any) -> None:
        key, claims, kid = signing
        good = jwt.encode(claims, key, "EdDSA", {"typ": "at+jwt", "kid": kid})
        assert Client(platform.base_url, good)("GET", "/v1/me").status_code == 200

    def test_forgeries(self, platform: Platform, signing: Any) -> None:
        key, claims, kid = signing
        header = {"typ": "at+jwt", "kid": kid}
        past = int(time.time()) - 3_600
        forgeries = {
            "expired": jwt.encode({**claims, "iat": past - 300, "exp": past}, key, "EdDSA", header),
            "no algorithm": jwt.encode(claims, None, "none", header),
            "another key": jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", header),
            "public key as secret": jwt.encode(claims, key.public_key().public_bytes_raw(), "HS256", header),
            "wrong audience": jwt.encode({**claims, "aud": "other"}, key, "EdDSA", header),
            "wrong issuer": jwt.encode({**claims, "iss": "other"}, key, "EdDSA", header),
            "wrong type": jwt.encode(claims, key, "EdDSA", {**header, "typ": "JWT"}),
            "unknown key": jwt.encode(claims, key, "EdDSA", {**header, "kid": "other"}),
            "no expiry": jwt.encode({k: v for k, v in claims.items() if k != "exp"}, key, "EdDSA", header),
            "rubbish": "a.b.c",
        }
        for kind, token in forgeries.items():
            for method, path in (("GET", "/v1/me"), ("POST", "/v1/processes"), ("DELETE", "/v1/sessions/current")):
                found = problem(Client(platform.base_url, token)(method, path), 401)
                assert found["code"] == ("token-expired" if kind == "expired" else "token-invalid"), kind

    def test_no_token(self, platform: Platform, document: dict[str, Any], theirs: dict[str, str]) -> None:
        nobody = Client(platform.base_url)
        for method, path, operation in operations(document):
            if not operation["security"]:
                continue
            answer = nobody(method, filled(path, theirs))
            assert answer.status_code == 401, f"{method} {path}"
            assert method == "HEAD" or problem(answer, 401)["code"] == "authentication-required"

    def test_an_invented_api_token(self, platform: Platform) -> None:
        problem(Client(platform.base_url, "cop_" + "0" * 43 + "_" + "0" * 49)("GET", "/v1/me"), 401)

    def test_a_replayed_refresh_token_ends_the_session(self, platform: Platform, owner: Client) -> None:
        mine = log_in(platform, owner.email)
        nobody = Client(platform.base_url)

        def renew(token: str) -> Any:
            return nobody("POST", "/v1/sessions/refresh", json={"refresh_token": token})

        first = renew(mine.refresh_token)
        assert first.status_code == 200
        again = renew(mine.refresh_token)
        assert again.json()["refresh_token"] == first.json()["refresh_token"], "a lost answer comes again"
        second = renew(first.json()["refresh_token"])
        assert second.status_code == 200
        problem(renew(mine.refresh_token), 401)
        problem(renew(second.json()["refresh_token"]), 401)
        held = Client(platform.base_url, second.json()["access_token"])
        took = within(2.0, lambda: held("GET", "/v1/me").status_code == 401)
        assert took < 2.0

    def test_rubbish_refresh_tokens(self, platform: Platform, owner: Client) -> None:
        nobody = Client(platform.base_url)
        good = owner.refresh_token
        for token in (
            "x" * 20,
            good[:-1] + ("A" if good[-1] != "A" else "B"),
            good.replace("cor.", "inv."),
            good + ".x",
            ".".join("x" * 5) + "x" * 9,
        ):
            problem(nobody("POST", "/v1/sessions/refresh", json={"refresh_token": token}), 401)

    def test_a_log_out_is_honoured_within_two_seconds(self, platform: Platform, owner: Client) -> None:
        mine = log_in(platform, owner.email)
        assert mine("GET", "/v1/me").status_code == 200
        mine.ok("DELETE", "/v1/sessions/current")
        within(2.0, lambda: mine("GET", "/v1/me").status_code == 401)

    def test_a_role_does_not_do_what_it_may_not(self, document: dict[str, Any], strange_technician: Client) -> None:
        allowed = set(strange_technician.ok("GET", "/v1/me")["permissions"])
        for method, path, operation in operations(document):
            permission = operation.get("x-permission")
            if permission is None or permission in allowed:
                continue
            ids = {part[1:-1]: str(uuid.uuid4()) for part in path.split("/") if part.startswith("{")}
            found = problem(strange_technician(method, filled(path, ids)), 403)
            assert found["permission"] == permission
