"""A fact travels whole, in the open form only, and whatever is no such message is refused as a whole."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.keyring import SqliteKeyring
from services.kernel.message import Incoming, Unreadable, incoming, outgoing
from services.kernel.registry import Registry
from tests.examples.kernel import ACME, ANA, LABEL, RECIPIENT, ParcelMoved, ParcelRegistered, ParcelSeen, parcel
from tests.support.commits import commit, stream

registry = Registry("parcels", [parcel])


def registered() -> Any:
    """A stored commit of two facts, the first of them with personal fields."""
    keyring = SqliteKeyring(None, b"k" * 32)
    events = [
        ParcelRegistered(parcel_id="1", recipient_id=ANA, recipient=RECIPIENT, label=LABEL, note="Frágil-Ω"),
        ParcelMoved(parcel_id="1", step=1),
    ]
    stored = tuple(
        registry.encode(event, category="parcel", stream=stream("1"), version=3 + n, tenant=ACME, keyring=keyring)
        for n, event in enumerate(events)
    )
    return replace(commit(stream("1"), 3), position=17, events=stored)


def test_every_fact_of_a_commit_is_a_message_of_its_own() -> None:
    (key_a, id_a, body_a), (key_b, id_b, body_b) = outgoing("parcels", registered())
    assert (key_a, key_b) == ("parcels.parcel.ParcelRegistered", "parcels.parcel.ParcelMoved")
    assert (id_a, id_b) == ("parcels:17:0", "parcels:17:1")
    assert [json.loads(body)["streamversion"] for body in (body_a, body_b)] == [3, 4]


def test_a_message_is_a_cloud_event() -> None:
    given = registered()
    *_, (_, _, body) = outgoing("parcels", given)
    assert json.loads(body) == {
        "specversion": "1.0",
        "id": "parcels:17:1",
        "source": "checkop/parcels",
        "type": "co.checkop.parcels.ParcelMoved.v1",
        "subject": given.stream,
        "time": "2026-11-23T13:00:00+00:00",
        "datacontenttype": "application/json",
        "data": {"parcel_id": "1", "step": 1},
        "tenant": ACME,
        "category": "parcel",
        "streamversion": 4,
        "position": 17,
        "actor": "ana",
        "origin": "203.0.113.7",
        "correlationid": "corr-1",
        "causationid": "cause-1",
    }


def test_nothing_that_is_classified_ever_leaves() -> None:
    for key, id, body in outgoing("parcels", registered()):
        text = f"{key} {id} {body.decode()}"
        assert not [secret for secret in (RECIPIENT, LABEL, "Frágil", "Ω") if secret in text]
        assert not registry.classified("parcel", "ParcelRegistered") & json.loads(body)["data"].keys()
        assert "sealed" not in text


def test_what_was_sent_is_what_is_received() -> None:
    given = registered()
    for index, (_, id, body) in enumerate(outgoing("parcels", given)):
        fact = incoming(body, {"ParcelMoved": ParcelSeen})
        assert (fact.service, fact.position, fact.index, fact.id) == ("parcels", 17, index, id)
        assert (fact.stream, fact.category, fact.version) == (given.stream, "parcel", 3 + index)
        assert (fact.tenant, fact.actor, fact.origin, fact.at) == (ACME, "ana", "203.0.113.7", given.at)
        assert (fact.correlation_id, fact.causation_id, fact.v) == ("corr-1", "cause-1", 1)
        assert fact.data == given.events[index].data
        assert fact.event == (ParcelSeen(parcel_id="1") if fact.type == "ParcelMoved" else None)


def test_a_model_for_any_type_reads_what_has_none_of_its_own() -> None:
    class Anything(Incoming):
        parcel_id: str

    for _, _, body in outgoing("parcels", registered()):
        wanted = ParcelSeen if b"ParcelMoved.v1" in body else Anything
        assert type(incoming(body, {"*": Anything, "ParcelMoved": ParcelSeen}).event) is wanted


def broken(**changes: Any) -> bytes:
    (_, _, body), *_ = outgoing("parcels", registered())
    message = json.loads(body) | changes
    return orjson.dumps({k: v for k, v in message.items() if v is not ...})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        broken(type="co.other.parcels.ParcelMoved.v1"),
        broken(type="ParcelMoved"),
        broken(type="co.checkop.parcels.ParcelMoved.vX"),
        broken(id="parcels:1"),
        broken(id="parcels:x:0"),
        broken(time="yesterday"),
        broken(subject=None),
        broken(tenant=7),
        broken(streamversion="3"),
        broken(streamversion=0),
        broken(streamversion=True),
        broken(data=[]),
    ],
)
def test_what_is_no_message_of_ours_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        incoming(body)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with pytest.raises(Unreadable):
        incoming(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
)
def test_no_json_breaks_the_reader(value: Any) -> None:
    with pytest.raises(Unreadable):
        incoming(orjson.dumps(value))
