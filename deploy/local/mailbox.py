"""The post office of the local stack: it accepts every e-mail, delivers none, and shows them all.

Started as `python -m deploy.local.mailbox <folder> <smtp port> <http port>`; on loopback it answers

    GET /messages?to=ana@example.com&limit=5   newest first: id, from, to, subject, received_at, text, html
    GET /messages/<id>                         the e-mail itself, as it was received
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_RECIPIENTS = "X-Envelope-To"
_SENDER = "X-Envelope-From"


class Folder:
    """E-mails as .eml files; the name of a file begins with the moment of its arrival."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep(self, sender: str, recipients: list[str], content: bytes) -> None:
        arrived = time.time_ns()
        envelope = f"{_SENDER}: {sender}\r\n{_RECIPIENTS}: {', '.join(recipients)}\r\n".encode()
        draft = self._path / f"{arrived}.draft"
        draft.write_bytes(envelope + content)
        # A reader sees the whole e-mail or none of it.
        draft.rename(self._path / f"{arrived}.eml")

    def raw(self, name: str) -> bytes | None:
        path = self._path / f"{name}.eml"
        return path.read_bytes() if name.isdigit() and path.exists() else None

    def newest(self, recipient: str | None, limit: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for message in self._newest_first():
            if len(found) == limit:
                break
            if recipient is None or recipient.lower() in (address.lower() for address in message["to"]):
                found.append(message)
        return found

    def _newest_first(self) -> Iterator[dict[str, Any]]:
        for path in sorted(self._path.glob("*.eml"), key=lambda path: int(path.stem), reverse=True):
            yield _summary(path.stem, path.read_bytes())


def _summary(name: str, content: bytes) -> dict[str, Any]:
    message = message_from_bytes(content, policy=policy.default)
    return {
        "id": name,
        "from": str(message[_SENDER]),
        "to": [address.strip() for address in str(message[_RECIPIENTS]).split(",")],
        "subject": str(message["Subject"] or ""),
        "received_at": datetime.fromtimestamp(int(name) / 1e9, UTC).isoformat(),
        "text": _body(message, "plain"),
        "html": _body(message, "html"),
    }


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    return part.get_content() if part is not None else None


class Postman:
    """Takes what the SMTP server hands over."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        self._folder.keep(envelope.mail_from or "", envelope.rcpt_tos, content)
        return "250 Message accepted for delivery"


def window(folder: Folder) -> type[BaseHTTPRequestHandler]:
    """The counter at which the e-mails are read."""

    class Window(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/messages":
                query = parse_qs(url.query)
                limit = int(query.get("limit", ["20"])[0])
                body = json.dumps(folder.newest(query.get("to", [None])[0], limit)).encode()
                self._answer(HTTPStatus.OK, "application/json", body)
                return
            raw = folder.raw(url.path.removeprefix("/messages/"))
            if raw is None:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"no such message\n")
            else:
                self._answer(HTTPStatus.OK, "message/rfc822", raw)

        def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Polling tests would fill the log with lines that say nothing."""

    return Window


def main(path: str, smtp_port: str, http_port: str) -> None:
    folder = Folder(Path(path))
    counter = ThreadingHTTPServer(("127.0.0.1", int(http_port)), window(folder))
    post = Controller(Postman(folder), hostname="127.0.0.1", port=int(smtp_port))
    closing = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: closing.set())
    post.start()
    threading.Thread(target=counter.serve_forever, daemon=True).start()
    closing.wait()
    counter.shutdown()
    post.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
