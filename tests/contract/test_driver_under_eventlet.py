"""The pinned MongoDB driver works on the hub; it is no longer tested there upstream, so an upgrade is a decision."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def seen(mongo_url: str, db_prefix: str) -> dict[str, Any]:
    """What a process on the hub observed, and how it ended."""
    program = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.support.driver_on_hub", mongo_url, f"{db_prefix}driver"],
        env=os.environ | {"EVENTLET_NO_GREENDNS": "yes"},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        line = program.stdout.readline()
        said = time.monotonic()
        _, errors = program.communicate(timeout=60)
    finally:
        program.kill()
    assert program.returncode == 0, errors
    assert errors == ""
    return json.loads(line) | {"exit_seconds": time.monotonic() - said}


def test_it_is_the_pinned_driver(seen: dict[str, Any]) -> None:
    major, minor = map(int, seen["driver"].split(".")[:2])
    assert (4, 9) <= (major, minor) < (4, 16)


def test_greenthreads_ask_side_by_side(seen: dict[str, Any]) -> None:
    assert seen["concurrent"]["found"] == [1] * 10
    assert seen["concurrent"]["seconds"] < 10 * 0.3, "ten questions took as long as one after the other"


def test_transactions_keep_each_other_apart(seen: dict[str, Any]) -> None:
    assert seen["transactions"]["value"] == 25


def test_greenthreads_killed_in_the_middle_of_a_question_leave_the_pool_whole(seen: dict[str, Any]) -> None:
    assert seen["killed"]["found"] == [1] * 12


def test_the_hub_goes_on_meanwhile(seen: dict[str, Any]) -> None:
    print(f"longest stall of the hub: {seen['stall']['milliseconds']} ms")
    assert seen["stall"]["milliseconds"] < 1_000


def test_it_closes_at_once_and_lets_the_process_end(seen: dict[str, Any]) -> None:
    assert seen["close_seconds"] < 5
    assert seen["exit_seconds"] < 5
