"""Derived tokens: the same for the same thing, unlike for any other, and never from a weak seed."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import assume, given
from hypothesis import strategies as st

from services.kernel.secrets import Secrets, decode_seed

secrets = Secrets(b"s" * 32)
PARTS = st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=12), min_size=1, max_size=4)


def public(of: Secrets) -> bytes:
    return of.signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def test_a_token_is_the_same_in_every_process_with_the_seed_and_different_without() -> None:
    token = secrets.derive("invitation", "t", "ana", "1")
    assert token == Secrets(b"s" * 32).derive("invitation", "t", "ana", "1")
    assert token != Secrets(b"z" * 32).derive("invitation", "t", "ana", "1")
    assert len(base64.urlsafe_b64decode(token + "=")) == 32


def test_a_token_matches_only_what_it_was_made_for() -> None:
    token = secrets.derive("invitation", "t", "ana", "1")
    assert secrets.matches(token, "invitation", "t", "ana", "1")
    for wrong in (("reset", "t", "ana", "1"), ("invitation", "t", "ana", "2"), ("invitation", "t", "ana")):
        assert not secrets.matches(token, *wrong)
    for broken in ("", token[:-1], token + "A", "ñ" * 43):
        assert not secrets.matches(broken, "invitation", "t", "ana", "1")


@given(one=PARTS, other=PARTS)
def test_no_two_things_share_a_token(one: list[str], other: list[str]) -> None:
    assume(one != other)
    assert secrets.derive(*one) != secrets.derive(*other)


def test_fingerprints_find_again_and_are_no_tokens() -> None:
    mark = secrets.fingerprint("login", "ana@example.com")
    assert mark == secrets.fingerprint("login", "ana@example.com")
    assert mark != secrets.fingerprint("login", "bea@example.com")
    assert mark != secrets.fingerprint("request", "ana@example.com")
    assert len(mark) == 32
    assert mark not in secrets.derive("login", "ana@example.com")


def test_the_signing_key_comes_from_the_seed() -> None:
    assert public(secrets) == public(Secrets(b"s" * 32)) != public(Secrets(b"z" * 32))


def test_a_weak_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Secrets(b"short")
    assert decode_seed("c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M") == b"s" * 32
