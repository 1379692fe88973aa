"""A worker dies while it looks at evidence: what is kept in the end is whole and named, and nothing else is left."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.kernel import faults
from tests.examples.media import jpeg, noise, voice
from tests.support.evidence import Evidence, evidence
from tests.support.programs import Program, Programs, until

POINTS = sorted(point for point in faults.POINTS if point.startswith("media."))
PHOTOS = [jpeg(seed=seed) for seed in range(3)]
LARGE = noise()
"""More than one piece of what the object store takes at a time."""
CONTENTS = (*PHOTOS, LARGE, voice())


@pytest.fixture
def somebody(platform_env: dict[str, str]) -> Iterator[Evidence]:
    with evidence(platform_env) as opened:
        yield opened


@pytest.fixture
def programs(platform_env: dict[str, str], tmp_path: Path) -> Iterator[Programs]:
    with Programs(platform_env, tmp_path) as started:
        yield started


def worker(programs: Programs, fault: str = "") -> Program:
    return programs.start("worker", "media", fault=fault, module="services.kernel.run")


def upload_all(somebody: Evidence) -> list[str]:
    """Everything once, and one photo by two people at the same time."""
    uploads = [somebody.upload(photo) for photo in (*PHOTOS, PHOTOS[0], LARGE)]
    return [*uploads, somebody.upload(CONTENTS[-1], "audio/ogg")]


def settled(somebody: Evidence, uploads: list[str]) -> bool:
    """Whether all of it is stored, and nothing of it lies among what comes in."""
    return all(somebody.status(id) == "stored" for id in uploads) and not somebody.incoming()


@pytest.mark.parametrize("nth", [1, 3])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_it_leaves_what_is_named_and_nothing_else(
    somebody: Evidence, programs: Programs, point: str, nth: int
) -> None:
    uploads = upload_all(somebody)
    assert worker(programs, f"{point}:{nth}:kill").wait(60) == -signal.SIGKILL
    worker(programs)
    until(lambda: settled(somebody, uploads), 60)
    somebody.sweep()
    somebody.check(*CONTENTS)


@pytest.mark.parametrize("point", POINTS)
def test_failing_at_any_point_it_tries_again(somebody: Evidence, programs: Programs, point: str) -> None:
    uploads = upload_all(somebody)
    worker(programs, f"{point}:1:raise")
    until(lambda: settled(somebody, uploads), 60)
    somebody.sweep()
    somebody.check(*CONTENTS)


def test_killed_at_any_moment_it_leaves_what_is_named_and_nothing_else(somebody: Evidence, programs: Programs) -> None:
    chance = random.Random(20_261_123)
    uploads = upload_all(somebody)
    for _ in range(8):
        running = worker(programs).ready()
        time.sleep(chance.uniform(0.0, 0.8))
        running.kill()
        if settled(somebody, uploads):
            uploads += upload_all(somebody)
    worker(programs)
    until(lambda: settled(somebody, uploads), 90)
    somebody.sweep()
    somebody.check(*CONTENTS)


def test_two_workers_share_the_work_and_store_one_of_each(somebody: Evidence, programs: Programs) -> None:
    uploads = [somebody.upload(photo) for photo in PHOTOS for _ in range(8)]
    for _ in range(2):
        worker(programs)
    until(lambda: settled(somebody, uploads), 60)
    somebody.check(*PHOTOS)


def test_what_was_sent_in_the_middle_of_a_crash_is_looked_at_once_it_is_whole(
    somebody: Evidence, programs: Programs
) -> None:
    first = worker(programs, "media.before_original:1:kill")
    uploads = upload_all(somebody)
    first.wait(60)
    uploads += upload_all(somebody)
    worker(programs)
    until(lambda: settled(somebody, uploads), 60)
    somebody.sweep()
    somebody.check(*CONTENTS)
