"""What passes the door is well formed: bounded, printable, unambiguous."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.routes.fields import DynamicFields, Email, Line, Moment, Network, Position, Text, given
from gateway.routes.tasks import EditTask, OpenTask

ID = "01936f5e-7c1a-7d2e-9f43-2b7a6c1d0e55"


def accepted(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "value", ["2026-12-01T13:00:00Z", "2026-12-01T08:00:00-05:00", "2026-12-01t13:00Z", "2026-12-01 13:00:00.5+00:00"]
)
def test_moments_are_written_out(value: str) -> None:
    assert accepted(Moment, value)


@pytest.mark.parametrize(
    "value",
    [0, 1.5, "1", "-1.2e-25", "2026-12-01", "2026-12-01T13:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"],
)
def test_moments_that_are_none(value: object) -> None:
    assert not accepted(Moment, value)


def test_moments_are_told_in_utc() -> None:
    assert TypeAdapter(Moment).validate_python("2026-12-01T08:00:00-05:00").isoformat() == "2026-12-01T13:00:00+00:00"


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "a\x00b", "a\x1bb", "x" * 201])
def test_lines_that_are_none(value: str) -> None:
    assert not accepted(Line, value)


def test_texts_may_have_lines_but_no_nul() -> None:
    assert accepted(Text, "a\nb\tc")
    assert not accepted(Text, "a\x00b")
    assert not accepted(Text, "x" * 10_001)


@pytest.mark.parametrize("value", ["a@b.co", " a@b.co ", "ñandú@example.com"])
def test_addresses(value: str) -> None:
    assert accepted(Email, value)


@pytest.mark.parametrize("value", ["", "a", "a@b", "a b@c.co", "a@b@c.co", f"{'x' * 250}@b.co"])
def test_addresses_that_are_none(value: str) -> None:
    assert not accepted(Email, value)


def test_networks_hold_nothing_but_addresses() -> None:
    assert accepted(Network, "203.0.113.0/24")
    assert accepted(Network, "2001:db8::/32")
    assert not accepted(Network, "example.com; DROP")


@pytest.mark.parametrize(
    "value", [{"a": {"$gt": ""}}, {"$where": "x"}, {"__type__": "x"}, {"a.b": 1}, {"a": [1]}, {"A": 1}]
)
def test_dynamic_fields_cannot_carry_structure(value: object) -> None:
    assert not accepted(DynamicFields, value)


def test_dynamic_fields_keep_the_types_they_were_given() -> None:
    given_fields = {"n": 3, "x": 2.5, "b": True, "t": "text", "l": ["a"], "nothing": None}
    kept = TypeAdapter(DynamicFields).validate_python(given_fields)
    assert kept == given_fields
    assert [type(value) for value in kept.values()] == [int, float, bool, str, list, type(None)]


def test_positions_lie_on_the_earth() -> None:
    assert accepted(Position, {"lat": -90, "lon": 180})
    for wrong in ({"lat": 91, "lon": 0}, {"lat": float("nan"), "lon": 0}, {"lat": 0}, {"lat": 0, "lon": 0, "alt": 1}):
        assert not accepted(Position, wrong)


def test_what_was_left_out_stays_out_and_null_stays_null() -> None:
    assert EditTask.model_validate({"title": "x", "customer_id": None}).data() == {"title": "x", "customer_id": None}


def test_ids_are_told_in_their_one_canonical_form() -> None:
    body = OpenTask.model_validate({"title": "x", "process_id": ID.upper(), "subprocess_id": ID.replace("-", "")})
    assert (body.data()["process_id"], body.data()["subprocess_id"]) == (ID, ID)


def test_query_parameters_that_were_given() -> None:
    assert given(a=None, b=UUID(ID), c=[UUID(ID)], d=False, e="") == {"b": ID, "c": [ID], "d": False, "e": ""}
