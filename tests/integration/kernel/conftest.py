"""Sample services on the real engines, each in a database of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from services.kernel import logging
from services.kernel.application import ServiceDefinition
from services.kernel.config import Settings
from services.kernel.platform import Platform, open_platform

logging.configure("tests", "ERROR")
Open = Callable[..., Platform]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def env(stack: Any, mongo_url: str, db_prefix: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of programs that need no broker; a module that needs one takes `platform_env`, whose virtual host takes time."""
    keyring = str(tmp_path_factory.mktemp("keyring"))
    return {**stack.env, "CHECKOP_DB_PREFIX": db_prefix, "CHECKOP_KEYRING_DIR": keyring}


@pytest.fixture
def settings(env: dict[str, str]) -> Settings:
    """Of an empty corner of this module's corner."""
    prefix = f"{env['CHECKOP_DB_PREFIX']}{next(_numbers)}_"
    return Settings(**{**env, "CHECKOP_DB_PREFIX": prefix})  # type: ignore[arg-type]


@pytest.fixture
def open_service(settings: Settings) -> Iterator[Open]:
    """`open_service(definition, clock=…)` opens one more process of a service."""
    with ExitStack() as opened:

        def open_one(definition: ServiceDefinition, **options: Any) -> Platform:
            platform = opened.enter_context(closing(open_platform(definition, settings, **options)))
            platform.ensure_indexes()
            return platform

        yield open_one
