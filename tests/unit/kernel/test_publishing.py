"""A message that is written out as one piece is to the byte what pika itself would have written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika.connection import Connection
from pika.spec import Basic

from services.kernel import broker
from services.kernel.broker import event_properties

LARGEST = 1_000
NAMES = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=40)


def pieces(send: Callable[..., None], method: Any, message_id: str, body: bytes) -> list[bytes]:
    """What a connection without a socket is given to write."""
    connection = broker._Connection.__new__(broker._Connection)
    connection._body_max_length, connection.bytes_sent, connection.frames_sent = LARGEST, 0, 0
    written: list[bytes] = []
    connection._adapter_emit_data = written.append
    send(connection, 1, method, (event_properties(message_id, "application/json"), body))
    return written


@given(NAMES, NAMES, st.booleans(), NAMES, st.binary(max_size=3 * LARGEST))
def test_the_same_bytes(exchange: str, key: str, mandatory: bool, message_id: str, body: bytes) -> None:
    method = Basic.Publish(exchange=exchange, routing_key=key, mandatory=mandatory)
    ours = pieces(broker._Connection._send_message, method, message_id, body)
    assert b"".join(ours) == b"".join(pieces(Connection._send_message, method, message_id, body))


@pytest.mark.parametrize("size", [1, LARGEST])
def test_what_fits_into_one_frame_is_one_piece(size: int) -> None:
    method = Basic.Publish(exchange="events", routing_key="a.b.C")
    assert len(pieces(broker._Connection._send_message, method, "1", b"x" * size)) == 1
