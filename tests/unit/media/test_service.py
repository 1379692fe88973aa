"""The media service as its callers meet it: evidence comes in, is looked at, kept, seen by who may, and let go."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from services.kernel.commit import Caller, StoreUnavailable
from services.kernel.domain import Rejected
from services.media import keeping
from services.media.inspecting.helper import HELPERS
from tests.examples import media
from tests.examples.media import sha_of
from tests.unit.media.evidence_room import ADMIN, ANA, LUIS, MARTA, PHOTO, TENANT, Room

ID = sha_of(PHOTO)


@pytest.fixture
def room() -> Room:
    return Room()


def refused(room: Room, what: str, by: str = ANA, **params: Any) -> str:
    with pytest.raises(Rejected) as why:
        (room.ask if what in ("upload", "medium", "media", "media_file") else room.do)(what, by=by, **params)
    return why.value.code


class TestComingIn:
    def test_a_photo_is_kept_sealed_with_smaller_ones_beside_it(self, room: Room) -> None:
        upload_id = room.upload(name="fachada.jpg")
        assert room.ask("upload", upload_id=upload_id)["status"] == "stored"
        assert (len(room.kept), room.kept) == (3, room.named)
        bucket = room.store.buckets[room.app.settings.s3_media_bucket]
        assert all(PHOTO[:64] not in kept.data and key.startswith(f"t/{TENANT}/") for key, kept in bucket.items())
        assert room.file() == PHOTO
        assert room.ask("media_file", media_id=ID, rendition="screen")["file_name"] == "fachada-screen.jpg"

    def test_what_came_in_is_gone_when_it_is_settled(self, room: Room) -> None:
        room.upload()
        room.upload(b"no image", "image/jpeg")
        assert room.store.keys(room.incoming) == []

    def test_what_the_camera_wrote_stays_inside(self, room: Room) -> None:
        room.upload()
        taken = room.ask("medium", media_id=ID)["taken"]
        assert (taken["camera"], taken["at"]) == ("Samsung SM-A546E", "2026-11-20T08:15:00-05:00")
        assert (round(taken["lat"], 4), round(taken["lon"], 4)) == (4.5982, -74.0759)
        assert Image.open(io.BytesIO(room.file())).getexif()
        screen = Image.open(io.BytesIO(room.file(rendition="screen")))
        assert (dict(screen.getexif()), screen.info.get("comment")) == ({}, None)
        assert b"Samsung" not in room.file(rendition="thumbnail")

    def test_nothing_that_tells_of_people_is_said_in_the_open(self, room: Room) -> None:
        room.upload(name="Carrera 7 # 12.jpg")
        for fact in room.app.facts():
            assert "Carrera" not in str(fact.data)
            assert "Samsung" not in str(fact.data)
            assert not {"keys", "taken", "name"} & fact.data.keys()

    def test_segments_come_in_any_order_and_overlap(self, room: Room) -> None:
        upload_id = room.begin()
        middle = len(PHOTO) // 2
        room.send(upload_id, PHOTO[middle:], offset=middle)
        room.send(upload_id, PHOTO[: middle + 100])
        room.do("finish_upload", upload_id=upload_id)
        room.app.advance(timedelta())
        assert room.file() == PHOTO

    @pytest.mark.parametrize(
        ("sent", "code"),
        [
            (PHOTO[:-1], "length-mismatch"),
            (PHOTO + b"x", "length-mismatch"),
            (PHOTO[:-1] + b"x", "hash-mismatch"),
            (b"", "length-mismatch"),
        ],
    )
    def test_other_bytes_than_announced_are_refused(self, room: Room, sent: bytes, code: str) -> None:
        upload_id = room.begin()
        room.send(upload_id, sent)
        room.do("finish_upload", upload_id=upload_id)
        room.app.advance(timedelta())
        assert room.ask("upload", upload_id=upload_id)["code"] == code
        assert refused(room, "medium", by=ADMIN, media_id=ID) == "medium-unknown", "it says nothing of the content"
        assert room.kept == []
        room.upload()
        assert room.ask("medium", media_id=ID)["status"] == "stored"

    def test_content_that_is_not_accepted_is_called_so(self, room: Room) -> None:
        fake = b"no photo at all"
        room.upload(fake, "image/jpeg")
        shown = room.ask("medium", by=ADMIN, media_id=sha_of(fake))
        assert (shown["status"], shown["code"]) == ("rejected", "type-mismatch")

    def test_the_same_content_is_kept_once_whoever_brings_it(self, room: Room) -> None:
        room.upload()
        first = room.kept
        assert room.do("begin_upload", by=LUIS, upload_id="0196b000-0000-7000-8000-000000000077", media_id=ID,
                       bytes=len(PHOTO), type="image/jpeg", via="form")["stored"]  # fmt: skip
        upload_id = room.upload(by=LUIS)
        assert room.ask("upload", by=LUIS, upload_id=upload_id)["status"] == "stored"
        assert room.kept == first

    def test_while_the_object_store_is_away_nothing_is_decided(self, room: Room) -> None:
        upload_id = room.begin()
        room.send(upload_id, PHOTO)
        room.do("finish_upload", upload_id=upload_id)
        room.store.away = True
        with pytest.raises(OSError, match="nobody is there"):
            room.as_system("verify_upload", upload_id=upload_id)
        room.store.away = False
        assert room.ask("upload", upload_id=upload_id)["status"] == "finished"
        room.app.advance(timedelta())
        assert room.ask("upload", upload_id=upload_id)["status"] == "stored"

    def test_an_attempt_that_takes_too_long_names_nothing(self, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
        upload_id = room.begin()
        room.send(upload_id, PHOTO)
        room.do("finish_upload", upload_id=upload_id)
        monkeypatch.setattr("services.media.verifying.LASTS", timedelta(seconds=-1))
        with pytest.raises(OSError):  # noqa: PT011 - it has no words
            room.as_system("verify_upload", upload_id=upload_id)
        assert (room.kept, room.ask("upload", upload_id=upload_id)["status"]) == ([], "finished")

    def test_what_may_have_been_named_is_not_removed(self, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
        upload_id = room.begin()
        room.send(upload_id, PHOTO)
        room.do("finish_upload", upload_id=upload_id)
        append = room.app.store.append

        def lands_and_is_not_heard_of(commit: Any) -> Any:
            append(commit)
            raise StoreUnavailable("no answer")

        monkeypatch.setattr(room.app.store, "append", lands_and_is_not_heard_of)
        with pytest.raises(StoreUnavailable):
            room.as_system("verify_upload", upload_id=upload_id)
        monkeypatch.undo()
        room.app.advance(timedelta())
        assert room.ask("upload", upload_id=upload_id)["status"] == "stored"
        assert (room.file(), room.kept) == (PHOTO, room.named)

    def test_of_two_who_look_at_the_same_only_one_keeps_it(self, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
        upload_id = room.begin()
        room.send(upload_id, PHOTO)
        room.do("finish_upload", upload_id=upload_id)
        keep, others = keeping.keep, iter([upload_id])

        def while_another_is_faster(*args: Any, **named: Any) -> Any:
            for other in others:
                room.as_system("verify_upload", upload_id=other)
            return keep(*args, **named)

        monkeypatch.setattr(keeping, "keep", while_another_is_faster)
        room.as_system("verify_upload", upload_id=upload_id)
        assert (room.file(), len(room.kept), room.kept) == (PHOTO, 3, room.named)

    def test_of_an_account_that_is_erased_nothing_is_kept_any_more(self, room: Room) -> None:
        upload_id = room.begin()
        room.send(upload_id, PHOTO)
        room.do("finish_upload", upload_id=upload_id)
        room.app.keyring.destroy_tenant(TENANT)
        room.app.advance(timedelta())
        assert (room.kept, room.store.keys(room.incoming)) == ([], [])

    def test_an_upload_is_its_own_and_nobody_elses(self, room: Room) -> None:
        upload_id = room.begin()
        for what in ("upload", "finish_upload", "abort_upload"):
            assert refused(room, what, by=LUIS, upload_id=upload_id) == "upload-unknown"
            assert refused(room, what, by=ADMIN, upload_id=upload_id) == "upload-unknown"
        with pytest.raises(Rejected, match="upload-unknown"):
            room.app.query("upload", {"upload_id": upload_id}, room.caller(ANA, tenant="another"))

    def test_who_only_looks_brings_nothing(self, room: Room) -> None:
        viewer = Caller(tenant=TENANT, actor="v", role="viewer", permissions=frozenset({"submissions:read"}))
        fields = {"upload_id": ID, "media_id": ID, "bytes": 1, "type": "image/jpeg", "via": "tus"}
        with pytest.raises(Rejected, match="forbidden"):
            room.app.execute("begin_upload", fields, viewer)

    def test_a_phone_whose_right_has_ended_brings_what_was_done_before(self, room: Room) -> None:
        nobody = Caller(tenant=TENANT, actor=ANA, role="technician")
        fields = {"media_id": ID, "bytes": len(PHOTO), "type": "image/jpeg", "via": "tus"}
        id = "0196b000-0000-7000-8000-000000000066"
        room.app.execute("begin_upload_from_device", {"upload_id": id, **fields}, nobody)
        room.send(id, PHOTO)
        room.app.execute("finish_upload", {"upload_id": id}, nobody)
        room.app.advance(timedelta())
        assert room.app.query("upload", {"upload_id": id}, nobody)["status"] == "stored"

    def test_nobody_has_uploads_without_end(self, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("services.media.receiving.MOST_OPEN", 2)
        first = room.begin()
        room.begin()
        with pytest.raises(Rejected, match="too-many-uploads"):
            room.begin()
        room.begin(by=LUIS)
        room.do("abort_upload", upload_id=first)
        room.begin()

    @pytest.mark.parametrize(
        "command",
        ["verify_upload", "clear_upload", "expire_upload", "withdraw_unused", "forget_unused", "sweep_media"],
    )
    def test_what_the_service_does_by_itself_nobody_asks_for(self, room: Room, command: str) -> None:
        assert refused(room, command, by=ADMIN, upload_id="x", media_id=ID) == "forbidden"


class TestSeeing:
    def test_who_brought_it_sees_it_and_his_colleague_does_not(self, room: Room) -> None:
        room.upload()
        assert room.ask("medium", media_id=ID)["uploaded_by"] == ANA
        for what in ("medium", "media_file"):
            assert refused(room, what, by=LUIS, media_id=ID) == "medium-unknown"
        assert room.ask("medium", by=ADMIN, media_id=ID)["kind"] == "image"

    def test_who_handed_it_in_sees_what_somebody_else_brought(self, room: Room) -> None:
        room.upload()
        room.answer(ID, user_id=LUIS, submission_id="s1", task_id="t1")
        (use,) = room.ask("medium", by=LUIS, media_id=ID)["uses"]
        assert (use["submission_id"], use["task_id"], use["user_id"]) == ("s1", "t1", LUIS)
        assert use["fields"] == [{"path": "photos/0", "kind": "photo"}]

    def test_a_supervisor_sees_the_evidence_of_his_teams_and_of_those_below(self, room: Room) -> None:
        room.upload()
        assert refused(room, "medium", by=MARTA, media_id=ID) == "medium-unknown"
        room.tell("TeamCreated", team_id="north")
        room.tell("TeamLeadersSet", team_id="north", leaders=[MARTA])
        room.tell("TeamCreated", team_id="north-1", parent="north")
        room.tell("TeamMemberAdded", team_id="north-1", user_id=ANA)
        assert room.ask("medium", by=MARTA, media_id=ID)["status"] == "stored"
        assert [one["id"] for one in room.ask("media", by=MARTA)["items"]] == [ID]
        room.tell("TeamMoved", team_id="north-1", parent=None)
        assert refused(room, "medium", by=MARTA, media_id=ID) == "medium-unknown"
        room.tell("TeamMoved", team_id="north-1", parent="north")
        room.tell("TeamMemberRemoved", team_id="north-1", user_id=ANA)
        assert room.ask("media", by=MARTA)["items"] == []
        room.tell("TeamDeleted", team_id="north-1")
        assert refused(room, "medium", by=MARTA, media_id=ID) == "medium-unknown"

    def test_teams_in_a_circle_do_not_go_on_for_ever(self, room: Room) -> None:
        for team, parent in (("a", "b"), ("b", "a")):
            room.tell("TeamCreated", team_id=team, parent=parent)
        room.tell("TeamLeadersSet", team_id="a", leaders=[MARTA])
        assert room.ask("media", by=MARTA)["items"] == []

    def test_another_account_sees_nothing(self, room: Room) -> None:
        room.upload()
        other = room.caller(ADMIN, tenant="0196b000-0000-7000-8000-000000000902")
        assert room.app.query("media", {}, other)["items"] == []
        for what in ("medium", "media_file"):
            with pytest.raises(Rejected, match="medium-unknown"):
                room.app.query(what, {"media_id": ID}, other)

    def test_lists_are_narrowed_by_task_submission_person_and_kind(self, room: Room) -> None:
        ink = media.signature()
        room.upload()
        room.app.clock.advance(timedelta(minutes=1))
        room.upload(ink, "image/png", by=LUIS)
        room.upload(media.pdf(), "application/pdf", by=LUIS)
        task, other = "0196b000-0000-7000-8000-000000000031", "0196b000-0000-7000-8000-000000000032"
        room.answer(ID, sha_of(ink), submission_id=task, task_id=other)

        def listed(**filters: Any) -> set[str]:
            return {one["id"] for one in room.ask("media", by=ADMIN, **filters)["items"]}

        assert len(listed()) == 3
        assert listed(task_id=other) == listed(submission_id=task) == {ID, sha_of(ink)}
        assert listed(task_id=other, user_id=LUIS) == {sha_of(ink)}
        assert listed(task_id=task) == listed(submission_id=other) == set()
        assert listed(submission_id=task, task_id=task) == set()
        assert listed(kind="document") == {sha_of(media.pdf())}
        page = room.ask("media", by=ADMIN, limit=2)
        rest = room.ask("media", by=ADMIN, limit=2, cursor=page["next"])
        assert (len(page["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)

    def test_only_what_is_stored_has_files(self, room: Room) -> None:
        assert refused(room, "media_file", media_id=ID) == "medium-unknown"
        room.upload()
        assert refused(room, "media_file", media_id=ID, rendition="poster") == "rendition-unknown"

    def test_without_its_key_nothing_is_left_of_it(self, room: Room) -> None:
        room.upload(name="a.jpg")
        room.app.keyring.destroy_tenant(TENANT)
        assert refused(room, "media_file", media_id=ID) == "erased"
        shown = room.ask("medium", media_id=ID)
        assert (shown["taken"], shown["name"]) == (None, None)


class TestLettingGo:
    def test_what_does_not_come_in_time_is_not_waited_for(self, room: Room) -> None:
        upload_id = room.begin()
        room.send(upload_id, PHOTO[:100])
        room.app.advance(timedelta(hours=72))
        assert room.ask("upload", upload_id=upload_id)["status"] == "expired"
        assert room.store.keys(room.incoming) == []
        assert refused(room, "finish_upload", upload_id=upload_id) == "upload-expired"

    def test_what_came_in_time_and_was_never_said_to_be_finished_is_looked_at(self, room: Room) -> None:
        upload_id = room.begin()
        room.send(upload_id, PHOTO)
        room.app.advance(timedelta(hours=72))
        assert room.ask("upload", upload_id=upload_id)["status"] == "stored"

    def test_what_is_given_up_leaves_nothing(self, room: Room) -> None:
        upload_id = room.begin()
        room.send(upload_id, PHOTO[:100])
        room.do("abort_upload", upload_id=upload_id)
        room.app.advance(timedelta())
        assert room.store.keys(room.incoming) == []

    def test_what_nobody_uses_goes_after_four_days(self, room: Room) -> None:
        room.upload()
        room.app.advance(timedelta(hours=71))
        assert room.ask("medium", media_id=ID)["status"] == "stored"
        room.app.advance(timedelta(hours=1))
        assert room.ask("medium", media_id=ID)["status"] == "withdrawn"
        assert refused(room, "media_file", media_id=ID) == "medium-unknown"
        assert len(room.kept) == 3
        room.app.advance(timedelta(hours=24))
        assert refused(room, "medium", media_id=ID) == "medium-unknown"
        assert (room.kept, room.named) == ([], [])

    def test_what_answers_name_stays(self, room: Room) -> None:
        room.answer(ID)
        room.upload()
        room.app.advance(timedelta(days=400))
        assert room.ask("medium", media_id=ID)["status"] == "stored"

    def test_what_an_amendment_no_longer_names_stays_with_the_original(self, room: Room) -> None:
        room.upload()
        room.answer(ID, submission_id="s1")
        room.answer("sha256:" + "b" * 64, submission_id="s1")
        room.app.advance(timedelta(days=5))
        assert room.ask("medium", media_id=ID)["status"] == "stored"

    @pytest.mark.parametrize("told", [True, False])
    def test_what_is_named_after_all_comes_back_with_the_same_objects(self, room: Room, told: bool) -> None:
        room.upload()
        before = room.kept
        room.app.advance(timedelta(hours=73))
        room.answer(ID, told=told)
        room.app.advance(timedelta(days=2))
        assert room.ask("medium", media_id=ID)["status"] == "stored"
        assert (room.kept, room.file()) == (before, PHOTO)
        room.app.advance(timedelta(days=30))
        assert room.kept == before

    def test_what_comes_again_while_it_is_withdrawn_is_not_stored_anew(self, room: Room) -> None:
        room.upload()
        before = room.kept
        room.app.advance(timedelta(hours=73))
        room.upload(by=LUIS)
        assert room.ask("medium", media_id=ID)["status"] == "stored"
        assert room.kept == before

    def test_nothing_is_given_up_that_forms_knows_of(self, room: Room) -> None:
        room.upload()
        room.forms.used.add(ID)
        room.app.advance(timedelta(hours=96))
        assert room.ask("medium", media_id=ID)["status"] == "stored"

    def test_nothing_is_given_up_while_forms_cannot_be_asked(self, room: Room) -> None:
        room.upload()
        room.app.advance(timedelta(hours=72))
        room.forms.away = True
        with pytest.raises(OSError, match="nobody answers"):
            room.app.advance(timedelta(hours=24))
        assert len(room.kept) == 3

    def test_a_link_keeps_what_it_shows_and_no_longer(self, room: Room) -> None:
        room.upload()
        link = "0196b000-0000-7000-8000-000000000055"
        room.do("create_public_link", by=ADMIN, link_id=link, target={"kind": "media", "id": ID}, days=10)
        room.app.advance(timedelta(days=10))
        assert room.ask("medium", media_id=ID)["status"] == "stored"
        room.app.advance(timedelta(days=4))
        assert (room.kept, room.named) == ([], [])


class TestSweeping:
    def put(self, room: Room, bucket: str, key: str, owner: str | None = None) -> None:
        room.store.put_object(bucket, key, io.BytesIO(b"left behind"), 11, "", {"owner": owner} if owner else None)

    def test_what_a_dead_worker_left_behind_goes_and_everything_else_stays(self, room: Room) -> None:
        room.upload()
        bucket = room.app.settings.s3_media_bucket
        self.put(room, bucket, f"t/{TENANT}/left", f"medium/{'c' * 64}")
        self.put(room, bucket, f"t/{TENANT}/left-of-a-stored-one", f"medium/{ID.removeprefix('sha256:')}")
        self.put(room, bucket, f"t/{TENANT}/nobodys")
        self.put(room, bucket, f"t/{TENANT}/newer-codes", "poem/1")
        self.put(room, room.incoming, f"{TENANT}/unknown/000000000000000-a")
        self.put(room, room.incoming, "strange")
        waiting = room.begin(media.jpeg(seed=1))
        room.send(waiting, b"x")
        assert room.sweep() == {"incoming": 0, "media": 0, "unfinished": 0}, "it may be somebody's work in hand"
        room.app.clock.advance(timedelta(minutes=61))
        assert room.sweep() == {"incoming": 2, "media": 3, "unfinished": 0}
        assert room.kept == sorted([*room.named, f"t/{TENANT}/newer-codes"])
        assert len(room.store.keys(room.incoming)) == 1
        assert room.sweep() == {"incoming": 0, "media": 0, "unfinished": 0}

    def test_a_read_model_that_is_behind_costs_nothing(self, room: Room) -> None:
        room.upload()
        kept = room.kept
        room.app.reads._db["objects"].delete_many({})
        room.app.clock.advance(timedelta(hours=2))
        assert room.sweep()["media"] == 0
        assert room.kept == kept

    def test_bytes_that_come_after_the_end_are_swept_away(self, room: Room) -> None:
        upload_id = room.upload()
        room.send(upload_id, b"late", name="late")
        room.app.clock.advance(timedelta(hours=2))
        assert room.sweep()["incoming"] == 1

    def test_only_the_platform_sweeps(self, room: Room) -> None:
        with pytest.raises(Rejected, match="forbidden"):
            room.as_system("sweep_media")


@pytest.fixture(scope="module", autouse=True)
def _no_process_outlives_the_tests() -> Any:
    yield
    HELPERS.end()
