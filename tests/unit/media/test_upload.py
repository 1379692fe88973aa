"""An upload from its announcement until it is settled, rule by rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from services.kernel.domain import ERASED, Rejected
from services.kernel.testing.given import given
from services.media.domain.upload import (
    AbortUpload,
    BeginUpload,
    ExpireUpload,
    FinishUpload,
    SettleUpload,
    UploadAborted,
    UploadBegun,
    UploadEvent,
    UploadExpired,
    UploadFinished,
    UploadSettled,
    upload,
)
from services.media.domain.values import HEAVIEST

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
ID = "0196b000-0000-7000-8000-000000000001"
MEDIA_ID = f"sha256:{'a' * 64}"
NAMED = {"upload_id": ID, "media_id": MEDIA_ID}


def stamped(**fields: Any) -> dict[str, Any]:
    return {"upload_id": ID, "at": NOW, "by": "ana", **fields}


def begin(**changes: Any) -> BeginUpload:
    fields = {
        "media_id": MEDIA_ID,
        "bytes": 1_000,
        "type": "image/jpeg",
        "via": "tus",
        "expires_at": NOW + timedelta(hours=72),
        "name": "foto.jpg",
    }
    return BeginUpload(**stamped(**{**fields, **changes}))


def begun(**changes: Any) -> UploadBegun:
    (event,) = given(upload).when(begin()).then_repeating_adds_nothing()._events
    assert isinstance(event, UploadBegun)
    return event.model_copy(update=changes)


FINISHED, ABORTED, EXPIRED = UploadFinished(**NAMED), UploadAborted(**NAMED), UploadExpired(**NAMED)
STORED = UploadSettled(**NAMED, outcome="stored", code="")
REJECTED = UploadSettled(**NAMED, outcome="rejected", code="unreadable")


class TestBeginning:
    def test_it_is_announced_by_somebody(self) -> None:
        assert begun().begun_by == "ana"

    def test_asked_again_later_it_keeps_the_time_it_was_given_first(self) -> None:
        later = begin(expires_at=NOW + timedelta(hours=80))
        given(upload, begun()).when(later).then_nothing()
        given(upload, begun(name=ERASED)).when(later).then_nothing()

    @pytest.mark.parametrize(
        "changes", [{"bytes": 999}, {"media_id": f"sha256:{'b' * 64}"}, {"type": "image/png"}, {"via": "form"}]
    )
    def test_an_id_serves_one_content(self, changes: dict[str, Any]) -> None:
        given(upload, begun()).when(begin(**changes)).then_rejected("upload-exists")

    def test_an_upload_is_its_own(self) -> None:
        other = BeginUpload(**{**begin().model_dump(), "by": "luis"})
        given(upload, begun()).when(other).then_rejected("upload-exists")

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"bytes": 0}, "empty"),
            ({"bytes": HEAVIEST + 1}, "too-heavy"),
            ({"type": "image/svg+xml"}, "type-not-accepted"),
            ({"type": "application/zip"}, "type-not-accepted"),
        ],
    )
    def test_what_nobody_may_ever_store_is_refused_before_a_byte_moves(self, changes: Any, code: str) -> None:
        given(upload).when(begin(**changes)).then_rejected(code)

    def test_the_heaviest_is_taken(self) -> None:
        assert given(upload).when(begin(bytes=HEAVIEST)).then_repeating_adds_nothing()


class TestEnding:
    def test_all_bytes_are_there(self) -> None:
        given(upload, begun()).when(FinishUpload(**stamped())).then_repeating_adds_nothing()

    @pytest.mark.parametrize("settled", [(), (STORED,), (REJECTED,)])
    def test_finished_is_finished_whatever_came_of_it(self, settled: tuple[UploadEvent, ...]) -> None:
        given(upload, begun(), FINISHED, *settled).when(FinishUpload(**stamped())).then_nothing()

    @pytest.mark.parametrize(("ended", "code"), [(ABORTED, "upload-aborted"), (EXPIRED, "upload-expired")])
    def test_what_ended_is_not_finished(self, ended: UploadEvent, code: str) -> None:
        given(upload, begun(), ended).when(FinishUpload(**stamped())).then_rejected(code)

    def test_given_up(self) -> None:
        given(upload, begun()).when(AbortUpload(**stamped())).then_repeating_adds_nothing()
        given(upload, begun(), EXPIRED).when(AbortUpload(**stamped())).then_nothing()

    @pytest.mark.parametrize("settled", [(), (STORED,), (REJECTED,)])
    def test_what_is_finished_is_not_given_up(self, settled: tuple[UploadEvent, ...]) -> None:
        given(upload, begun(), FINISHED, *settled).when(AbortUpload(**stamped())).then_rejected("upload-finished")

    def test_out_of_time(self) -> None:
        given(upload, begun()).when(ExpireUpload(**stamped())).then_repeating_adds_nothing()
        for ended in ((FINISHED,), (ABORTED,), (FINISHED, STORED)):
            given(upload, begun(), *ended).when(ExpireUpload(**stamped())).then_nothing()

    @pytest.mark.parametrize(("outcome", "code"), [("stored", ""), ("rejected", "polyglot")])
    def test_settled(self, outcome: str, code: str) -> None:
        settle = SettleUpload(**stamped(outcome=outcome, code=code))
        state = given(upload, begun(), FINISHED).when(settle).then_repeating_adds_nothing().state
        assert (state.status, state.code) == (outcome, code)

    def test_what_is_settled_stays_as_it_is(self) -> None:
        given(upload, begun(), FINISHED, STORED).when(
            SettleUpload(**stamped(outcome="rejected", code="empty"))
        ).then_nothing()
        given(upload, begun(), ABORTED).when(SettleUpload(**stamped(outcome="stored"))).then_nothing()

    @pytest.mark.parametrize("command", [FinishUpload, AbortUpload, ExpireUpload])
    def test_nothing_ends_that_never_began(self, command: Any) -> None:
        given(upload).when(command(**stamped())).then_rejected("upload-unknown")


COMMANDS = st.sampled_from(
    [
        begin(),
        FinishUpload(**stamped()),
        AbortUpload(**stamped()),
        ExpireUpload(**stamped()),
        SettleUpload(**stamped(outcome="stored")),
        SettleUpload(**stamped(outcome="rejected", code="hash-mismatch")),
    ]
)


@forall(st.lists(COMMANDS, max_size=12))
def test_whatever_is_asked_it_ends_once_and_is_settled_only_when_all_bytes_were_there(commands: list[Any]) -> None:
    events: list[UploadEvent] = []
    for command in commands:
        try:
            events += upload.decide(command, upload.replay(events))
        except Rejected:
            continue
    kinds = [type(event) for event in events]
    assert len(set(kinds)) == len(kinds)
    assert kinds[:1] in ([], [UploadBegun])
    assert sum(kind in (UploadFinished, UploadAborted, UploadExpired) for kind in kinds) <= 1
    if UploadSettled in kinds:
        assert kinds[-2:] == [UploadFinished, UploadSettled]


def test_every_event_has_its_name() -> None:
    assert set(upload.events.values()) == set(get_args(UploadEvent))
