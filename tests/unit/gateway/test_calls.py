"""Command ids, preconditions and receipts: what makes a repeat safe and an overwrite impossible."""

from __future__ import annotations

import uuid

import pytest
from starlette.datastructures import Headers

from gateway.calls import json_response
from gateway.errors import Problem
from gateway.preconditions import at_least, command_id, expected_version, idempotency_key

KEY = "3f1d6a52-0a53-7c7e-8c55-3c2a8a1be001"


def test_the_same_key_of_the_same_person_is_the_same_command() -> None:
    assert command_id("t", "a", KEY, {"x": 1}) == command_id("t", "a", KEY, {"x": 2})


def test_other_people_and_accounts_have_keys_of_their_own() -> None:
    ids = {command_id(t, a, k, {}) for t in ("t", "u") for a in ("a", "b") for k in (KEY, KEY + "x")}
    assert len(ids) == 8


def test_without_a_key_every_request_is_a_new_command() -> None:
    assert command_id("t", "a", None, {}) != command_id("t", "a", None, {})
    assert uuid.UUID(command_id("t", "a", None, {}))


def test_an_anonymous_key_counts_only_with_the_same_content() -> None:
    mine = command_id("platform", "anonymous", KEY, {"email": "a@example.com", "password": "one"})
    assert mine == command_id("platform", "anonymous", KEY, {"password": "one", "email": "a@example.com"})
    assert mine != command_id("platform", "anonymous", KEY, {"email": "a@example.com", "password": "two"})


@pytest.mark.parametrize("key", ["12345678", "a" * 128, "with space", KEY])
def test_keys_that_are_accepted(key: str) -> None:
    assert idempotency_key(Headers({"idempotency-key": key})) == key


@pytest.mark.parametrize("key", ["", "1234567", "a" * 129, " 12345678", "12345678 ", "ñandú-12", "1234\t5678"])
def test_keys_that_are_refused(key: str) -> None:
    with pytest.raises(Problem) as refused:
        idempotency_key(Headers(raw=[(b"idempotency-key", key.encode("latin-1"))]))
    assert refused.value.code == "header-invalid"


@pytest.mark.parametrize(("tag", "version"), [('"7"', 7), (' "7" ', 7), ("*", None)])
def test_if_match(tag: str, version: int | None) -> None:
    assert expected_version(Headers({"if-match": tag})) == version
    assert expected_version(Headers({})) is None


@pytest.mark.parametrize("tag", ["7", 'W/"7"', '"x"', '"7", "8"', '"-1"', '""', '"9999999999999999999"', '"٣"'])
def test_if_match_that_no_etag_of_ours_looks_like(tag: str) -> None:
    with pytest.raises(Problem):
        expected_version(Headers(raw=[(b"if-match", tag.encode())]))


def test_at_least_comes_from_query_or_header() -> None:
    assert at_least(Headers({"x-at-least": "5"}), {}) == 5
    assert at_least(Headers({"x-at-least": "5"}), {"at_least": "7"}) == 7
    assert at_least(Headers({}), {}) is None
    for bad in ("-1", "x", "1" * 30, "1.5"):
        with pytest.raises(Problem):
            at_least(Headers({}), {"at_least": bad})


def test_an_answer_with_a_version_has_an_etag() -> None:
    assert json_response({"id": "x", "version": 3}).headers["etag"] == '"3"'
    assert "etag" not in json_response({"items": []}).headers
    assert "etag" not in json_response([1]).headers
