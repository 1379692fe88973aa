"""A gateway without a broker: real routes, real tokens, and a stand-in for the services that notes what it is asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from gateway.app import create_app, wire
from gateway.settings import GatewaySettings
from services.kernel.rpc import RemoteError

T = TypeVar("T")

TENANT = "01936f5e-0000-7000-8000-00000000aaaa"
USER = "01936f5e-0000-7000-8000-00000000bbbb"
SESSION = "01936f5e-0000-7000-8000-00000000cccc"
ORIGIN = "01936f5e-0000-8000-8000-00000000dddd"
KEY = Ed25519PrivateKey.generate()
KID = "key-1"
SETTINGS = GatewaySettings(AMQP_URL="amqp://nowhere", CHECKOP_ACCESS_LOG=False, CHECKOP_LOG_LEVEL="CRITICAL")


def jwks(key: Ed25519PrivateKey = KEY, kid: str = KID) -> dict[str, Any]:
    """What identity answers to `signing_keys`."""
    document = jwt.get_algorithm_by_name("EdDSA").to_jwk(key.public_key(), as_dict=True)
    return {"keys": [{**document, "kid": kid, "alg": "EdDSA", "use": "sig"}]}


def token(
    *,
    key: Any = KEY,
    algorithm: str = "EdDSA",
    headers: Mapping[str, Any] | None = None,
    permissions: tuple[str, ...] = ("tasks:read", "tasks:edit", "tasks:execute"),
    **claims: Any,
) -> str:
    """An access token; every part can be made wrong."""
    now = int(time.time())
    payload: dict[str, Any] = {
        "iss": "checkop",
        "aud": "checkop",
        "sub": USER,
        "tid": TENANT,
        "sid": SESSION,
        "role": "admin",
        "perms": list(permissions),
        "epoch": 3,
        "auth_time": now,
        "iat": now,
        "exp": now + 300,
    }
    payload |= claims
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": KID, "typ": "at+jwt", **(headers or {})})


class FakeServices:
    """Answers calls like the services would, as far as a test cares; stands in for `RpcClient`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {
            "signing_keys": jwks(),
            "session_status": {"sessions": {SESSION: {"active": True, "user_id": USER, "epoch": 3}}},
            "observe_origin": {"id": ORIGIN, "stream": "s", "version": 1, "position": 1},
            "revocations": {"sessions": {}, "epochs": {}, "api_tokens": {}},
        }

    async def call(self, service: str, method: str, kwargs: Mapping[str, Any], **_: Any) -> Any:
        """See `RpcClient.call`."""
        name = kwargs.get("command") or kwargs["query"]
        self.calls.append((service, name, dict(kwargs)))
        answer = self.answers.get(name)
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(kwargs)
        if answer is None:
            raise RemoteError("Rejected", (f"{name}-unscripted", {}))
        return answer

    def asked(self, name: str) -> list[dict[str, Any]]:
        """The arguments of every call of this command or query."""
        return [kwargs for _, called, kwargs in self.calls if called == name]


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
def settings() -> GatewaySettings:
    return SETTINGS


@pytest.fixture(scope="session")
def shell() -> FastAPI:
    """The routes are made once; what they work with, for each test."""
    return create_app(SETTINGS)


@pytest.fixture
def app(shell: FastAPI, services: FakeServices, settings: GatewaySettings) -> FastAPI:
    wire(shell, settings, services)  # type: ignore[arg-type]
    return shell


Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(app: FastAPI) -> Ask:
    """One request to the application; `authorization` is a token, "" for none."""

    def send(method: str, path: str, *, authorization: str | None = None, **arguments: Any) -> httpx.Response:
        headers = dict(arguments.pop("headers", {}))
        if authorization != "":
            headers["Authorization"] = f"Bearer {authorization or token()}"

        async def request() -> httpx.Response:
            transport = httpx.ASGITransport(app, client=("203.0.113.9", 4711))
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                return await client.request(method, path, headers=headers, **arguments)

        return run(request())

    return send


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine."""
    return asyncio.run(work)


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The answer is this problem, complete and in form."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    document: dict[str, Any] = response.json()
    assert (response.status_code, document["code"]) == (status, code), document
    assert document["type"] == f"https://checkop.co/problems/{code}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    assert document["instance"] == f"urn:uuid:{response.headers['x-correlation-id']}"
    return document
