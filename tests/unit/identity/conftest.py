"""A whole identity service in memory, for the tests of its requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from services.identity import passwords
from tests.examples.identity_service import Identity, Person


@pytest.fixture(autouse=True)
def cheap_hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is tested here is who may do what, not how long a guess takes."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@pytest.fixture
def identity() -> Identity:
    """An empty service."""
    return Identity()


@pytest.fixture
def ana(identity: Identity) -> Person:
    """The owner of a company."""
    return identity.register()
