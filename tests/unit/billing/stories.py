"""Beginnings of stories that several tests tell on."""

from __future__ import annotations

from typing import Any

from services.billing.domain.subscription import OpenCycles, subscription
from services.kernel.testing.given import Given, given
from tests.examples.billing import ask, started


def story() -> Given:
    """The first cycle has been opened."""
    return given(subscription, started).when(ask(OpenCycles)).then_repeating_adds_nothing()


def after(*commands: Any) -> Given:
    """What the commands led to, one after the other."""
    at = story()
    for command in commands:
        at = Given(subscription, [*at._events, *at.when(command)._decide()])
    return at
