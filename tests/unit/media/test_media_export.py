"""An export of media: what is chosen, how it is named, and a package that everybody's programs can open and check."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.kernel.domain import Rejected
from services.kernel.exporting.package import STORED, Packed, length, package
from services.kernel.testing.given import given
from services.media import keeping
from services.media.domain.media_export import (
    DeleteMediaExport,
    ExpireMediaExport,
    FailMediaExport,
    FinishMediaExport,
    MediaExportDeleted,
    MediaExportExpired,
    MediaExportFailed,
    MediaExportReady,
    MediaExportRequested,
    MediaExportStarted,
    RequestMediaExport,
    StartMediaExport,
    media_export,
)
from services.media.domain.values import Stored
from services.media.exporting.naming import LONGEST, Names, safe
from services.media.exporting.showing import KEPT_FOR
from tests.examples.kernel import an_id
from tests.examples.media import jpeg, sha_of
from tests.examples.reports import AT
from tests.unit.media.evidence_room import ADMIN, ANA, LUIS, MARTA, TENANT, Room

EXPORT, TASK, FORM, SUBMISSION = an_id(70), an_id(71), an_id(72), an_id(73)
SHOTS = [jpeg(seed=n, width=320, height=240) for n in range(4)]


class TestTheStory:
    asked = MediaExportRequested(
        export_id=EXPORT, language="es", time_zone="America/Bogota", filters={}, requested_by="laura", role="admin"
    )
    started = MediaExportStarted(export_id=EXPORT, files=2, bytes=900)
    made: Mapping[str, Any] = {"files": 2, "lost": 0, "sha256": "a" * 64, "key": "k", "expires_at": AT + KEPT_FOR}
    ready = MediaExportReady(export_id=EXPORT, bytes=1_000, object="t/1", **made)
    gone = MediaExportDeleted(export_id=EXPORT, object="t/1")

    def command(self, kind: type[Any], **fields: Any) -> Any:
        return kind(export_id=EXPORT, at=AT, by="laura", **fields)

    def request(self, **changes: Any) -> RequestMediaExport:
        fields = {"language": "es", "time_zone": "America/Bogota", "filters": {}, "role": "admin", **changes}
        made: RequestMediaExport = self.command(RequestMediaExport, **fields)
        return made

    def finish(self) -> FinishMediaExport:
        made: FinishMediaExport = self.command(FinishMediaExport, stored=Stored(object="t/1", bytes=1_000), **self.made)
        return made

    def test_asked_for_written_and_ready(self) -> None:
        given(media_export).when(self.request()).then(self.asked)
        start = self.command(StartMediaExport, files=2, bytes=900)
        given(media_export, self.asked).when(start).then(self.started)
        given(media_export, self.asked, self.started).when(self.finish()).then(self.ready)

    def test_repeating_adds_nothing(self) -> None:
        given(media_export).when(self.request()).then_repeating_adds_nothing()
        start = self.command(StartMediaExport, files=2, bytes=900)
        given(media_export, self.asked).when(start).then_repeating_adds_nothing()
        given(media_export, self.asked, self.started).when(self.finish()).then_repeating_adds_nothing()
        history = (self.asked, self.started, self.ready)
        given(media_export, *history).when(self.command(DeleteMediaExport)).then_repeating_adds_nothing()

    def test_another_under_the_same_id_is_refused(self) -> None:
        given(media_export, self.asked).when(self.request(filters={"task_id": TASK})).then_rejected("export-exists")

    def test_its_object_is_named_when_it_goes(self) -> None:
        history = (self.asked, self.started, self.ready)
        given(media_export, *history).when(self.command(DeleteMediaExport)).then(self.gone)
        expired = MediaExportExpired(export_id=EXPORT, object="t/1")
        given(media_export, *history).when(self.command(ExpireMediaExport)).then(expired)
        assert given(media_export, *history, self.gone).state.objects == ()

    def test_what_ended_stays_so(self) -> None:
        failed = MediaExportFailed(export_id=EXPORT, code="export-failed")
        fail = self.command(FailMediaExport, code="export-failed")
        given(media_export, self.asked).when(fail).then(failed)
        given(media_export, self.asked, failed).when(self.finish()).then()
        given(media_export, self.asked, failed).when(self.command(DeleteMediaExport)).then()
        given(media_export, self.asked, self.gone).when(self.finish()).then()

    def test_one_that_nobody_asked_for_is_unknown(self) -> None:
        for kind in (DeleteMediaExport, ExpireMediaExport):
            given(media_export).when(self.command(kind)).then_rejected("export-unknown")


class TestNames:
    @for_all(st.text(max_size=200))
    def test_any_text_is_a_safe_name(self, text: str) -> None:
        name = safe(text)
        assert 0 < len(name) <= LONGEST + 1
        assert not set(name) & set('/\\:*?"<>|\x00\n\r')
        assert name not in (".", "..")
        assert name == name.strip(" ")

    def test_names_that_mean_something_to_a_system(self) -> None:
        assert safe("../../etc/passwd") == "-..-etc-passwd"
        assert safe("con") == "_con"
        assert safe("lpt1.txt") == "_lpt1.txt"
        assert safe(" ... ") == "-"
        assert safe("gnp\u202e.exe") == "gnp-.exe"

    @for_all(st.lists(st.sampled_from(["Foto", "foto", "FOTO", "otra"]), max_size=12))
    def test_every_path_is_there_once_however_it_is_written(self, wanted: list[str]) -> None:
        names = Names()
        paths = [names.of("a", name, "jpg").casefold() for name in wanted]
        assert len(set(paths)) == len(paths)


@for_all(st.lists(st.binary(max_size=300), max_size=5))
def test_what_goes_in_as_it_is_comes_out_as_it_was(contents: list[bytes]) -> None:
    import zlib

    files = [
        Packed(f"ñ{n}.jpg", zlib.crc32(one), len(one), len(one), lambda one=one: [one], STORED)  # type: ignore[misc]
        for n, one in enumerate(contents)
    ]
    data = b"".join(package(files, AT))
    assert len(data) == length(files)
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert read.testzip() is None
        assert [read.read(f"ñ{n}.jpg") for n in range(len(contents))] == contents
        assert all(info.compress_type == zipfile.ZIP_STORED for info in read.infolist())


class Others:
    """The other services, as far as names are asked for."""

    away = False

    def query(self, service: str, query: str, params: Any, *, tenant: str, by: str) -> dict[str, Any]:
        """One answer."""
        if self.away:
            raise OSError("nobody answers")
        match service, query:
            case "forms", "form":
                return {"name": "Inspección / técnica"}
            case "tasks", "task" if params["task_id"] == TASK:
                return {"title": "Revisión: cuarto frío"}
            case "tasks", "task":
                raise Rejected("task-unknown")
            case "identity", "names":
                return {"users": {ANA: "Ana Gómez"}, "teams": {}}
            case _:
                raise AssertionError(query)


@pytest.fixture
def room() -> Room:
    made = Room()
    made.others = Others()  # type: ignore[attr-defined]
    made.app.application.ports = {**made.app.application.ports, "peers": lambda: made.others}  # type: ignore[attr-defined]
    for data in SHOTS[:3]:
        made.upload(data)
    made.upload(SHOTS[3], by=LUIS)
    here = {"task_id": TASK, "form_id": FORM}
    made.answer(sha_of(SHOTS[0]), sha_of(SHOTS[1]), submission_id=SUBMISSION, told=False, **here)
    made.answer(sha_of(SHOTS[2]), told=False, task_id=None, form_id=FORM)
    made.answer(sha_of(SHOTS[3]), user_id=LUIS, told=False, task_id=an_id(75), form_id=FORM)
    return made


def asked(room: Room, by: str = ADMIN, **filters: Any) -> str:
    export_id = str(an_id(100 + len(room.app.facts())))
    room.do("request_export", by=by, export_id=export_id, kind="media", filters=filters)
    room.app.advance(timedelta())
    return export_id


def taken_out(room: Room, export_id: str, by: str = ADMIN) -> zipfile.ZipFile:
    ticket = room.ask("export_file", by=by, export_id=export_id)
    stored = Stored(object=ticket["object"], bytes=ticket["bytes"])
    data = b"".join(keeping.read(room.store, ticket["bucket"], stored, ticket["key"]))
    assert (len(data), hashlib.sha256(data).hexdigest()) == (ticket["bytes"], ticket["sha256"])
    return zipfile.ZipFile(io.BytesIO(data))


def pictures(read: zipfile.ZipFile) -> list[bytes]:
    return [read.read(name) for name in read.namelist() if name.endswith(".jpg")]


class TestPackages:
    def test_the_originals_as_they_were_taken_under_names_that_people_know(self, room: Room) -> None:
        read = taken_out(room, asked(room))
        assert sorted(pictures(read)) == sorted(SHOTS)
        folder = f"Inspección - técnica/Revisión- cuarto frío {TASK[-8:]}/"
        assert sum(name.startswith(folder) for name in read.namelist()) == 2
        assert sum(name.startswith("Inspección - técnica/Sin tarea/") for name in read.namelist()) == 1
        assert read.namelist()[-3:] == ["manifest.csv", "manifest.json", "SHA256SUMS"]

    def test_others_programs_open_and_check_it(self, room: Room, tmp_path: Path) -> None:
        read = taken_out(room, asked(room))
        assert read.testzip() is None
        assert read.fp is not None
        read.fp.seek(0)
        file = tmp_path / "evidencias.zip"
        file.write_bytes(read.fp.read())
        subprocess.run(["unzip", "-tq", str(file)], check=True, capture_output=True)
        read.extractall(tmp_path)
        subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)

    def test_the_manifest_tells_of_each_file_what_it_is(self, room: Room) -> None:
        read = taken_out(room, asked(room, task_id=TASK))
        rows = json.loads(read.read("manifest.json"))
        assert [row["media_id"] for row in rows] == [sha_of(SHOTS[0]), sha_of(SHOTS[1])]
        row = rows[0]
        assert (row["submission_id"], row["task_id"], row["form_id"]) == (SUBMISSION, TASK, FORM)
        assert (row["user"], row["field"], row["type"]) == ("Ana Gómez", "photos/0", "image/jpeg")
        assert (row["taken_at"], round(row["longitude"], 4)) == ("2026-11-20T08:15:00-05:00", -74.0759)
        assert read.read(row["file"]) == SHOTS[0]
        lines = list(csv.DictReader(io.StringIO(read.read("manifest.csv").decode("utf-8-sig"))))
        assert [line["sha256"] for line in lines] == [row["sha256"] for row in rows]
        assert lines[0]["longitude"].startswith("-74.07")

    def test_each_choice_narrows(self, room: Room) -> None:
        for filters, count in (
            ({"task_id": TASK}, 2),
            ({"submission_id": SUBMISSION}, 2),
            ({"form_id": FORM}, 4),
            ({"user_id": LUIS}, 1),
            ({"until": "2026-01-01T00:00:00Z"}, 0),
            ({"since": "2026-01-01T00:00:00Z"}, 4),
        ):
            assert len(pictures(taken_out(room, asked(room, **filters)))) == count, filters

    def test_nobody_takes_out_what_he_does_not_see(self, room: Room) -> None:
        export_id = asked(room, by=MARTA)
        assert pictures(taken_out(room, export_id, by=MARTA)) == []
        room.tell("TeamCreated", team_id="crew")
        room.tell("TeamLeadersSet", team_id="crew", leaders=[MARTA])
        room.tell("TeamMemberAdded", team_id="crew", user_id=LUIS)
        assert pictures(taken_out(room, asked(room, by=MARTA), by=MARTA)) == [SHOTS[3]]
        with pytest.raises(Rejected, match="export-unknown"):
            room.ask("export_file", by=MARTA, export_id=asked(room))
        with pytest.raises(Rejected, match="forbidden"):
            asked(room, by=ANA)

    def test_a_file_that_was_lost_is_told_and_stops_nothing(self, room: Room) -> None:
        ticket = room.ask("media_file", media_id=sha_of(SHOTS[0]), rendition="original")
        room.store.remove_object(ticket["bucket"], ticket["object"])
        export_id = asked(room)
        read = taken_out(room, export_id)
        rows = json.loads(read.read("manifest.json"))
        assert [row["status"] for row in rows if row["media_id"] == sha_of(SHOTS[0])] == ["lost"]
        assert sorted(pictures(read)) == sorted(SHOTS[1:])
        shown = room.ask("export", by=ADMIN, export_id=export_id)
        assert (shown["status"], shown["written"], shown["lost"], shown["total"]) == ("ready", 3, 1, 4)

    def test_it_is_kept_sealed_for_a_week_and_then_gone(self, room: Room) -> None:
        before = room.kept
        export_id = asked(room)
        (added,) = set(room.kept) - set(before)
        bucket = room.store.buckets[room.app.settings.s3_media_bucket]
        assert SHOTS[0][:64] not in bucket[added].data
        assert added in room.named
        room.app.advance(KEPT_FOR - timedelta(minutes=1))
        assert room.ask("export", by=ADMIN, export_id=export_id)["status"] == "ready"
        room.app.advance(timedelta(minutes=2))
        assert added not in room.kept
        with pytest.raises(Rejected, match="export-gone"):
            room.ask("export_file", by=ADMIN, export_id=export_id)

    def test_deleted_it_goes_at_once(self, room: Room) -> None:
        before = set(room.kept)
        export_id = asked(room)
        room.do("delete_export", by=ADMIN, export_id=export_id)
        room.app.advance(timedelta())
        assert set(room.kept) == before

    def test_while_others_are_away_it_waits(self, room: Room) -> None:
        room.others.away = True  # type: ignore[attr-defined]
        with pytest.raises(OSError, match="nobody answers"):
            asked(room)
        (export,) = room.ask("exports", by=ADMIN)["items"]
        assert export["status"] == "requested"
        room.others.away = False  # type: ignore[attr-defined]
        room.as_system("write_media_export", export_id=export["id"])
        assert room.ask("export", by=ADMIN, export_id=export["id"])["status"] == "ready"

    def test_written_twice_it_is_kept_once(self, room: Room) -> None:
        export_id = asked(room)
        kept = room.kept
        room.as_system("write_media_export", export_id=export_id)
        assert room.kept == kept

    def test_only_as_zip_and_only_of_media(self, room: Room) -> None:
        for changes, code in (({"format": "xlsx"}, "export-format-unknown"), ({"kind": "fish"}, "export-kind-unknown")):
            with pytest.raises(Rejected, match=code):
                room.do("request_export", by=ADMIN, export_id=an_id(99), **changes)

    def test_nothing_that_tells_of_people_is_said_in_the_open(self, room: Room) -> None:
        asked(room, user_id=LUIS)
        for commit in room.app.store.after(0, 10_000):
            for stored in commit.events:
                assert "filters" not in stored.data
                assert not (stored.type == "MediaExportReady" and "key" in stored.data)


def test_the_account_is_the_owner_of_what_it_takes_out(room: Room) -> None:
    asked(room)
    docs = room.app.reads.of(TENANT)["objects"].find({"objects.kind": "export"})
    assert [doc["id"].split("/")[0] for doc in docs] == ["media_export"]
