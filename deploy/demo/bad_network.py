"""A bad network in front of the gateway: an HTTP/1.1 proxy on this machine whose faults are scripted.

Each request takes the next fault of the script, in the order in which the requests come; without one it passes.
Nothing is left to chance: the same script and the same requests meet the same fate, and `log` tells it.
"""

from __future__ import annotations

import random
import socket
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType

BUFFER = 64 * 1024
PATIENCE = 30.0


@dataclass(frozen=True)
class Pass:
    """Nothing happens to this request."""


@dataclass(frozen=True)
class DropBeforeSend:
    """The connection breaks before the server sees anything of the request."""


@dataclass(frozen=True)
class CutRequest:
    """The server gets the head and this share of the body, then both connections break.

    Of a request without a body it gets all but the end of the head.
    """

    at: float = 0.5


@dataclass(frozen=True)
class LoseReply:
    """The server answers; the client's connection breaks before a byte of the answer."""


@dataclass(frozen=True)
class CutReply:
    """The client gets this share of the answer, head and body taken together; then its connection breaks."""

    at: float = 0.5


@dataclass(frozen=True)
class Delay:
    """The request reaches the server so much later."""

    seconds: float = 0.1


@dataclass(frozen=True)
class Duplicate:
    """The server gets the request twice, one after the other; the client gets the first answer, or the second."""

    second: bool = False


@dataclass(frozen=True)
class Overtaken:
    """The request waits until the next one has been answered, and is answered after it.

    Both must be under way at once; after `patience` seconds without another it goes on alone.
    """

    patience: float = 5.0


@dataclass(frozen=True)
class DeliverLate:
    """The client's connection breaks, and the server gets the request all the same: behind the next one."""


Fault = Pass | DropBeforeSend | CutRequest | LoseReply | CutReply | Delay | Duplicate | Overtaken | DeliverLate


def random_faults(seed: int, *, share: float = 0.5) -> Iterator[Fault]:
    """Endless faults, the same for the same seed; so many of all requests meet one that breaks something."""
    dice = random.Random(seed)  # noqa: S311  # accidents, no secrets
    while True:
        if dice.random() >= share:
            yield Pass()
            continue
        at = dice.random()
        kinds = (DropBeforeSend(), CutRequest(at), LoseReply(), CutReply(at), Duplicate(at < 0.5), DeliverLate())
        yield dice.choice(kinds)


@dataclass
class Exchange:
    """What became of one request: how often the server got all of it, and what of its answers the client got."""

    request: str
    fault: Fault
    delivered: int = 0
    statuses: list[int] = field(default_factory=list)
    answered: bool = False


@dataclass(frozen=True)
class _Message:
    """A request or an answer as it came, its body still framed as it was."""

    head: bytes
    body: bytes

    @property
    def first_line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def raw(self) -> bytes:
        return self.head + self.body


class _Broken(Exception):
    """The peer went away in the middle."""


class FaultProxy:
    """Listens on 127.0.0.1 and passes requests on to the target, except where the script has something in store."""

    def __init__(self, target_host: str, target_port: int) -> None:
        self._target = (target_host, target_port)
        self._lock = threading.Lock()
        self._answered = threading.Condition(self._lock)
        self._finished = 0
        self._script: Iterator[Fault] = iter(())
        self._late: deque[tuple[_Message, Exchange]] = deque()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self.log: list[Exchange] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._spawn(self._accept)

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.port}"

    def script(self, next_faults: Iterable[Fault]) -> None:
        """From the next request on, these faults in this order; what was in store before is forgotten."""
        with self._lock:
            self._script = iter(next_faults)

    def release(self) -> int:
        """Let the server have what is still to be delivered late; answers how many requests that were."""
        with self._lock:
            late = list(self._late)
            self._late.clear()
        for request, exchange in late:
            self._ask(request, exchange)
        return len(late)

    def close(self) -> None:
        """Break every connection and end; what was to be delivered late never is."""
        with self._answered:
            self._closing = True
            self._answered.notify_all()
            broken = list(self._open)
        # Closing alone would not wake the thread that waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in broken:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _spawn(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            self._spawn(self._serve, connection)

    def _serve(self, client: socket.socket) -> None:
        """The requests of one connection, one after the other, until one of them breaks it."""
        try:
            client.settimeout(PATIENCE)
            buffer = bytearray()
            while (request := _read(client, buffer)) is not None:
                exchange = self._next(request)
                if not self._carry(request, exchange, client):
                    return
        except (OSError, _Broken):
            return
        finally:
            with self._lock:
                self._open.discard(client)
            client.close()

    def _next(self, request: _Message) -> Exchange:
        with self._lock:
            exchange = Exchange(request.first_line, next(self._script, Pass()))
            self.log.append(exchange)
            return exchange

    def _carry(self, request: _Message, exchange: Exchange, client: socket.socket) -> bool:
        """What the fault makes of the request; answers whether the client's connection lives on."""
        match exchange.fault:
            case DropBeforeSend():
                return False
            case CutRequest(at=at):
                self._send_some(request, at)
                return False
            case DeliverLate():
                with self._lock:
                    self._late.append((request, exchange))
                return False
            case Delay(seconds=seconds):
                with self._answered:
                    self._answered.wait_for(lambda: self._closing, seconds)
            case Overtaken(patience=patience):
                with self._answered:
                    before = self._finished
                    self._answered.wait_for(lambda: self._closing or self._finished > before, patience)
            case _:
                pass
        answer = self._ask(request, exchange)
        if isinstance(exchange.fault, Duplicate):
            again = self._ask(request, exchange)
            answer = again if exchange.fault.second else answer
        # Before the client hears: what it asks next comes behind what was late.
        self.release()
        return self._reply(answer, exchange, client)

    def _reply(self, answer: _Message, exchange: Exchange, client: socket.socket) -> bool:
        whole = answer.raw
        match exchange.fault:
            case LoseReply():
                lives = False
            case CutReply(at=at):
                client.sendall(whole[: min(int(len(whole) * at), len(whole) - 1)])
                lives = False
            case _:
                exchange.answered = True  # before the client can have it and look
                try:
                    client.sendall(whole)
                except OSError:
                    exchange.answered = False
                    raise
                lives = b"connection: close" not in answer.head.lower()
        with self._answered:
            self._finished += 1
            self._answered.notify_all()
        return lives

    def _ask(self, request: _Message, exchange: Exchange) -> _Message:
        with socket.create_connection(self._target, PATIENCE) as server:
            server.sendall(request.raw)
            exchange.delivered += 1
            buffer = bytearray()
            while True:
                answer = _read(server, buffer, answer_to=request)
                if answer is None:
                    raise _Broken
                status = int(answer.first_line.split(" ", 2)[1])
                if status >= 200:  # before it come only announcements
                    exchange.statuses.append(status)
                    return answer

    def _send_some(self, request: _Message, share: float) -> None:
        with socket.create_connection(self._target, PATIENCE) as server:
            if request.body:
                sent = request.head + request.body[: min(int(len(request.body) * share), len(request.body) - 1)]
            else:
                sent = request.head[:-2]
            server.sendall(sent)
            server.shutdown(socket.SHUT_WR)
            # The server is done with it once it closes, or answers that this was no request.
            with suppress(OSError):
                while server.recv(BUFFER):
                    pass


def _read(connection: socket.socket, buffer: bytearray, answer_to: _Message | None = None) -> _Message | None:
    """The next message of a connection; None where it ends between two. Raises _Broken in the middle of one."""
    while (end := buffer.find(b"\r\n\r\n")) < 0:
        if not _more(connection, buffer):
            if buffer:
                raise _Broken
            return None
    head = bytes(buffer[: end + 4])
    del buffer[: end + 4]
    fields = {}
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        fields[name.strip().lower()] = value.strip().lower()
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        return _Message(head, _chunked(connection, buffer))
    if b"content-length" in fields:
        bodiless = answer_to is not None and answer_to.first_line.startswith("HEAD ")
        return _Message(head, b"" if bodiless else _exactly(connection, buffer, int(fields[b"content-length"])))
    if answer_to is None or head.split(b" ", 2)[1][:1] == b"1" or head.split(b" ", 2)[1] in (b"204", b"304"):
        return _Message(head, b"")
    while _more(connection, buffer):
        pass
    return _Message(head, _exactly(connection, buffer, len(buffer)))


def _chunked(connection: socket.socket, buffer: bytearray) -> bytes:
    body = bytearray()
    while True:
        while (end := buffer.find(b"\r\n")) < 0:
            if not _more(connection, buffer):
                raise _Broken
        size = int(bytes(buffer[:end]).split(b";")[0], 16)
        # The last chunk is empty; trailers are nothing that a client or server of ours sends.
        body += _exactly(connection, buffer, end + 2 + size + 2)
        if size == 0:
            return bytes(body)


def _exactly(connection: socket.socket, buffer: bytearray, length: int) -> bytes:
    while len(buffer) < length:
        if not _more(connection, buffer):
            raise _Broken
    data = bytes(buffer[:length])
    del buffer[:length]
    return data


def _more(connection: socket.socket, buffer: bytearray) -> bool:
    data = connection.recv(BUFFER)
    buffer += data
    return bool(data)
