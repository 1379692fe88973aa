"""Only tokens that identity made, for us, now, and that were not revoked, let anybody in."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.auth import Authenticator
from gateway.errors import Problem
from gateway.principals import ANONYMOUS, Principal
from gateway.revocations import RevocationFeed, Revocations
from gateway.rpc_client import ServiceTimeout, ServiceUnavailable
from services.kernel.rpc import RemoteError
from tests.unit.gateway.conftest import KEY, KID, SESSION, TENANT, USER, FakeServices, jwks, run, token


class Feed(RevocationFeed):
    def __init__(self) -> None:
        self.fresh = True

    @property
    def is_fresh(self) -> bool:
        return self.fresh


class World:
    """An authenticator, what it knows, and what identity says."""

    def __init__(self) -> None:
        self.services = FakeServices()
        self.revocations = Revocations()
        self.feed = Feed()
        self.now = time.time()

        async def ask(query: str, params: Any) -> Any:
            return await self.services.call("identity", "query", {"query": query, "params": params})

        self.authenticator = Authenticator(
            ask, self.revocations, self.feed, issuer="checkop", audience="checkop", clock=lambda: self.now
        )

    def admit(self, authorization: str | None, *, safe: bool = True) -> Principal:
        return run(self.authenticator.authenticate(authorization, ip="203.0.113.9", safe=safe))

    def refuse(self, authorization: str, code: str = "token-invalid", *, safe: bool = True) -> None:
        with pytest.raises(Problem) as refused:
            self.admit(authorization, safe=safe)
        assert refused.value.code == code


@pytest.fixture
def world() -> World:
    return World()


def test_no_header_is_nobody(world: World) -> None:
    assert world.admit(None) is ANONYMOUS


def test_a_good_token_says_who_and_what(world: World) -> None:
    principal = world.admit(f"Bearer {token()}")
    assert (principal.tenant, principal.actor, principal.session) == (TENANT, USER, SESSION)
    assert principal.permissions == {"tasks:read", "tasks:edit", "tasks:execute"}
    assert (principal.role, principal.epoch, principal.token) == ("admin", 3, None)


def test_the_scheme_is_case_insensitive(world: World) -> None:
    assert world.admit(f"bearer {token()}").actor == USER


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "abc", "Bearer \xff\xfe", "Bearer " + "x" * 9000]
)
def test_headers_that_hold_no_token(world: World, header: str) -> None:
    world.refuse(header)


def unsigned(header: dict[str, Any], payload: dict[str, Any]) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, payload))
    return ".".join(parts) + "."


def forged() -> dict[str, str]:
    """One forgery of each kind."""
    other = Ed25519PrivateKey.generate()
    good = token()
    payload = jwt.decode(good, options={"verify_signature": False})
    head, body, signature = good.split(".")
    public = KEY.public_key().public_bytes_raw()
    return {
        "no algorithm": unsigned({"alg": "none", "typ": "at+jwt", "kid": KID}, payload),
        "no algorithm, capitals": unsigned({"alg": "None", "typ": "at+jwt", "kid": KID}, payload),
        "another key": token(key=other),
        "public key as secret": token(key=public, algorithm="HS256"),
        "wrong audience": token(aud="elsewhere"),
        "audience missing": token(aud=None),
        "wrong issuer": token(iss="elsewhere"),
        "wrong type": token(headers={"typ": "JWT"}),
        "type missing": jwt.encode(payload, KEY, algorithm="EdDSA", headers={"kid": KID, "typ": None}),
        "unknown key id": token(headers={"kid": "key-9"}),
        "key id is a number": unsigned({"alg": "EdDSA", "typ": "at+jwt", "kid": 7}, payload),
        "payload swapped": f"{head}.{token(sub='x').split('.')[1]}.{signature}",
        "signature cut": f"{head}.{body}.{signature[:-4]}",
        "signature missing": f"{head}.{body}.",
        "no subject": token(sub=None),
        "no session": token(sid=None),
        "no tenant": token(tid=None),
        "no expiry": token(exp=None),
        "expiry is text": token(exp="soon"),
        "epoch is text": token(epoch="x"),
        "issued tomorrow": token(iat=int(time.time()) + 86_400),
        "not a token": "x.y.z",
        "header is a list": unsigned([], payload),  # type: ignore[arg-type]
    }


@pytest.mark.parametrize("kind", sorted(forged()))
def test_a_forged_token_is_refused(world: World, kind: str) -> None:
    world.refuse(f"Bearer {forged()[kind]}")


def test_an_expired_token_says_so(world: World) -> None:
    world.refuse(f"Bearer {token(iat=int(world.now) - 400, exp=int(world.now) - 100)}", "token-expired")


def test_a_remembered_token_expires_too(world: World) -> None:
    held = f"Bearer {token()}"
    world.admit(held)
    world.now += 400
    world.refuse(held, "token-expired")


def test_the_signature_is_checked_once_and_keys_are_asked_for_once(world: World) -> None:
    for _ in range(3):
        world.admit(f"Bearer {token()}")
    assert len(world.services.asked("signing_keys")) == 1


def test_unknown_key_ids_do_not_make_identity_work(world: World) -> None:
    for n in range(20):
        world.refuse(f"Bearer {token(headers={'kid': f'k{n}'})}")
    assert len(world.services.asked("signing_keys")) == 1


def test_keys_that_cannot_be_had_are_no_refusal(world: World) -> None:
    world.services.answers["signing_keys"] = ServiceUnavailable("down")
    world.refuse(f"Bearer {token()}", "service-unavailable")


def test_a_revoked_session_is_refused(world: World) -> None:
    world.admit(f"Bearer {token()}")
    world.revocations.end(SESSION)
    world.refuse(f"Bearer {token()}", "session-revoked")


def test_an_older_epoch_is_refused_a_newer_one_is_not(world: World) -> None:
    world.revocations.raise_epoch(USER, 3)
    world.admit(f"Bearer {token(epoch=3)}")
    world.revocations.raise_epoch(USER, 4)
    world.refuse(f"Bearer {token(epoch=3)}", "session-revoked")
    world.admit(f"Bearer {token(epoch=4)}")


def test_while_identity_is_silent_every_session_is_asked_about(world: World) -> None:
    world.feed.fresh = False
    world.admit(f"Bearer {token()}")
    world.admit(f"Bearer {token()}")
    assert len(world.services.asked("session_status")) == 1
    world.now += 1.5
    world.services.answers["session_status"] = {"sessions": {SESSION: {"active": False, "user_id": USER, "epoch": 3}}}
    world.refuse(f"Bearer {token()}", "session-revoked")


@pytest.mark.parametrize("why", [ServiceTimeout("x"), ServiceUnavailable("x"), RemoteError("StoreUnavailable")])
def test_when_identity_cannot_be_asked_reading_goes_on_and_changes_wait(world: World, why: Exception) -> None:
    world.feed.fresh = False
    world.services.answers["session_status"] = why
    world.admit(f"Bearer {token()}", safe=True)
    world.refuse(f"Bearer {token()}", "revocation-unverifiable", safe=False)
    assert len(world.services.asked("session_status")) == 1, "who has just not answered is not asked at once again"
    world.now += 1.1
    world.admit(f"Bearer {token()}", safe=True)
    assert len(world.services.asked("session_status")) == 2


API_TOKEN = "cop_" + "A" * 43 + "_" + "b" * 49


def api_token_answer(**changes: Any) -> dict[str, Any]:
    return {
        "tenant": TENANT,
        "user_id": USER,
        "token_id": "tok-1",
        "role": "admin",
        "permissions": ["tasks:read"],
        "epoch": 3,
        "expires_at": "2999-01-01T00:00:00Z",
    } | changes


def test_an_api_token_is_looked_up_once_for_a_while(world: World) -> None:
    world.services.answers["authenticate_api_token"] = api_token_answer()
    first = world.admit(f"Bearer {API_TOKEN}")
    world.admit(f"Bearer {API_TOKEN}")
    assert (first.session, first.token, first.permissions) == (None, "tok-1", {"tasks:read"})
    assert len(world.services.asked("authenticate_api_token")) == 1
    assert world.services.asked("authenticate_api_token")[0]["params"] == {"token": API_TOKEN, "ip": "203.0.113.9"}
    world.now += 31
    world.admit(f"Bearer {API_TOKEN}")
    assert len(world.services.asked("authenticate_api_token")) == 2


def test_a_revoked_api_token_stops_at_once(world: World) -> None:
    world.services.answers["authenticate_api_token"] = api_token_answer()
    world.admit(f"Bearer {API_TOKEN}")
    world.revocations.end("tok-1")
    world.refuse(f"Bearer {API_TOKEN}", "session-revoked")


def test_an_api_token_of_an_older_epoch_is_looked_up_again(world: World) -> None:
    world.services.answers["authenticate_api_token"] = api_token_answer()
    world.admit(f"Bearer {API_TOKEN}")
    world.revocations.raise_epoch(USER, 4)
    world.services.answers["authenticate_api_token"] = api_token_answer(epoch=4, permissions=[])
    assert world.admit(f"Bearer {API_TOKEN}").permissions == frozenset()


def test_changes_with_an_api_token_are_looked_up_while_identity_is_silent(world: World) -> None:
    world.services.answers["authenticate_api_token"] = api_token_answer()
    world.admit(f"Bearer {API_TOKEN}")
    world.feed.fresh = False
    world.admit(f"Bearer {API_TOKEN}", safe=False)
    assert len(world.services.asked("authenticate_api_token")) == 2


def test_an_unknown_api_token_is_refused(world: World) -> None:
    world.services.answers["authenticate_api_token"] = RemoteError("Rejected", ("token-invalid", {}))
    world.refuse(f"Bearer {API_TOKEN}")
    world.refuse("Bearer cop_short")
    assert len(world.services.asked("authenticate_api_token")) == 1


def test_signing_keys_of_other_kinds_are_left_out(world: World) -> None:
    rsa = {"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"}
    world.services.answers["signing_keys"] = {"keys": [rsa, *jwks()["keys"]]}
    assert world.admit(f"Bearer {token()}").actor == USER
