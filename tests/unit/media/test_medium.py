"""An item of evidence from its bytes being there until nothing is kept of it, rule by rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from services.kernel.domain import ERASED, Rejected
from services.kernel.testing.given import given
from services.media.domain.medium import (
    ForgetMedia,
    MediaForgotten,
    MediaRejected,
    MediaStored,
    MediaWithdrawn,
    MediumEvent,
    RejectMedia,
    RestoreMedia,
    StoreMedia,
    WithdrawMedia,
    medium,
)
from services.media.domain.values import Rendition, Stored, hex_of, plain_type

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
MEDIA_ID = f"sha256:{'a' * 64}"
UPLOAD, OTHER = "0196b000-0000-7000-8000-000000000001", "0196b000-0000-7000-8000-000000000002"


def stamped(**fields: Any) -> dict[str, Any]:
    return {"media_id": MEDIA_ID, "at": NOW, "by": "system:timer", **fields}


def store(folder: str = "t/acme/1", **changes: Any) -> StoreMedia:
    screen = Rendition(name="screen", object=f"{folder}-screen", type="image/jpeg", bytes=10, sha256="b" * 64)
    fields = {
        "bytes": 1_000,
        "type": "image/jpeg",
        "width": 4_000,
        "height": 3_000,
        "uploaded_by": "ana",
        "original": Stored(object=folder, bytes=1_000),
        "renditions": (screen,),
        "keys": {folder: "key", screen.object: "other"},
    }
    return StoreMedia(**stamped(**{**fields, **changes}))


def stored() -> MediaStored:
    (event,) = medium.decide(store(), medium.initial_state)
    assert isinstance(event, MediaStored)
    return event


WITHDRAWN = MediaWithdrawn(media_id=MEDIA_ID)
FORGOTTEN = MediaForgotten(media_id=MEDIA_ID, objects=("t/acme/1", "t/acme/1-screen"))


class TestStoring:
    def test_it_is_there(self) -> None:
        state = given(medium).when(store()).then_repeating_adds_nothing().state
        assert (state.status, state.stored.stored_at) == ("stored", NOW)
        assert state.objects == ("t/acme/1", "t/acme/1-screen")
        assert state.key_of("t/acme/1-screen") == "other"

    def test_who_comes_second_adds_nothing(self) -> None:
        state = given(medium, stored()).when(store("t/acme/2")).then_nothing().state
        assert "t/acme/2" not in state.objects

    def test_what_was_stored_once_cannot_be_unsaid_by_other_bytes(self) -> None:
        reject = RejectMedia(**stamped(upload_id=UPLOAD, code="hash-mismatch"))
        given(medium, stored()).when(reject).then_nothing()
        given(medium, stored(), WITHDRAWN).when(reject).then_nothing()

    def test_refused_bytes_may_come_again_in_better_shape(self) -> None:
        reject = RejectMedia(**stamped(upload_id=UPLOAD, code="hash-mismatch"))
        story = given(medium).when(reject).then_repeating_adds_nothing()
        assert (story.state.status, story.state.code) == ("rejected", "hash-mismatch")
        assert story.when(store()).then_repeating_adds_nothing().state.status == "stored"

    def test_the_same_refusal_of_another_upload_is_no_news_and_another_one_is(self) -> None:
        refused = MediaRejected(media_id=MEDIA_ID, upload_id=UPLOAD, code="unreadable")
        given(medium, refused).when(RejectMedia(**stamped(upload_id=OTHER, code="unreadable"))).then_nothing()
        given(medium, refused).when(RejectMedia(**stamped(upload_id=OTHER, code="polyglot"))).then(
            MediaRejected(media_id=MEDIA_ID, upload_id=OTHER, code="polyglot")
        )


class TestLetGo:
    def test_withdrawn_and_brought_back_as_it_was(self) -> None:
        story = given(medium, stored()).when(WithdrawMedia(**stamped())).then_repeating_adds_nothing()
        assert (story.state.status, story.state.objects) == ("withdrawn", ("t/acme/1", "t/acme/1-screen"))
        story = story.when(RestoreMedia(**stamped())).then(stored())
        assert story.state == given(medium, stored()).state

    def test_forgotten_and_its_objects_named_for_the_last_time(self) -> None:
        story = given(medium, stored(), WITHDRAWN).when(ForgetMedia(**stamped())).then(FORGOTTEN)
        assert (story.state.status, story.state.objects) == ("forgotten", ())
        story.when(ForgetMedia(**stamped())).then_nothing()

    def test_only_what_was_withdrawn_is_forgotten(self) -> None:
        given(medium, stored()).when(ForgetMedia(**stamped())).then_nothing()

    def test_what_is_not_kept_is_not_brought_back(self) -> None:
        for events in ((), (stored(), WITHDRAWN, FORGOTTEN)):
            given(medium, *events).when(RestoreMedia(**stamped())).then_rejected("medium-unknown")
        given(medium, stored()).when(RestoreMedia(**stamped())).then_nothing()

    def test_what_was_forgotten_may_come_again(self) -> None:
        again = given(medium, stored(), WITHDRAWN, FORGOTTEN).when(store("t/acme/9")).then_repeating_adds_nothing()
        assert again.state.objects == ("t/acme/9", "t/acme/9-screen")

    def test_nothing_opens_it_once_its_keys_are_erased(self) -> None:
        erased = stored().model_copy(update={"keys": ERASED, "taken": ERASED, "name": ERASED})
        assert medium.replay([erased]).key_of("t/acme/1") is ERASED


COMMANDS = st.one_of(
    st.integers(1, 3).map(lambda n: store(f"t/acme/{n}")),
    st.sampled_from(
        [
            RejectMedia(**stamped(upload_id=UPLOAD, code="empty")),
            WithdrawMedia(**stamped()),
            RestoreMedia(**stamped()),
            ForgetMedia(**stamped()),
        ]
    ),
)


@forall(st.lists(COMMANDS, max_size=15))
def test_at_any_time_at_most_one_set_of_objects_is_named_and_every_other_was_let_go(commands: list[Any]) -> None:
    events: list[MediumEvent] = []
    named: set[str] = set()
    for command in commands:
        state = medium.replay(events)
        try:
            happened = medium.decide(command, state)
        except Rejected:
            happened = []
        for event in happened:
            if isinstance(event, MediaForgotten):
                named -= set(event.objects)
            if isinstance(event, MediaStored):
                named |= {event.original.object, *(one.object for one in event.renditions)}
        events += happened
        assert set(medium.replay(events).objects) == named


def test_every_event_has_its_name() -> None:
    assert set(medium.events.values()) == set(get_args(MediumEvent))


@pytest.mark.parametrize(
    ("said", "meant"),
    [("image/jpg", "image/jpeg"), ("IMAGE/JPEG; q=1", "image/jpeg"), ("audio/x-m4a", "audio/mp4"), ("x", "x")],
)
def test_types_go_by_their_usual_names(said: str, meant: str) -> None:
    assert plain_type(said) == meant


@pytest.mark.parametrize("name", ["", "sha256:", "md5:" + "a" * 64, "a" * 64])
def test_only_a_hash_names_content(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        hex_of(name)
