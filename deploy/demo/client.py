"""One person in front of CheckOP's HTTP door: logs in, asks, repeats what got no answer under the same key."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

_AWAY = frozenset({502, 503, 504})
PATIENCE_SECONDS = 45.0


class Refused(Exception):
    """The platform said no, with its problem document."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.problem: dict[str, Any] = _json(response)
        self.code = str(self.problem.get("type", "")).rsplit("/", 1)[-1]
        super().__init__(f"{response.request.method} {response.request.url.path}: {self.status} {self.code}")


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        document = {"detail": response.text[:200]}
    return document if isinstance(document, dict) else {"items": document}


@dataclass
class Person:
    """A caller; nobody until `log_in`. Every write carries an Idempotency-Key, so it can be repeated safely.

    In a `story` the key follows from what is asked: a story that was cut off is told again from its
    beginning, and what had been done already is only answered once more.
    """

    base_url: str
    name: str = "somebody"
    language: str = "en"
    story: uuid.UUID | None = None
    retries: int = 0
    ids: dict[str, str] = field(default_factory=dict)
    _token: str | None = None

    def __post_init__(self) -> None:
        self._http = httpx.Client(base_url=self.base_url, timeout=20)

    def log_in(self, email: str, password: str, **more: Any) -> Person:
        """Become this user. Raises Refused."""
        # Never the session of an earlier telling, which may have ended since.
        fresh = str(uuid.uuid4())
        answer = self.post("/v1/sessions", {"email": email, "password": password, **more}, key=fresh)
        self._token = answer["access_token"]
        self.ids = {name: answer[name] for name in ("user_id", "account_id", "session_id")}
        return self

    def get(self, path: str, at_least: int | None = None, **params: Any) -> dict[str, Any]:
        """Read; with `at_least`, only once one's own write at that position is visible. Raises Refused."""
        if at_least is not None:
            params["at_least"] = at_least
        return self.request("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None) -> dict[str, Any]:
        """Ask for something to happen. Raises Refused."""
        return self.request("POST", path, json=body, key=key)

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Set something. Raises Refused."""
        return self.request("PUT", path, json=body)

    def upload(self, path: str, filename: str, content: bytes, **fields: str) -> dict[str, Any]:
        """Hand in a file. Raises Refused."""
        return self.request("POST", path, files={"file": (filename, content)}, data=fields)

    def text(self, path: str, **params: Any) -> str:
        """Read something that is not JSON. Raises Refused."""
        return self._send("GET", path, params=params).text

    def content(self, path: str, **params: Any) -> bytes:
        """Fetch a file. Raises Refused."""
        return self._send("GET", path, params=params).content

    def request(self, method: str, path: str, *, key: str | None = None, **arguments: Any) -> dict[str, Any]:
        """Send, and send again under the same key while the platform is away or asks to wait. Raises Refused."""
        if method != "GET":
            arguments.setdefault("headers", {})["Idempotency-Key"] = key or self._key(method, path, arguments)
        return _json(self._send(method, path, **arguments)) if method != "DELETE" else self._gone(path, arguments)

    def _key(self, method: str, path: str, arguments: dict[str, Any]) -> str:
        if self.story is None:
            return str(uuid.uuid4())
        asked = [self.name, method, path, arguments.get("json"), arguments.get("data")]
        return str(uuid.uuid5(self.story, json.dumps(asked, sort_keys=True)))

    def _gone(self, path: str, arguments: dict[str, Any]) -> dict[str, Any]:
        response = self._send("DELETE", path, **arguments)
        return _json(response) if response.content else {}

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = {"Accept-Language": self.language, **arguments.pop("headers", {})}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        until, pause = time.monotonic() + PATIENCE_SECONDS, 0.1
        while True:
            try:
                response = self._http.request(method, path, headers=headers, **arguments)
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
            else:
                if response.is_success:
                    return response
                if time.monotonic() > until or not (told := _asked_to_wait(response)):
                    raise Refused(response)
                pause = max(pause, told)
            self.retries += 1
            time.sleep(pause)
            pause = min(pause * 2, 1.0)


def _asked_to_wait(response: httpx.Response) -> float:
    """Seconds after which the same request may find another answer; 0 where it will not."""
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return float(response.headers.get("Retry-After", 0))
    return 0.1 if response.status_code in _AWAY else 0.0


def mail_to(mailbox_url: str, address: str, *, within: float = 20.0) -> dict[str, Any]:
    """The newest e-mail to this address, waited for. Raises TimeoutError."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        found = httpx.get(f"{mailbox_url}/messages", params={"to": address, "limit": 1}).json()
        if found:
            newest: dict[str, Any] = found[0]
            return newest
        time.sleep(0.1)
    raise TimeoutError(f"no e-mail to {address} arrived")
