"""What the unit tests of the forms service share."""

from __future__ import annotations

import pytest

from tests.unit.forms.account import Account


@pytest.fixture
def account() -> Account:
    """An account whose inspection is published."""
    made = Account()
    made.publish()
    return made
