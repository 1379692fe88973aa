"""Fault points, the pace of followers, clocks, ids and the settings: small parts that others lean on."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from services.kernel import faults
from services.kernel.clock import SettableClock, SystemClock, new_id
from services.kernel.config import Settings
from services.kernel.store import connect
from services.kernel.tail import QUICKEST, QUIET, QUIET_AFTER, SLOWEST, Pace, breather

REPOSITORY = Path(__file__).resolve().parents[3]


def test_an_armed_point_acts_whenever_it_is_reached_and_others_do_not() -> None:
    reached: list[str] = []
    faults.arm("store.before_insert", lambda: reached.append("here"))
    faults.reached("store.before_insert")
    faults.reached("relay.before_publish")
    faults.reached("store.before_insert")
    faults.disarm()
    faults.reached("store.before_insert")
    assert reached == ["here", "here"]


def test_only_points_that_exist_can_be_armed() -> None:
    with pytest.raises(KeyError):
        faults.arm("store.before_lunch", lambda: None)
    faults.arm_from("")
    for wrong in ("store.before_insert", "store.before_insert:x:raise", "store.before_lunch:1:raise"):
        with pytest.raises((KeyError, ValueError)):
            faults.arm_from(wrong)


def test_a_point_fails_at_the_nth_time_and_only_then() -> None:
    faults.arm_from("store.before_insert:3:raise")
    outcomes = []
    for _ in range(5):
        try:
            faults.reached("store.before_insert")
            outcomes.append("passed")
        except faults.InjectedFault:
            outcomes.append("failed")
    assert outcomes == ["passed", "passed", "failed", "passed", "passed"]


def test_a_point_kills_its_process_at_once() -> None:
    program = (
        "from services.kernel import faults\n"
        "faults.arm_from('relay.before_publish:2:kill')\n"
        "faults.reached('relay.before_publish'); print('once', flush=True)\n"
        "faults.reached('relay.before_publish'); print('twice', flush=True)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=20)
    assert (ended.returncode, ended.stdout) == (-9, "once\n")


def test_every_point_is_reached_exactly_as_it_is_named() -> None:
    services = Path(faults.__file__).parents[1]
    code = "".join(path.read_text() for path in services.rglob("*.py") if path != Path(faults.__file__))
    assert set(re.findall(r'faults\.reached\("([^"]+)"\)', code)) == set(faults.POINTS)


def test_one_looks_again_soon_after_finding_and_ever_later_in_quiet_times(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("services.kernel.tail.time", SimpleNamespace(monotonic=lambda: now))
    pace = Pace()
    assert [pace.pause(True), pace.pause(True)] == [QUICKEST, QUICKEST]
    soon = [pace.pause(False) for _ in range(9)]
    assert soon == sorted(soon)
    assert soon[-1] == SLOWEST
    now += QUIET_AFTER + 1
    assert [pace.pause(False) for _ in range(9)][-1] == QUIET
    assert pace.pause(True) == QUICKEST


def test_a_follower_rests_the_longer_the_longer_it_worked_but_not_for_ever() -> None:
    assert breather(0.0) == breather(0.003) == 0.0
    assert 0.03 < breather(0.03) < breather(0.04) <= breather(10.0) <= 0.25


def test_clocks_tell_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta()
    clock = SettableClock(datetime(2026, 1, 31, tzinfo=UTC))
    clock.advance(timedelta(days=1))
    clock.advance(-timedelta(hours=1))
    assert clock.now() == clock.now() == datetime(2026, 1, 31, 23, tzinfo=UTC)


def test_new_ids_are_uuid7_in_order_of_making() -> None:
    made = [new_id() for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert {uuid.UUID(id).version for id in made} == {7}
    assert all(id == str(uuid.UUID(id)) for id in made)
    assert made[0][:8] <= made[-1][:8]


def test_missing_settings_are_named_and_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MONGO_URL", "AMQP_URL", "CHECKOP_KEYRING_DIR", "CHECKOP_KEYRING_KEK", "CHECKOP_TOKEN_SEED"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValidationError) as wrong:
        Settings()
    assert "MONGO_URL" in str(wrong.value)
    assert "CHECKOP_TOKEN_SEED" in str(wrong.value)
    for name in ("MONGO_URL", "AMQP_URL", "CHECKOP_KEYRING_DIR", "CHECKOP_KEYRING_KEK", "CHECKOP_TOKEN_SEED"):
        monkeypatch.setenv(name, f"hunter2-{name}")
    assert "hunter2-MONGO" not in repr(Settings())
    assert "hunter2-CHECKOP_TOKEN" not in repr(Settings())


@pytest.mark.parametrize("weak", ["", "?w=1&journal=true", "?w=majority", "?w=majority&journal=false"])
def test_an_address_that_would_lose_acknowledged_commits_is_refused(weak: str) -> None:
    with pytest.raises(ValueError, match="w=majority"):
        connect(f"mongodb://127.0.0.1:1/{weak}")
