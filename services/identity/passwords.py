"""Hashes and checks passwords with argon2id, off the hub and never too many at once."""

from __future__ import annotations

import secrets
import threading
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.identity.domain.password_rules import LONGEST, normalised
from services.kernel import offload

# 46 MiB in one pass: about 60 ms, and the memory is what makes guessing expensive. Times the number
# below it is also what a burst of log-ins may take from the machine.
_hasher = PasswordHasher(time_cost=1, memory_cost=46 * 1024, parallelism=1)
_AT_ONCE = threading.BoundedSemaphore(4)


def hash_of(password: str) -> str:
    """The form in which a password is kept."""
    with _AT_ONCE:
        return offload.run(_hasher.hash, normalised(password))


def matches(stored: object, password: str) -> bool:
    """Whether this is the password; without one stored it takes just as long and is false."""
    known = isinstance(stored, str) and stored != ""
    with _AT_ONCE:
        right = offload.run(_verify, str(stored) if known else _nobodys(), normalised(password)[: LONGEST + 1])
    return right and known


def outdated(stored: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))
