"""Given what happened, when this is asked, then these facts follow: a decider's specification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from services.kernel.domain import Command, Decider, Event, Rejected


class Given:
    """`given(decider, *events).when(command).then(...)`; every step fails loudly and says what came instead."""

    def __init__(self, decider: Decider[Any, Any, Any], events: Sequence[Event]) -> None:
        self._decider = decider
        self._events = list(events)

    @property
    def state(self) -> Any:
        """The aggregate's state after the given events."""
        return self._decider.replay(self._events)

    def when(self, command: Command) -> When:
        """Ask; nothing is recorded yet."""
        return When(self._decider, self._events, command)


class When:
    """The answer to one command, ready to be compared."""

    def __init__(self, decider: Decider[Any, Any, Any], events: list[Event], command: Command) -> None:
        self._decider = decider
        self._events = events
        self._command = command

    def _decide(self) -> list[Event]:
        return self._decider.decide(self._command, self._decider.replay(self._events))

    def then(self, *expected: Event) -> Given:
        """Exactly these facts, in this order; returns the story so far so that it can go on."""
        happened = self._decide()
        assert happened == list(expected), f"expected {list(expected)}, got {happened}"
        return Given(self._decider, self._events + happened)

    def then_nothing(self) -> Given:
        """The request is already fulfilled: no fact, no refusal."""
        return self.then()

    def then_rejected(self, code: str) -> None:
        """The domain refuses, with this public code."""
        with pytest.raises(Rejected) as refusal:
            self._decide()
        assert refusal.value.code == code, f"expected {code}, got {refusal.value.code}"

    def then_repeating_adds_nothing(self) -> Given:
        """Accept the answer, ask the very same again: the second time no fact follows."""
        happened = self._decide()
        assert happened, "the first request should have led to a fact"
        after = self._events + happened
        again = self._decider.decide(self._command, self._decider.replay(after))
        assert again == [], f"repeated command led to {again}"
        return Given(self._decider, after)


def given(decider: Decider[Any, Any, Any], *events: Event) -> Given:
    """The story begins: these facts are recorded."""
    return Given(decider, events)
