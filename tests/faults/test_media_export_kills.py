"""A worker dies with a package written and nobody told: it is written again, and what nobody names goes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.kernel.clock import new_id
from services.kernel.commit import Caller
from services.media.domain.media_export import MediaExport, media_export
from tests.support.evidence import Evidence, evidence
from tests.support.programs import Programs, until

POINT = "media_export.after_package_before_event"
RIGHTS = frozenset({"submissions:read", "exports:read", "exports:edit"})


@pytest.fixture
def somebody(platform_env: dict[str, str]) -> Iterator[Evidence]:
    with evidence(platform_env) as opened:
        opened.caller = Caller(tenant=opened.caller.tenant, actor=new_id(), role="admin", permissions=RIGHTS)
        yield opened


@pytest.fixture
def programs(platform_env: dict[str, str], tmp_path: Path) -> Iterator[Programs]:
    with Programs(platform_env, tmp_path) as started:
        yield started


def test_killed_before_it_is_told_it_is_written_again(somebody: Evidence, programs: Programs) -> None:
    export_id = new_id()
    somebody.do("request_export", export_id=export_id, kind="media")

    def known() -> MediaExport:
        state: MediaExport = somebody.platform.application.journal.load(
            media_export, somebody.caller.tenant, export_id
        ).state
        return state

    first = programs.start("worker", "media", fault=f"{POINT}:1:kill", module="services.kernel.run")
    assert first.wait(60) == -signal.SIGKILL
    assert known().under_way
    assert len(somebody.kept()) == 1
    programs.start("worker", "media", module="services.kernel.run")
    until(lambda: known().status == "ready", 60)
    assert len(somebody.kept()) == 2
    somebody.sweep()
    assert somebody.kept() == list(known().objects)
