"""The bad network itself: each fault does what it says, to a small server and to a client of the kind tests use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from typing import ClassVar

import httpx
import pytest

from deploy.demo.bad_network import (
    CutReply,
    CutRequest,
    Delay,
    DeliverLate,
    DropBeforeSend,
    Duplicate,
    FaultProxy,
    LoseReply,
    Overtaken,
    Pass,
    random_faults,
)

LONG = "x" * 100_000


class Shop(ThreadingHTTPServer):
    """Notes every whole order it gets, in order, and answers with its number."""

    daemon_threads = True

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.cut_short = 0
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Counter)


class Counter(BaseHTTPRequestHandler):
    """One connection to the shop."""

    protocol_version = "HTTP/1.1"
    server: Shop
    chunked: ClassVar[bool] = False

    def do_GET(self) -> None:
        """An answer in chunks."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in (b"one ", b"two"):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def do_POST(self) -> None:
        """An order."""
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        with self.server.lock:
            if len(body) < length:
                self.server.cut_short += 1
                self.close_connection = True
                return
            self.server.orders.append(body.decode()[:20])
            answer = f"{len(self.server.orders)} {LONG}".encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def shop() -> Iterator[Shop]:
    server = Shop()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(shop: Shop) -> Iterator[FaultProxy]:
    with FaultProxy("127.0.0.1", shop.server_address[1]) as between:
        yield between


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.url, timeout=10) as http:
        yield http


def order(client: httpx.Client, what: str) -> str:
    """The number of the order, or what went wrong."""
    try:
        answer = client.post("/orders", content=what)
    except httpx.TransportError:
        return "broken"
    assert answer.status_code == 201
    assert len(answer.text) > len(LONG)
    return answer.text.split(" ")[0]


def test_without_a_script_everything_passes_on_one_connection(
    shop: Shop, proxy: FaultProxy, client: httpx.Client
) -> None:
    assert [order(client, what) for what in "abc"] == ["1", "2", "3"]
    assert shop.orders == ["a", "b", "c"]
    assert [exchange.answered for exchange in proxy.log] == [True] * 3
    assert client.get("/").text == "one two"


@pytest.mark.parametrize(
    ("fault", "orders"),
    [
        (DropBeforeSend(), []),
        (CutRequest(0.0), []),
        (CutRequest(0.5), []),
        (CutRequest(1.0), []),
        (LoseReply(), ["a"]),
        (CutReply(0.0), ["a"]),
        (CutReply(0.0001), ["a"]),
        (CutReply(0.5), ["a"]),
        (CutReply(1.0), ["a"]),
    ],
)
def test_a_break(shop: Shop, proxy: FaultProxy, client: httpx.Client, fault: object, orders: list[str]) -> None:
    proxy.script([fault])  # type: ignore[list-item]
    assert order(client, "a" * 1000) == "broken"
    assert [what[:1] for what in shop.orders] == orders
    assert proxy.log[0].delivered == len(orders)
    assert order(client, "b") == str(len(orders) + 1), "the next one passes"


def test_a_request_without_a_body_is_cut_in_its_head(proxy: FaultProxy, client: httpx.Client) -> None:
    proxy.script([CutRequest(0.5)])
    with pytest.raises(httpx.TransportError):
        client.get("/")
    assert proxy.log[0].delivered == 0


def test_a_request_cut_short_reaches_the_server_as_such(shop: Shop, proxy: FaultProxy, client: httpx.Client) -> None:
    proxy.script([CutRequest(0.5)])
    assert order(client, "a" * 1000) == "broken"
    assert shop.cut_short == 1


@pytest.mark.parametrize(("second", "number"), [(False, "1"), (True, "2")])
def test_a_duplicate(shop: Shop, proxy: FaultProxy, client: httpx.Client, second: bool, number: str) -> None:
    proxy.script([Duplicate(second)])
    assert order(client, "a") == number
    assert shop.orders == ["a", "a"]
    assert (proxy.log[0].delivered, proxy.log[0].statuses) == (2, [201, 201])


def test_a_delay(proxy: FaultProxy, client: httpx.Client) -> None:
    proxy.script([Delay(0.01)])
    assert order(client, "a") == "1"


def test_two_requests_change_places(shop: Shop, proxy: FaultProxy, client: httpx.Client) -> None:
    proxy.script([Overtaken()])
    first = threading.Thread(target=order, args=(client, "first"))
    first.start()
    while not proxy.log:
        pass
    assert order(client, "second") == "1"
    first.join()
    assert shop.orders == ["second", "first"]


def test_nobody_overtakes(shop: Shop, proxy: FaultProxy, client: httpx.Client) -> None:
    proxy.script([Overtaken(patience=0.01)])
    assert order(client, "first") == "1"


def test_what_is_delivered_late_comes_behind_the_next(shop: Shop, proxy: FaultProxy, client: httpx.Client) -> None:
    proxy.script([DeliverLate(), DeliverLate()])
    assert [order(client, what) for what in "abc"] == ["broken", "broken", "1"]
    proxy.script([DeliverLate()])
    assert order(client, "d") == "broken"
    assert proxy.release() == 1
    assert shop.orders == ["c", "a", "b", "d"]
    assert proxy.release() == 0


def test_the_same_seed_gives_the_same_faults() -> None:
    assert list(islice(random_faults(7), 50)) == list(islice(random_faults(7), 50))
    assert set(islice(random_faults(7, share=0), 20)) == {Pass()}


def test_a_client_that_repeats_what_broke_gets_everything_through(
    shop: Shop, proxy: FaultProxy, client: httpx.Client
) -> None:
    proxy.script(random_faults(3))
    for n in range(40):
        while order(client, f"{n:02}") == "broken":
            pass
    assert {f"{n:02}" for n in range(40)} <= set(shop.orders)
    assert len(shop.orders) > 40


def test_a_server_that_is_away_breaks_the_connection(proxy: FaultProxy, shop: Shop, client: httpx.Client) -> None:
    shop.shutdown()
    shop.server_close()
    assert order(client, "a") == "broken"


def test_closing_ends_what_waits(shop: Shop) -> None:
    between = FaultProxy("127.0.0.1", shop.server_address[1])
    between.script([Delay(60)])
    with httpx.Client(base_url=between.url, timeout=10) as http:
        waiting = threading.Thread(target=order, args=(http, "a"))
        waiting.start()
        while not between.log:
            pass
        between.close()
        waiting.join(5)
        assert not waiting.is_alive()
