"""The wire format is nameko's: what it would send and accept, to the letter."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel import rpc

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=12,
)


def test_a_request_is_args_and_kwargs_as_plain_json() -> None:
    body = rpc.encode_request({"query": "me", "at_least": None})
    assert json.loads(body) == {"args": [], "kwargs": {"query": "me", "at_least": None}}


@settings(max_examples=30)
@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON))
def test_a_request_is_read_back_as_it_was_sent(kwargs: dict[str, object]) -> None:
    assert rpc.decode_request(rpc.encode_request(kwargs)).kwargs == kwargs


def test_queue_binding_and_routing_key_fit_together() -> None:
    assert rpc.request_queue("tasks") == "rpc-tasks"
    assert rpc.request_binding("tasks") == "tasks.*"
    assert rpc.routing_key("tasks", rpc.EXECUTE) == "tasks.execute"


def test_headers_carry_the_call_and_only_context_that_is_there() -> None:
    assert rpc.headers("c1", correlation_id="x", traceparent="") == {
        "nameko.call_id_stack": ["c1"],
        "nameko.correlation_id": "x",
    }


@given(JSON)
def test_an_answer_is_read_back(result: object) -> None:
    assert rpc.decode_reply(rpc.encode_result(result)) == result


def test_an_exception_keeps_its_name_and_arguments() -> None:
    with pytest.raises(rpc.RemoteError) as raised:
        rpc.decode_reply(rpc.encode_error(rpc.RemoteError("Rejected", ("not-in-team", {"team_id": "t"}))))
    assert raised.value.rejection == ("not-in-team", {"team_id": "t"})


def test_other_exceptions_are_no_rejections() -> None:
    with pytest.raises(rpc.RemoteError) as raised:
        rpc.decode_reply(rpc.encode_error(rpc.RemoteError("KeyError", ("secret",))))
    assert raised.value.rejection is None


def test_facts_may_come_as_a_json_string() -> None:
    assert rpc.RemoteError("Rejected", ("x", '{"n": 3}')).rejection == ("x", {"n": 3})
    assert rpc.RemoteError("Rejected", ("x", "not json")).rejection == ("x", {})
    assert rpc.RemoteError("Rejected", ("x",)).rejection == ("x", {})


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b'{"result": 1}', b'{"result": null, "error": {}}', b'{"error": 7}', b"\xff"],
)
def test_nonsense_is_a_malformed_reply(body: bytes) -> None:
    with pytest.raises(rpc.MalformedReply):
        rpc.decode_reply(body)


def test_what_json_cannot_carry_is_refused_when_sending() -> None:
    with pytest.raises(TypeError):
        rpc.encode_request({"x": object()})


def test_call_ids_differ() -> None:
    assert rpc.new_call_id() != rpc.new_call_id()


def test_ids_and_times_become_text() -> None:
    assert orjson.loads(rpc.encode_result({"n": 1})) == {"result": {"n": 1}, "error": None}
