"""Forms on the real engines: the same submission from everywhere at once, media in any order, answers rebuilt."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from services.forms.wiring import define
from services.identity.domain.permissions import ROLE_PERMISSIONS
from services.kernel.clock import new_id
from services.kernel.commit import Caller
from services.kernel.config import Settings
from services.kernel.domain import Rejected
from services.kernel.platform import Platform, open_platform
from services.kernel.projection import Projector
from services.kernel.worker import Worker
from tests.examples.forms import ANSWERS, DEVICE, INSPECTION, sha
from tests.support.threads import each_at_once

TENANT, FORM = new_id(), new_id()
ADMIN = Caller(tenant=TENANT, actor=new_id(), role="admin", permissions=ROLE_PERMISSIONS["admin"])
TECHNICIAN = Caller(tenant=TENANT, actor=new_id(), role="technician", permissions=ROLE_PERMISSIONS["technician"])
SYSTEM = Caller(tenant=TENANT, actor="system:media", role="system")
RECEIVED = "2026-11-23T13:00:00+00:00"
MEDIA = tuple(sha(letter) for letter in "abcd")


@pytest.fixture(scope="module")
def platform(platform_env: dict[str, str]) -> Iterator[Platform]:
    """The service with its worker and one published form."""
    opened = open_platform(define(), Settings.model_validate(platform_env))
    opened.ensure_indexes()
    worker = Worker(opened)
    worker.start()
    do(opened, "create_form", ADMIN, form_id=FORM, name="Inspección")
    do(opened, "save_form_draft", ADMIN, form_id=FORM, content=INSPECTION.to_json())
    do(opened, "publish_form", ADMIN, form_id=FORM)
    yield opened
    worker.stop()
    opened.close()


def do(platform: Platform, command: str, caller: Caller, id: str | None = None, **data: Any) -> dict[str, Any]:
    return platform.application.execute(command, data, caller, id or new_id())


def ask(platform: Platform, query: str, at_least: int | None = None, **params: Any) -> dict[str, Any]:
    return platform.application.query(query, params, ADMIN, at_least)


def queued(id: str, submission_id: str, **answers: Any) -> dict[str, Any]:
    return {
        "id": id,
        "type": "submission.submit",
        "aggregate": {"kind": "submission", "id": submission_id},
        "form": {"id": FORM, "version": 1, "hash": INSPECTION.hash},
        "occurred_at": "2026-11-23T07:40:00-05:00",
        "body": {"answers": {**copy.deepcopy(ANSWERS), **answers}},
    }


def push(platform: Platform, *commands: dict[str, Any]) -> list[dict[str, Any]]:
    batch = {"device_id": DEVICE, "received_at": RECEIVED, "commands": list(commands)}
    results: list[dict[str, Any]] = do(platform, "accept_submissions", TECHNICIAN, **batch)["results"]
    return results


def received(platform: Platform, submission_id: str) -> int:
    stream = f"submission-{TENANT}-{submission_id}"
    types = [event.type for commit in platform.store.load(stream) for event in commit.events]
    return types.count("SubmissionReceived")


def within(seconds: float, true: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.02)


def complete(platform: Platform, submission_id: str) -> bool:
    try:
        return bool(ask(platform, "submission_status", submission_id=submission_id)["safe"])
    except Rejected:
        return False  # the list does not show it yet


def test_fifty_identical_pushes_are_one_submission(platform: Platform) -> None:
    submission_id = new_id()
    same = queued(new_id(), submission_id)
    results = each_at_once([partial(push, platform, same)] * 50)
    assert all(result == results[0] for result in results)
    assert (results[0][0]["status"], results[0][0]["code"]) == ("applied", None)
    assert received(platform, submission_id) == 1


def test_one_submission_under_many_command_ids_is_one(platform: Platform) -> None:
    submission_id = new_id()
    results = each_at_once([partial(push, platform, queued(new_id(), submission_id)) for _ in range(24)])
    assert received(platform, submission_id) == 1
    assert {result[0]["status"] for result in results} == {"applied", "noop"}


def test_of_two_contents_under_one_id_one_is_taken(platform: Platform) -> None:
    submission_id = new_id()
    work = [partial(push, platform, queued(new_id(), submission_id, contact=f"Ana {n}")) for n in range(16)]
    outcomes = [(result[0]["status"], result[0]["code"]) for result in each_at_once(work)]
    assert received(platform, submission_id) == 1
    assert sorted(set(outcomes)) == [("applied", None), ("rejected", "submission_exists")]
    assert outcomes.count(("applied", None)) == 1


def test_media_and_answers_find_each_other_whichever_comes_first(platform: Platform) -> None:
    before, after = MEDIA[:2], MEDIA[2:]
    for media_id in before:
        do(platform, "media_stored", SYSTEM, media_id=media_id, bytes=1, type="image/jpeg")
    ids = [new_id() for _ in range(8)]
    (*results,) = push(platform, *(queued(new_id(), id) for id in ids))
    assert all(result["missing_media"] == list(after) for result in results)
    each_at_once(
        [partial(do, platform, "media_stored", SYSTEM, media_id=id, bytes=1, type="image/png") for id in after]
        + [partial(push, platform, queued(new_id(), id)) for id in ids]
    )
    within(90, lambda: all(complete(platform, id) for id in ids))


def test_a_reader_sees_what_was_just_handed_in(platform: Platform) -> None:
    submission_id = new_id()
    (result,) = push(platform, queued(new_id(), submission_id))
    shown = ask(platform, "submission", result["position"], submission_id=submission_id)
    assert shown["answers"]["total"] == 16.5
    listed = ask(platform, "submissions", result["position"], form_id=FORM)["items"]
    assert submission_id in [card["id"] for card in listed]


def test_the_answers_lie_sealed_and_are_rebuilt_the_same(platform: Platform) -> None:
    submission_id = new_id()
    (result,) = push(platform, queued(new_id(), submission_id))
    (commit,) = platform.store.load(f"submission-{TENANT}-{submission_id}")
    assert "Marta" not in str(commit.to_document())
    live = ask(platform, "submission", result["position"], submission_id=submission_id)
    for model in platform.definition.read_models[:3]:
        Projector(platform.db, model, platform.store, platform.registry, platform.keyring).rebuild()
    within(10, lambda: ask(platform, "submission", submission_id=submission_id) == live)
