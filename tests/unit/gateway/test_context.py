"""What is read from headers before anybody is trusted."""

from __future__ import annotations

import uuid
from ipaddress import ip_network

import pytest

from gateway.context import client_ip, correlation_id, preferred_language, traceparent

PROXIES = (ip_network("10.0.0.0/8"), ip_network("127.0.0.1/32"))


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (b"", "en"),
        (b"es", "es"),
        (b"es-CO,es;q=0.9,en;q=0.8", "es"),
        (b"en;q=0.2, es;q=0.7", "es"),
        (b"fr, de", "en"),
        (b"es;q=0", "en"),
        (b"es;q=nonsense", "en"),
        (b"ES-419", "es"),
        (b"\xff\xfe;;;,=", "en"),
    ],
)
def test_language(header: bytes, language: str) -> None:
    assert preferred_language(header) == language


def test_a_correlation_id_is_kept_when_it_is_a_uuid_and_made_otherwise() -> None:
    given = str(uuid.uuid4())
    assert correlation_id(given.encode()) == given
    assert correlation_id(given.upper().encode()) == given
    for other in (b"", b"x", b'"; DROP', given.encode() + b"\n", b"a" * 5000):
        assert uuid.UUID(correlation_id(other))
        assert correlation_id(other).encode() != other


def test_traceparent_only_when_well_formed() -> None:
    good = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert traceparent(good) == good.decode()
    assert traceparent(b"00-zz") == ""


@pytest.mark.parametrize(
    ("peer", "forwarded", "ip"),
    [
        ("8.8.8.8", [], "8.8.8.8"),
        ("8.8.8.8", ["1.2.3.4"], "8.8.8.8"),  # an untrusted peer may write what it likes
        ("10.1.1.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.1.1.1", ["9.9.9.9, 1.2.3.4"], "1.2.3.4"),  # what the client wrote in front is not reached
        ("10.1.1.1", ["9.9.9.9, 1.2.3.4, 10.2.2.2"], "1.2.3.4"),
        ("10.1.1.1", ["9.9.9.9", "1.2.3.4"], "1.2.3.4"),
        ("10.1.1.1", ["10.3.3.3"], "10.3.3.3"),
        ("10.1.1.1", ["nonsense"], "10.1.1.1"),
        ("::ffff:10.1.1.1", ["1.2.3.4"], "1.2.3.4"),
        ("testclient", ["1.2.3.4"], "testclient"),
    ],
)
def test_client_address(peer: str, forwarded: list[str], ip: str) -> None:
    assert client_ip(peer, forwarded, PROXIES) == ip
