"""Whatever was ever written to a log can be read: one example per event and version, kept for ever."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from services.kernel.domain import ERASED
from tests.contract.golden_events import (
    DRAFT,
    FROZEN,
    HOME,
    MANIFEST,
    TENANT,
    Golden,
    OpenKeyring,
    digest,
    kept,
    manifest,
    registries,
    wanted,
)

REGISTRIES = registries()
GOLDENS = kept()
each = pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.file)


def test_every_event_has_an_example_of_its_present_form() -> None:
    missing = {golden.file for golden in wanted()} - {golden.file for golden in GOLDENS}
    assert not missing, f"run `make golden` and commit what it writes: {sorted(missing)}"


@each
def test_an_example_is_read_by_the_code_of_today(golden: Golden) -> None:
    registry = REGISTRIES[golden.service]
    event = golden.decode(registry)
    if type(event).schema_version == golden.version:
        again = registry.encode(
            event, category=golden.category, stream="", version=1, tenant=TENANT, keyring=OpenKeyring()
        )
        lost = {name for name, value in golden.data.items() if not _kept(value, again.data.get(name, ...))}
        assert not lost, f"{sorted(lost)} would be lost: that needs a new version and an upcaster"


def _kept(before: Any, now: Any) -> bool:
    """Whether nothing of a value is lost, though fields with a default may have come, however deep inside."""
    match before, now:
        case dict(), dict():
            return all(name in now and _kept(value, now[name]) for name, value in before.items())
        case list(), list():
            return len(before) == len(now) and all(map(_kept, before, now))
        case _:
            return bool(before == now)


@each
def test_an_example_is_read_after_everybody_in_it_was_erased(golden: Golden) -> None:
    event = golden.decode(REGISTRIES[golden.service], *golden.sealed)
    erased = {name for name in type(event).model_fields if getattr(event, name) is ERASED}
    assert erased >= {name for fields in golden.sealed.values() for name in fields}


def test_no_example_was_edited() -> None:
    assert manifest() == {path.name: digest(path) for path in HOME.glob("*.json")}


def test_no_example_was_ever_changed_or_removed() -> None:
    now, head = manifest(), MANIFEST.read_text().splitlines()[0]
    assert head in (DRAFT, FROZEN)
    for earlier in _history():
        if earlier.startswith(FROZEN):
            assert head == FROZEN
            assert manifest(earlier).items() <= now.items()


def _history() -> list[str]:
    """The manifest as every commit so far had it; none where this is no working copy."""
    path = str(MANIFEST.relative_to(HOME.parents[2]))

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=HOME.parents[2], capture_output=True, text=True, check=False).stdout

    return [git("show", f"{commit}:{path}") for commit in git("log", "--format=%H", "--", path).split()]
