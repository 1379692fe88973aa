"""A destroyed key is gone: from the file, from every process's memory, and for good."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.keyring import (
    LOOKED_SECONDS,
    TENANT_SCOPE,
    Envelope,
    InvalidTag,
    KeyDestroyed,
    SqliteKeyring,
    decode_kek,
    subject_scope,
)
from tests.support.threads import at_once, each_at_once

KEK = b"k" * 32
ANA, BEA = subject_scope("ana"), subject_scope("bea")
PLACE = b"stream|1|Said|subject:ana"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "parcels.sqlite"


@pytest.fixture
def keyring(file: Path) -> SqliteKeyring:
    return SqliteKeyring(file, KEK)


def wrapped(file: Path) -> dict[tuple[str, str], bytes]:
    """The wrapped keys as they lie in the file."""
    with sqlite3.connect(file) as db:
        return {(tenant, scope): key for tenant, scope, key in db.execute("SELECT tenant, scope, wrapped FROM keys")}


def everything_on_disk(file: Path) -> bytes:
    """The bytes of the file and of whatever the database left beside it."""
    return b"".join(path.read_bytes() for path in sorted(file.parent.iterdir()))


def test_what_was_sealed_opens_and_shows_nothing(keyring: SqliteKeyring) -> None:
    envelope = keyring.seal("t", ANA, b"Ana", PLACE)
    assert b"Ana" not in envelope.ciphertext
    assert keyring.open("t", ANA, envelope, PLACE) == b"Ana"


def test_no_two_seals_are_alike(keyring: SqliteKeyring) -> None:
    sealed = [keyring.seal("t", ANA, b"Ana", PLACE) for _ in range(100)]
    assert len({envelope.nonce for envelope in sealed}) == len({envelope.ciphertext for envelope in sealed}) == 100


def test_a_seal_opens_at_its_place_and_under_its_own_key_only(keyring: SqliteKeyring) -> None:
    envelope = keyring.seal("t", ANA, b"Ana", PLACE)
    keyring.seal("t", BEA, b"Bea", PLACE)
    keyring.seal("u", ANA, b"Ana", PLACE)
    for tenant, scope, place in (("t", ANA, PLACE + b"2"), ("t", BEA, PLACE), ("u", ANA, PLACE)):
        with pytest.raises(InvalidTag):
            keyring.open(tenant, scope, envelope, place)


def test_keys_live_on_in_the_file(keyring: SqliteKeyring, file: Path) -> None:
    envelope = keyring.seal("t", ANA, b"Ana", PLACE)
    keyring.close()
    again = SqliteKeyring(file, KEK)
    assert again.open("t", ANA, envelope, PLACE) == b"Ana"
    assert again.seal("t", ANA, b"more", PLACE).key == envelope.key
    assert len(wrapped(file)) == 1


def test_the_file_is_the_owners_only_and_useless_without_the_key_encryption_key(
    keyring: SqliteKeyring, file: Path
) -> None:
    envelope = keyring.seal("t", ANA, b"Ana", PLACE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(InvalidTag):
        SqliteKeyring(file, b"x" * 32).open("t", ANA, envelope, PLACE)


def test_a_wrapped_key_cannot_be_given_to_somebody_else(keyring: SqliteKeyring, file: Path) -> None:
    envelope = keyring.seal("t", ANA, b"Ana", PLACE)
    keyring.close()
    with sqlite3.connect(file) as db:
        db.execute("UPDATE keys SET scope = ?", (BEA,))
    with pytest.raises(InvalidTag):
        SqliteKeyring(file, KEK).open("t", BEA, envelope, PLACE)


def test_a_destroyed_key_is_no_longer_in_the_file(keyring: SqliteKeyring, file: Path) -> None:
    envelope = keyring.seal("t", ANA, b"Ana", PLACE)
    other = keyring.seal("t", BEA, b"Bea", PLACE)
    key = wrapped(file)["t", ANA]
    assert key in everything_on_disk(file)
    keyring.destroy("t", ANA)
    assert key not in everything_on_disk(file)
    assert key[12:28] not in everything_on_disk(file)
    assert keyring.open("t", ANA, envelope, PLACE) is None
    assert keyring.open("t", BEA, other, PLACE) == b"Bea"


def test_destroying_an_account_destroys_the_keys_of_all_its_people_and_of_nobody_else(
    keyring: SqliteKeyring, file: Path
) -> None:
    sealed = {(t, s): keyring.seal(t, s, b"x", PLACE) for t in ("t", "u") for s in (ANA, BEA, TENANT_SCOPE)}
    keys = wrapped(file)
    keyring.destroy_tenant("t")
    left = everything_on_disk(file)
    for (tenant, scope), envelope in sealed.items():
        assert keyring.open(tenant, scope, envelope, PLACE) == (None if tenant == "t" else b"x")
        assert (keys[tenant, scope] in left) == (tenant == "u")


def test_nothing_can_be_sealed_for_who_was_erased(keyring: SqliteKeyring, file: Path) -> None:
    keyring.seal("t", ANA, b"Ana", PLACE)
    keyring.destroy("t", ANA)
    keyring.destroy("t", BEA)
    for ring in (keyring, SqliteKeyring(file, KEK)):
        for scope in (ANA, BEA):
            with pytest.raises(KeyDestroyed):
                ring.seal("t", scope, b"again", PLACE)
        ring.seal("t", TENANT_SCOPE, b"still", PLACE)
    keyring.destroy_tenant("t")
    for scope in (ANA, TENANT_SCOPE, subject_scope("never seen")):
        with pytest.raises(KeyDestroyed):
            keyring.seal("t", scope, b"again", PLACE)


def test_destroying_again_is_harmless(keyring: SqliteKeyring) -> None:
    for _ in range(3):
        keyring.destroy("t", ANA)
        keyring.destroy_tenant("t")


def test_what_another_process_destroyed_leaves_this_ones_memory(keyring: SqliteKeyring, file: Path) -> None:
    other = SqliteKeyring(file, KEK)
    ana, bea = keyring.seal("t", ANA, b"Ana", PLACE), keyring.seal("t", BEA, b"Bea", PLACE)
    assert other.open("t", ANA, ana, PLACE) == b"Ana"
    keyring.destroy("t", ANA)
    with pytest.raises(KeyDestroyed):
        other.seal("t", ANA, b"again", PLACE)
    assert other.open("t", ANA, ana, PLACE) is None
    assert other.open("t", BEA, bea, PLACE) == b"Bea"


def test_it_leaves_this_ones_memory_also_where_it_only_reads(keyring: SqliteKeyring, file: Path) -> None:
    other = SqliteKeyring(file, KEK)
    sealed = keyring.seal("t", ANA, b"Ana", PLACE)
    assert other.open("t", ANA, sealed, PLACE) == b"Ana"
    keyring.destroy("t", ANA)
    time.sleep(LOOKED_SECONDS * 1.5)
    assert other.open("t", ANA, sealed, PLACE) is None


def test_processes_that_seal_at_once_make_one_key(keyring: SqliteKeyring, file: Path) -> None:
    rings = [keyring, SqliteKeyring(file, KEK), SqliteKeyring(file, KEK)]
    sealed = each_at_once([lambda r=rings[n % 3]: r.seal("t", ANA, b"Ana", PLACE) for n in range(24)])
    assert {envelope.key for envelope in sealed} == {1}
    assert {rings[0].open("t", ANA, envelope, PLACE) for envelope in sealed} == {b"Ana"}


def test_an_erasure_among_seals_leaves_nothing_behind(keyring: SqliteKeyring, file: Path) -> None:
    rings = [keyring, SqliteKeyring(file, KEK)]
    outcomes = at_once(
        [lambda r=rings[n % 2]: r.seal("t", ANA, b"Ana", PLACE) for n in range(20)]
        + [lambda: rings[1].destroy("t", ANA)]
    )
    assert all(isinstance(outcome, Envelope | KeyDestroyed | None) for outcome in outcomes), outcomes
    assert wrapped(file) == {}
    time.sleep(LOOKED_SECONDS * 1.5)
    for outcome in outcomes:
        if isinstance(outcome, Envelope):
            assert all(ring.open("t", ANA, outcome, PLACE) is None for ring in rings)


@given(plain=st.binary(max_size=500), place=st.binary(max_size=100), scope=st.text(max_size=50))
def test_any_value_comes_back(plain: bytes, place: bytes, scope: str) -> None:
    keyring = SqliteKeyring(None, KEK)
    scope = subject_scope(scope.encode(errors="replace").decode())
    envelope = keyring.seal("t", scope, plain, place)
    assert keyring.open("t", scope, envelope, place) == plain


def test_a_key_encryption_key_has_32_bytes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SqliteKeyring(tmp_path / "x", b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        decode_kek("c2hvcnQ")
    assert decode_kek("a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s") == KEK
    assert len(decode_kek(__import__("base64").urlsafe_b64encode(os.urandom(32)).decode())) == 32
