"""A technician's phone in front of CheckOP: it works without a network, hands its work in, and asks what is new.

A small but whole client of the offline protocol. What is done gets a number and waits in the outbox until
the server has said what became of it; whatever answer is lost, the same is sent again, word for word.
"""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.demo.client import Refused
from services.kernel.clock import new_id

Work = dict[str, Any]
Result = dict[str, Any]
BOGOTA = timezone(timedelta(hours=-5))
PUSH, PULL = "/v1/sync/push", "/v1/sync/pull"
BATCH = 200
CHUNK = 256 * 1024
"""Bytes of a file that go out under one signature: what a bad line carries before it breaks."""
OCTETS = "application/offset+octet-stream"


class Offline(Exception):
    """No answer came: whether the request arrived is not known."""


@dataclass
class Phone:
    """One installation of the app with one person logged in.

    `outbox`: work whose result is not known yet; `results`: what became of the rest; `view`: what was pulled;
    `made`: the tasks that were created here.
    """

    base_url: str
    email: str
    password: str
    device_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    outbox: list[Work] = field(default_factory=list)
    results: dict[str, Result] = field(default_factory=dict)
    view: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    forms: list[dict[str, Any]] = field(default_factory=list)
    cursor: str | None = None
    through_seq: int = 0
    clock_error: timedelta = timedelta(0)
    user_id: str = ""
    _seq: int = 0
    _access: str = ""
    _refresh: str = ""

    def __post_init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._http = httpx.Client(base_url=self.base_url, timeout=40)
        self._boot = uuid.uuid4().hex[:8]

    def by_way_of(self, base_url: str) -> None:
        """From now on all requests go there: another network."""
        self._http.close()
        self._http = httpx.Client(base_url=base_url, timeout=40)

    def enrol(self) -> Phone:
        """Log in on this device and bind it to its key. Raises Refused, Offline."""
        self._access = ""
        typed = {"email": self.email, "password": self.password, "kind": "device", "device_id": self.device_id}
        self._admit(self._answer(self._send("POST", "/v1/sessions", typed)))
        public = _text(self._key.public_key().public_bytes_raw())
        proof = _text(self._key.sign(f"checkop-enrol:{self.device_id}:{self.user_id}".encode()))
        asked = {"device_id": self.device_id, "public_key": public, "proof": proof}
        self._admit(self._answer(self._send("POST", "/v1/devices", asked)))
        return self

    def did(self, type: str, subject: tuple[str, str], base_version: int | None = None, **body: Any) -> Work:
        """Something was done on the phone, with or without a network. What is more than a body goes by `extra`."""
        self._seq += 1
        extra = body.pop("extra", {})
        work: Work = {
            "id": new_id(),
            "seq": self._seq,
            "type": type,
            "schema": 1,
            "aggregate": {"kind": subject[0], "id": subject[1]},
            "occurred_at": self._now().isoformat(timespec="seconds"),
            "mono_ms": time.monotonic_ns() // 1_000_000,
            "boot_id": self._boot,
            "body": body,
            **extra,
        }
        if base_version is not None:
            work["base_version"] = base_version
        if type == "task.create":
            self.made.append(subject[1])
        self.outbox.append(work)
        return work

    def push(self, window: Iterable[Work] | None = None) -> list[Result]:
        """Send some work (all that waits, when none is named) once. Raises Refused, Offline."""
        commands = list(self.outbox if window is None else window)
        answer = self._signed("POST", PUSH, {"batch_id": new_id(), "commands": commands})
        results: list[Result] = answer["results"]
        self.heard(results)
        return results

    def heard(self, results: Iterable[Result]) -> None:
        """An answer has come: what is settled leaves the outbox. Raises AssertionError for a changed answer."""
        for result in results:
            if result["status"] == "deferred":
                continue
            known = self.results.setdefault(result["id"], result)
            assert known == result, f"two answers to one command: {known} and {result}"
        self.outbox = [work for work in self.outbox if work["id"] not in self.results]

    def hand_in(self, patience: float = 60.0) -> int:
        """Send until nothing waits any more, whatever the network does; answers how often was sent. Raises Refused."""
        sent, until = 0, time.monotonic() + patience
        while self.outbox:
            sent += 1
            try:
                self.push(self.outbox[:BATCH])
            except Offline:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
        return sent

    def pull(self, limit: int = 500, patience: float = 60.0) -> None:
        """Fetch page after page until there is no more. Raises Refused."""
        until = time.monotonic() + patience
        while True:
            try:
                page = self.page(limit)
            except Offline:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
                continue
            self.take(page)
            if not page["more"]:
                return

    def page(self, limit: int = 500, wait: int = 0) -> dict[str, Any]:
        """Ask once for what is new, and wait so many seconds for news. Raises Refused, Offline."""
        cursor = f"&cursor={self.cursor}" if self.cursor else ""
        return self._signed("GET", f"{PULL}?limit={limit}{f'&wait={wait}' if wait else ''}{cursor}")

    def take(self, page: Mapping[str, Any]) -> None:
        """Believe a page."""
        if page["reset"]:
            self.view.clear()
        for change in page["changes"]:
            place = (change["kind"], change["id"])
            if change["op"] == "put":
                self.view[place] = change["data"]
            else:
                self.view.pop(place, None)
        self.cursor, self.forms = page["cursor"], page["forms"]
        self.through_seq = page["through_seq"]

    def upload(self, content: bytes, type: str, name: str = "", *, chunk: int = CHUNK, patience: float = 60.0) -> str:
        """Send a file piece by piece until all of it is there, whatever the network does; answers its id.

        Raises Refused, and Offline when nothing gets through any more.
        """
        media_id = f"sha256:{hashlib.sha256(content).hexdigest()}"
        wanted = {"id": media_id, "bytes": len(content), "type": type, **({"name": name} if name else {})}
        # The same key each time: an answer that got lost has begun the upload all the same.
        headers, until = {"Idempotency-Key": new_id()}, time.monotonic() + patience
        place, offset = "", -1
        while offset < len(content):
            try:
                if not place:
                    plan = self._answer(self._sure("POST", "/v1/media", orjson.dumps(wanted), headers))
                    if plan["status"] == "exists":
                        break
                    place = plan["tus"]
                offset = self._offset_after(place, content[offset : offset + chunk] if offset >= 0 else b"", offset)
            except Offline:
                if time.monotonic() > until:
                    raise
                offset = -1
                time.sleep(0.05)
        return media_id

    def tasks(self) -> dict[str, dict[str, Any]]:
        """The tasks on the phone, by id."""
        return {id: data for (kind, id), data in self.view.items() if kind == "task"}

    def get(self, path: str) -> dict[str, Any]:
        """Read something else while there is a network. Raises Refused, Offline."""
        return self._answer(self._send("GET", path))

    def _now(self) -> datetime:
        return datetime.now(UTC).astimezone(BOGOTA) + self.clock_error

    def _offset_after(self, place: str, piece: bytes, offset: int) -> int:
        """How much of a file is there once this piece has been sent; before anything is sent (-1), how much is now."""
        headers = {"Tus-Resumable": "1.0.0"}
        if offset < 0:
            response = self._sure("HEAD", place, b"", headers)
        else:
            headers |= {"Upload-Offset": str(offset), "Content-Type": OCTETS}
            response = self._sure("PATCH", place, piece, headers)
        if response.status_code in (408, 409, 460):
            raise Offline(response.text)  # the line made something else of it: ask how far it is
        if not response.is_success:
            raise Refused(response)
        return int(response.headers["Upload-Offset"])

    def _signed(self, method: str, target: str, document: Any = None) -> dict[str, Any]:
        return self._answer(self._sure(method, target, b"" if document is None else orjson.dumps(document)))

    def _sure(self, method: str, target: str, body: bytes, more: Mapping[str, str] | None = None) -> httpx.Response:
        """The answer to a signed request, under a new token when the old one has run out."""
        response = self._sign_and_send(method, target, body, more or {})
        if response.status_code == 401 and self._renew():
            response = self._sign_and_send(method, target, body, more or {})
        return response

    def request_text(self, method: str, target: str, document: Any) -> str:
        """A signed request as it goes over the wire, to be sent later and by somebody else."""
        body = orjson.dumps(document)
        headers = self._signature(method, target, body)
        told = {"Host": self._http.base_url.netloc.decode(), "Authorization": f"Bearer {self._access}", **headers}
        told["Content-Length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
        return "\r\n".join(lines) + "\r\n\r\n" + body.decode()

    def _sign_and_send(self, method: str, target: str, body: bytes, more: Mapping[str, str]) -> httpx.Response:
        headers = self._signature(method, target, body) | dict(more)
        return self._request(method, target, content=body or None, headers=headers)

    def _signature(self, method: str, target: str, body: bytes) -> dict[str, str]:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        headers = {"Sync-Protocol": "1", "Device-Time": self._now().isoformat()}
        if body:
            headers |= {"Content-Type": "application/json", "Content-Digest": f"sha-256=:{digest}:"}
        signed = (method, target, headers.get("Content-Digest", ""), headers["Device-Time"], self.device_id)
        headers["Device-Signature"] = _text(self._key.sign("\n".join(signed).encode()))
        return headers

    def _send(self, method: str, path: str, document: Any = None) -> httpx.Response:
        return self._request(method, path, json=document)

    def _request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._access}"} if self._access else {}
        try:
            response = self._http.request(method, path, headers=headers | arguments.pop("headers", {}), **arguments)
        except httpx.TransportError as broken:
            raise Offline(repr(broken)) from broken
        if response.status_code in (502, 503, 504):
            raise Offline(response.text)
        return response

    def _renew(self) -> bool:
        response = self._send("POST", "/v1/sessions/refresh", {"refresh_token": self._refresh})
        if response.is_success:
            self._admit(response.json())
        return response.is_success

    def _admit(self, admission: Mapping[str, Any]) -> None:
        self._access, self._refresh = admission["access_token"], admission["refresh_token"]
        self.user_id = admission["user_id"]

    @staticmethod
    def _answer(response: httpx.Response) -> dict[str, Any]:
        if not response.is_success:
            raise Refused(response)
        document: dict[str, Any] = response.json()
        return document


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
