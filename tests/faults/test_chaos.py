"""Random crashes under load: briefly and by one seed always, for minutes and by many seeds with `make chaos`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.local import LocalStack
from tests.faults.chaos import Chaos, expect_all

SHORT = 20_261_123
LONG = [int(seed) for seed in os.environ.get("CHECKOP_CHAOS_SEEDS", "1,2,3").split(",")]


def run(chaos: Chaos) -> None:
    expect_all(chaos, chaos.run())


@pytest.mark.timeout(400)
def test_half_a_minute_of_chaos(engines: LocalStack, corner: dict[str, str], tmp_path: Path) -> None:
    run(Chaos(engines, corner, tmp_path, seed=SHORT))


@pytest.mark.chaos
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", LONG)
def test_minutes_of_chaos(engines: LocalStack, corner: dict[str, str], tmp_path: Path, seed: int) -> None:
    run(Chaos(engines, corner, tmp_path, seed=seed, commits=120, seconds=150.0, calm_within=180.0))
