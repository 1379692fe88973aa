"""Media on real engines: many hands at once, an object store that fails, a sweep that is needed, and the inventory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.kernel import objects
from services.kernel.worker import Worker
from services.media.inspecting.helper import HELPERS
from services.media.inventory import Findings, compare, say
from tests.examples.media import jpeg, noise, sha_of, video
from tests.support.evidence import Evidence, evidence
from tests.support.programs import until
from tests.support.threads import each_at_once

PHOTO = jpeg()
LATER = timedelta(hours=7)


@pytest.fixture
def somebody(platform_env: dict[str, str]) -> Iterator[Evidence]:
    with evidence(platform_env) as opened:
        worker = Worker(opened.platform)
        worker.start()
        yield opened
        worker.stop()
        HELPERS.end()


def stored(somebody: Evidence, *uploads: str) -> bool:
    return all(somebody.status(id) == "stored" for id in uploads) and not somebody.incoming()


def test_fifty_people_with_the_same_photo_leave_one(somebody: Evidence) -> None:
    uploads = each_at_once([lambda: somebody.upload(PHOTO) for _ in range(50)])
    until(lambda: stored(somebody, *uploads), 60)
    somebody.check(PHOTO)
    until(lambda: somebody.ask("media")["items"], 5)
    assert [one["id"] for one in somebody.ask("media")["items"]] == [sha_of(PHOTO)]


def test_large_things_are_kept_whole_and_opened_from_the_middle(somebody: Evidence) -> None:
    large = noise(4_000, 3_000, quality=97)
    assert len(large) > 10 * 1024 * 1024
    film = video(seconds=3)
    uploads = [somebody.upload(large, pieces=9), somebody.upload(film, "video/mp4", pieces=3)]
    until(lambda: stored(somebody, *uploads), 60)
    somebody.check(large, film)
    assert somebody.ask("medium", media_id=sha_of(film))["kind"] == "video"


def test_two_accounts_with_the_same_photo_have_one_each(somebody: Evidence, platform_env: dict[str, str]) -> None:
    with evidence(platform_env) as neighbour:
        uploads = somebody.upload(PHOTO), neighbour.upload(PHOTO)
        until(lambda: stored(somebody, uploads[0]) and stored(neighbour, uploads[1]), 60)
        somebody.check(PHOTO)
        neighbour.check(PHOTO)


def test_the_inventory_finds_what_is_lost_cut_short_and_left_over(somebody: Evidence) -> None:
    uploads = [somebody.upload(photo) for photo in (PHOTO, jpeg(seed=1))]
    until(lambda: stored(somebody, *uploads), 60)
    platform, store, settings = somebody.platform, somebody.store, somebody.settings
    clean = compare(platform, store, datetime.now(UTC) + LATER)
    assert (clean.clean, clean.named) == (True, len(clean_objects(somebody)))
    lost, cut, *_ = somebody.kept()
    store.remove_object(settings.s3_media_bucket, lost)
    # A file cut short keeps its notes; one that bears no owner's name would be swept away as nobody's.
    owner = objects.note(store, settings.s3_media_bucket, cut, "owner")
    store.put_object(settings.s3_media_bucket, cut, io.BytesIO(b"x"), 1, metadata={"owner": owner})
    over = f"t/{somebody.caller.tenant}/left-over"
    store.put_object(settings.s3_media_bucket, over, io.BytesIO(b"x"), 1)
    somebody.put("gone/000000000000000-a", b"x")
    young = compare(platform, store, datetime.now(UTC))
    assert (young.missing, young.half, young.unnamed, young.left, young.young) == ([lost], [cut], [], [], 2)
    found = compare(platform, store, datetime.now(UTC) + LATER)
    assert (found.unnamed, found.left) == ([over], [f"{somebody.caller.tenant}/gone/000000000000000-a"])
    assert not found.clean
    somebody.sweep()
    after = compare(platform, store, datetime.now(UTC) + LATER)
    assert (after.missing, after.half, after.unnamed, after.left) == ([lost], [cut], [], [])


def clean_objects(somebody: Evidence) -> list[str]:
    """Whatever lies in the bucket, of all accounts."""
    found = somebody.store.list_objects(somebody.settings.s3_media_bucket, recursive=True)
    return [str(one.object_name) for one in found]


def test_pieces_of_an_object_that_nobody_finished_are_given_up(somebody: Evidence) -> None:
    store, bucket = somebody.store, somebody.settings.s3_media_bucket
    key = f"t/{somebody.caller.tenant}/half"
    begun = store._create_multipart_upload(bucket, key, {})
    store._upload_part(bucket, key, b"x" * 1_000, None, begun, 1)
    assert somebody.sweep()["unfinished"] == 1
    assert not store._list_multipart_uploads(bucket).uploads


def test_the_inventory_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    say(Findings(named=3, missing=["t/a/1"], young=2))
    assert capsys.readouterr().out.splitlines()[:3] == [
        "3 objects are named by the log",
        "1 named, and not there",
        "  t/a/1",
    ]
