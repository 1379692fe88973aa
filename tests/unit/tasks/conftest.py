"""What the unit tests of the tasks service share."""

from __future__ import annotations

import pytest

from tests.unit.tasks.office import Office


@pytest.fixture
def office() -> Office:
    """An account that is set up and has no task yet."""
    made = Office()
    made.set_up()
    return made
