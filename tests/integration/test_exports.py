"""Exports on the real engines: the worker is killed in the middle, several work at once, and the files are the same."""

from __future__ import annotations

import hashlib
import io
import random
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from services.kernel.clock import new_id
from services.kernel.commit import Caller
from services.kernel.config import Settings
from services.kernel.exporting.folder import file_of
from services.kernel.platform import Platform, open_platform
from services.tasks.wiring import define
from tests.support.programs import Programs

TENANT, OTHER = new_id(), new_id()
MANY = 4_300
PERMISSIONS = frozenset({"exports:read", "exports:edit", "customers:read"})
OWNER = Caller(tenant=TENANT, actor=new_id(), role="owner", permissions=PERMISSIONS)
RUN = "services.kernel.run"


@pytest.fixture(scope="module")
def platform(platform_env: dict[str, str]) -> Iterator[Platform]:
    """The tasks service with many customers, most of one account and some of another, and no worker yet."""
    opened = open_platform(define(), Settings.model_validate(platform_env))
    opened.ensure_indexes()
    dice = random.Random(1)
    rows = [customer(TENANT if n % 20 else OTHER, n, dice) for n in range(MANY)]
    opened.db[opened.reads.shelf("customers").live()].insert_many(rows)
    yield opened
    opened.close()


def customer(tenant: str, n: int, dice: random.Random) -> dict[str, Any]:
    """A customer as the read model holds it, with a text that does not become small."""
    places = [{"location_id": f"{n}-{i}", "name": f"Sede {i}", "address": None, "position": None} for i in range(n % 3)]
    return {
        "_id": f"{tenant}:{n:08}",
        "tenant": tenant,
        "code": f"C-{n}",
        "name": f"Cliente {n}",
        "address": "".join(dice.choices("abcdefghijklmnñopqrstuvwxyz0123456789 ", k=2_600)),
        "locations": places,
        "fields": {},
        "created_at": "2026-11-23T13:00:00.000Z",
        "sort": f"cliente {n}",
        "terms": [],
    }


@pytest.fixture
def programs(platform_env: dict[str, str], tmp_path: Path) -> Iterator[Programs]:
    with Programs(platform_env, tmp_path) as started:
        yield started


def request(platform: Platform, **data: Any) -> str:
    id = new_id()
    platform.application.execute("request_export", {"export_id": id, "kind": "customers", **data}, OWNER, new_id())
    return id


def show(platform: Platform, id: str) -> dict[str, Any]:
    return platform.application.query("export", {"export_id": id}, OWNER)


def eventually(true: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.02)


def ready(platform: Platform, id: str) -> bool:
    # The read model is folded by the worker as well: at first it may not know the export.
    rows = platform.application.query("exports", {}, OWNER)["items"]
    return any(row["id"] == id and row["status"] == "ready" for row in rows)


def content(platform: Platform, id: str) -> bytes:
    objects = platform.application.ports["objects"]()
    answer = objects.get_object(platform.settings.s3_bucket, file_of(TENANT, id))
    try:
        data: bytes = answer.read()
    finally:
        answer.close()
        answer.release_conn()
    shown = show(platform, id)
    assert (len(data), hashlib.sha256(data).hexdigest()) == (shown["size"], shown["sha256"])
    return data


def members(data: bytes) -> list[tuple[str, int, int, int]]:
    """What is in the package, byte by byte: only the moment of its beginning is left out."""
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert read.testzip() is None
        return [(info.filename, info.CRC, info.file_size, info.compress_size) for info in read.infolist()]


def stored(platform: Platform, id: str) -> list[str]:
    objects = platform.application.ports["objects"]()
    found = objects.list_objects(platform.settings.s3_bucket, f"{TENANT}/exports/{id}/", recursive=True)
    return [item.object_name for item in found]


def test_killed_again_and_again_it_goes_on_where_it_was(platform: Platform, programs: Programs) -> None:
    id = request(platform)
    for fault in (
        "store.before_insert:1:kill",  # before it is settled what is written
        "store.before_insert:3:kill",  # a part lies in the store and no fact tells of it
        "store.after_insert_before_ack:2:kill",  # the fact is there and nobody has heard
        "process.after_append_before_ack:1:kill",  # heard, but not noted as done
    ):
        worker = programs.start("worker", "tasks", module=RUN, fault=fault)
        assert worker.wait(60) == -9, fault
        assert not ready(platform, id)
    programs.start("worker", "tasks", module=RUN).ready()
    eventually(lambda: ready(platform, id))
    plain = request(platform)
    eventually(lambda: ready(platform, plain))

    whole, interrupted = content(platform, plain), content(platform, id)
    assert len(whole) > 5 * 1024 * 1024, "large enough to be stored in several parts"
    assert members(interrupted) == members(whole)
    shown = show(platform, id)
    mine = [n for n in range(MANY) if n % 20]
    assert [table["rows"] for table in shown["tables"]] == [len(mine), sum(n % 3 for n in mine), 0]
    sheet = openpyxl.load_workbook(io.BytesIO(interrupted), read_only=True)["Clientes"]
    codes = [row[0] for row in sheet.iter_rows(min_row=2, max_col=1, values_only=True)]
    assert codes == [f"C-{n}" for n in mine]
    eventually(lambda: stored(platform, id) == [file_of(TENANT, id)])


def test_several_workers_write_several_exports_at_once(platform: Platform, programs: Programs) -> None:
    workers = [programs.start("worker", "tasks", module=RUN) for _ in range(2)]
    for worker in workers:
        worker.ready()
    ids = [request(platform, format=format) for format in ("csv", "csv", "xlsx")]
    eventually(lambda: all(ready(platform, id) for id in ids), 90)
    first, second, _ = (members(content(platform, id)) for id in ids)
    assert first == second
    assert {tuple(table["rows"] for table in show(platform, id)["tables"]) for id in ids} == {
        (sum(1 for n in range(MANY) if n % 20), sum(n % 3 for n in range(MANY) if n % 20), 0)
    }
    for id in ids:
        eventually(lambda id=id: stored(platform, id) == [file_of(TENANT, id)])
    platform.application.execute("delete_export", {"export_id": ids[0]}, OWNER, new_id())
    eventually(lambda: stored(platform, ids[0]) == [])
