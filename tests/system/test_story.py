"""The story that `make demo` tells, held to its word on the platform of the tests."""

from __future__ import annotations

from rich.console import Console

from deploy.demo.story import Teller, tell
from tests.system.callers import Platform


def test_the_story_holds_from_registration_to_the_crash(platform: Platform) -> None:
    teller = Teller(Console(width=140, highlight=False))
    facts = tell(teller, platform.env, platform.supervisor.kill)
    assert facts["completed tasks"] == 11
    assert facts["people"] == 12
