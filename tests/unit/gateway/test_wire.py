"""The wire format of calls and replies: what is sent together is read back one by one, and nonsense is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel import rpc
from services.kernel.domain import Rejected

TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner),
    max_leaves=12,
)
CALLS = st.lists(st.builds(rpc.Call, TEXT, TEXT, st.dictionaries(TEXT, JSON), TEXT), max_size=4)


def reply_to(error: Exception) -> rpc.Reply:
    (reply,) = rpc.decode_replies(rpc.encode_replies([rpc.encode_error("c", error)]))
    return reply


def test_a_message_is_plain_json() -> None:
    body = rpc.encode_calls([rpc.encode_call(rpc.Call("c", "query", {"query": "me", "at_least": None}))])
    (call,) = json.loads(body)["calls"]
    assert call == {"id": "c", "method": "query", "kwargs": {"query": "me", "at_least": None}, "traceparent": ""}


@settings(max_examples=30)
@given(CALLS)
def test_calls_are_read_back_as_they_were_sent(calls: list[rpc.Call]) -> None:
    assert rpc.decode_calls(rpc.encode_calls(rpc.encode_call(call) for call in calls)) == calls


@given(st.dictionaries(TEXT, JSON))
def test_answers_are_read_back_each_under_its_call(results: dict[str, object]) -> None:
    body = rpc.encode_replies(rpc.encode_result(id, result) for id, result in results.items())
    assert {reply.id: reply.answer() for reply in rpc.decode_replies(body)} == results


def test_a_refusal_keeps_its_code_and_its_facts_with_their_types() -> None:
    with pytest.raises(rpc.RemoteError) as raised:
        reply_to(Rejected("not-in-team", team_id="t", n=3, at=None)).answer()
    assert raised.value.rejection == ("not-in-team", {"team_id": "t", "n": 3, "at": None})


def test_what_the_remote_end_raised_for_another_keeps_that_name() -> None:
    with pytest.raises(rpc.RemoteError) as raised:
        reply_to(rpc.RemoteError("MethodNotFound", ("explode",))).answer()
    assert (raised.value.exc_type, raised.value.arguments) == ("MethodNotFound", ("explode",))


def test_other_exceptions_are_no_rejections() -> None:
    with pytest.raises(rpc.RemoteError) as raised:
        reply_to(KeyError("secret")).answer()
    assert raised.value.exc_type == "KeyError"
    assert raised.value.rejection is None


def test_a_refusal_without_facts_has_none() -> None:
    assert rpc.RemoteError("Rejected", ("x",)).rejection == ("x", {})
    assert rpc.RemoteError("Rejected", ("x", "not facts")).rejection == ("x", {})
    assert rpc.RemoteError("Rejected", ()).rejection is None


def test_an_exception_that_json_cannot_carry_is_still_told() -> None:
    reply = reply_to(ValueError("\ud800"))
    assert reply.error == {"type": "ValueError", "args": [], "value": ""}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"calls": 7}', b'{"calls": [7]}', b'{"calls": [{"id": 1}]}']
)
def test_nonsense_is_no_message_with_calls(body: bytes) -> None:
    with pytest.raises(rpc.Malformed):
        rpc.decode_calls(body)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"replies": [{"id": "c"}]}', b'{"replies": [7]}']
    + [b'{"replies": [{"id": "c", "result": null, "error": %s}]}' % error for error in (b"{}", b"7", b'"x"')],
)
def test_nonsense_is_no_message_with_replies(body: bytes) -> None:
    with pytest.raises(rpc.Malformed):
        rpc.decode_replies(body)


@pytest.mark.parametrize("value", [{"x": object()}, {"x": "\ud800"}])
def test_what_json_cannot_carry_is_refused_when_sending(value: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        rpc.encode_call(rpc.Call("c", "query", value))


def test_call_ids_differ() -> None:
    assert rpc.new_call_id() != rpc.new_call_id()


def test_queues_are_named_after_whom_they_serve() -> None:
    assert rpc.call_queue("tasks") == "calls.tasks"
    assert rpc.reply_queue("gateway", "1") == "replies.gateway.1"
