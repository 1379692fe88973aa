"""The keys of personal data, kept apart from the data: destroy a key and what it sealed is gone for good."""

from __future__ import annotations

import base64
import os
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TENANT_SCOPE = "tenant"
LOOKED_SECONDS = 0.01


def subject_scope(subject: str) -> str:
    """The scope of one person's key inside an account."""
    return f"subject:{subject}"


class KeyDestroyed(Exception):
    """This scope was fenced for erasure: nothing can be sealed under it ever again."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed value: which key of the scope, the nonce, the ciphertext with its tag."""

    key: int
    nonce: bytes
    ciphertext: bytes


class Keyring(Protocol):
    """Seals and opens values under the key of (tenant, scope); one keyring per service."""

    def seal(self, tenant: str, scope: str, plain: bytes, place: bytes) -> Envelope:
        """Seal `plain` so that it opens only at `place`. Makes the key on first use. Raises KeyDestroyed."""

    def open(self, tenant: str, scope: str, envelope: Envelope, place: bytes) -> bytes | None:
        """The value, or None once the key is destroyed. Raises InvalidTag when moved or tampered with."""

    def destroy(self, tenant: str, scope: str) -> None:
        """Fence the scope, then destroy its keys; repeating it is harmless."""

    def destroy_tenant(self, tenant: str) -> None:
        """Fence and destroy the account's key and those of all its people."""


class SqliteKeyring:
    """The embedded keyring: one SQLite file per service, outside the MongoDB cluster.

    Keys are 256-bit, wrapped by the key-encryption key from the environment. `secure_delete` overwrites
    a destroyed row, and the rollback journal (not WAL) leaves no copy of it behind. Several processes
    may share the file; SQLite's `data_version` tells each when another has changed it: nothing is sealed
    under a key destroyed elsewhere, and a hundredth of a second later nothing is opened with it either
    (to look before each of the thousands of values of a rebuild took a third of its time).
    """

    def __init__(self, path: Path | None, kek: bytes) -> None:
        """Open or create the file; None keeps the keys in memory only, for unit tests."""
        if len(kek) != 32:
            raise ValueError("the key-encryption key must be 32 bytes")
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._wrap = AESGCM(kek)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path or ":memory:", timeout=30, isolation_level=None, check_same_thread=False)
        if path is not None:
            path.chmod(0o600)
        self._db.execute("PRAGMA journal_mode=TRUNCATE")
        self._db.execute("PRAGMA secure_delete=ON")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS keys (tenant TEXT, scope TEXT, key INTEGER, wrapped BLOB NOT NULL,"
            " made_at TEXT NOT NULL, PRIMARY KEY (tenant, scope, key)) WITHOUT ROWID"
        )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS fences (tenant TEXT, scope TEXT, at TEXT NOT NULL,"
            " PRIMARY KEY (tenant, scope)) WITHOUT ROWID"
        )
        self._cache: dict[tuple[str, str, int], AESGCM | None] = {}
        self._newest: dict[tuple[str, str], int] = {}
        self._seen = self._data_version()
        self._looked = time.monotonic()

    def seal(self, tenant: str, scope: str, plain: bytes, place: bytes) -> Envelope:
        """See `Keyring.seal`."""
        with self._lock:
            self._notice_changes()
            key = self._newest.get((tenant, scope)) or self._newest_key(tenant, scope)
            cipher = self._cipher(tenant, scope, key)
        if cipher is None:
            raise KeyDestroyed(scope)
        nonce = os.urandom(12)
        return Envelope(key, nonce, cipher.encrypt(nonce, plain, place))

    def open(self, tenant: str, scope: str, envelope: Envelope, place: bytes) -> bytes | None:
        """See `Keyring.open`."""
        with self._lock:
            if time.monotonic() - self._looked > LOOKED_SECONDS:
                self._notice_changes()
            cipher = self._cipher(tenant, scope, envelope.key)
        return None if cipher is None else cipher.decrypt(envelope.nonce, envelope.ciphertext, place)

    def destroy(self, tenant: str, scope: str) -> None:
        """See `Keyring.destroy`. Fence first, so that late offline work cannot bring the person back."""
        with self._lock:
            self._fence(tenant, scope)
            self._db.execute("DELETE FROM keys WHERE tenant = ? AND scope = ?", (tenant, scope))
            self._forget()

    def destroy_tenant(self, tenant: str) -> None:
        """See `Keyring.destroy_tenant`. The empty scope fences every scope of the account."""
        with self._lock:
            self._fence(tenant, "")
            self._db.execute("DELETE FROM keys WHERE tenant = ?", (tenant,))
            self._forget()

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._db.close()

    def _fence(self, tenant: str, scope: str) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO fences VALUES (?, ?, ?)", (tenant, scope, datetime.now(UTC).isoformat())
        )

    def _newest_key(self, tenant: str, scope: str) -> int:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            fenced = self._db.execute(
                "SELECT 1 FROM fences WHERE tenant = ? AND scope IN ('', ?)", (tenant, scope)
            ).fetchone()
            if fenced:
                raise KeyDestroyed(scope)
            (key,) = self._db.execute(
                "SELECT max(key) FROM keys WHERE tenant = ? AND scope = ?", (tenant, scope)
            ).fetchone()
            if key is None:
                key = 1
                fresh, nonce = AESGCM.generate_key(256), os.urandom(12)
                wrapped = nonce + self._wrap.encrypt(nonce, fresh, self._wrap_place(tenant, scope, key))
                self._db.execute(
                    "INSERT INTO keys VALUES (?, ?, ?, ?, ?)",
                    (tenant, scope, key, wrapped, datetime.now(UTC).isoformat()),
                )
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._newest[tenant, scope] = key
        return int(key)

    def _cipher(self, tenant: str, scope: str, key: int) -> AESGCM | None:
        place = (tenant, scope, key)
        if place not in self._cache:
            with closing(
                self._db.execute("SELECT wrapped FROM keys WHERE tenant = ? AND scope = ? AND key = ?", place)
            ) as rows:
                row = rows.fetchone()
            self._cache[place] = row and AESGCM(self._wrap.decrypt(row[0][:12], row[0][12:], self._wrap_place(*place)))
        return self._cache[place]

    @staticmethod
    def _wrap_place(tenant: str, scope: str, key: int) -> bytes:
        return f"{tenant}|{scope}|{key}".encode()

    def _data_version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _notice_changes(self) -> None:
        current = self._data_version()
        self._looked = time.monotonic()
        if current != self._seen:
            self._seen = current
            self._forget()

    def _forget(self) -> None:
        self._cache.clear()
        self._newest.clear()


def decode_kek(text: str) -> bytes:
    """The key-encryption key from its URL-safe base64 form. Raises ValueError when it is not 32 bytes."""
    kek = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(kek) != 32:
        raise ValueError("the key-encryption key must be 32 bytes in URL-safe base64")
    return kek


__all__ = [
    "TENANT_SCOPE",
    "Envelope",
    "InvalidTag",
    "KeyDestroyed",
    "Keyring",
    "SqliteKeyring",
    "decode_kek",
    "subject_scope",
]
