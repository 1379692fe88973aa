"""Submissions: handed in, amended, completed by their media, released or discarded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.forms.domain.judging import Failure, Finding
from services.forms.domain.submission import (
    Amend,
    ArriveMedia,
    Discard,
    RefuseMedia,
    Release,
    Submit,
    Verdict,
    readable,
    submission,
)
from services.forms.domain.submission_events import (
    MISSING,
    DeclaredMedium,
    FollowUpNeeded,
    MediaArrived,
    MediaRefused,
    Submission,
    SubmissionAmended,
    SubmissionCompleted,
    SubmissionDiscarded,
    SubmissionReceived,
    SubmissionReleased,
)
from services.kernel.domain import ERASED, Rejected
from services.kernel.testing.given import given
from tests.examples.forms import DEVICE, FORM, NOW, SUBMISSION, SUPERVISOR, TASK, TECHNICIAN, sha

FAILED = Failure(path="state", priority="high")
INVALID = Finding(path="serial", code="required")


def declared(letter: str, kind: str = "picture") -> DeclaredMedium:
    return DeclaredMedium(id=sha(letter), bytes=10, type="image/jpeg", path=f"{letter}/0", kind=kind)


def verdict(**changes: Any) -> Verdict:
    return Verdict(**{"hash": sha("f"), "answers": '{"a":1}', "digest": "d1", **changes})


def submit(judged: Verdict | None = None, **changes: Any) -> Submit:
    return Submit(
        **{
            "at": NOW,
            "by": TECHNICIAN,
            "submission_id": SUBMISSION,
            "form_id": FORM,
            "version": 1,
            "task_id": TASK,
            "user_id": TECHNICIAN,
            "device_id": DEVICE,
            "occurred_at": NOW - timedelta(hours=1),
            "utc_offset_min": -300,
            "received_at": NOW,
            "offset_ms": 1_500,
            "strict": False,
            "verdict": judged or verdict(),
            **changes,
        }
    )


def received(**changes: Any) -> SubmissionReceived:
    return SubmissionReceived(
        **{
            "submission_id": SUBMISSION,
            "form_id": FORM,
            "version": 1,
            "hash": sha("f"),
            "task_id": TASK,
            "user_id": TECHNICIAN,
            "device_id": DEVICE,
            "media_declared": 0,
            "photos": 0,
            "signatures": 0,
            "complete": True,
            "parked": None,
            "occurred_at": NOW - timedelta(hours=1),
            "utc_offset_min": -300,
            "received_at": NOW,
            "offset_ms": 1_500,
            "time_suspect": False,
            "media": (),
            "arrived": (),
            "digest": "d1",
            "answers": '{"a":1}',
            "findings": "[]",
            "place": None,
            **changes,
        }
    )


TWO = (declared("a"), declared("b", "signature"))
WAITING = received(media=TWO, media_declared=2, photos=1, signatures=1, complete=False)
PARKED = received(parked="answers_invalid", findings='[{"path":"serial","code":"required","facts":{}}]')


def told(command: Any, by: str = SUPERVISOR, **fields: Any) -> Any:
    return command(at=NOW, by=by, submission_id=SUBMISSION, **fields)


def amend(judged: Verdict, **fields: Any) -> Amend:
    amended: Amend = told(Amend, occurred_at=NOW, verdict=judged, **fields)
    return amended


def amended(**changes: Any) -> SubmissionAmended:
    return SubmissionAmended(
        **{
            "submission_id": SUBMISSION,
            "form_id": FORM,
            "version": 1,
            "hash": sha("f"),
            "task_id": TASK,
            "user_id": TECHNICIAN,
            "amendment": 1,
            "amended_by": SUPERVISOR,
            "media_declared": 0,
            "photos": 0,
            "signatures": 0,
            "complete": True,
            "occurred_at": NOW,
            "utc_offset_min": 0,
            "media": (),
            "arrived": (),
            "digest": "d2",
            "answers": '{"a":2}',
            "reason": "",
            **changes,
        }
    )


def follow_up(field: str = "state") -> FollowUpNeeded:
    return FollowUpNeeded(
        submission_id=SUBMISSION,
        form_id=FORM,
        task_id=TASK,
        field=field,
        process_id=None,
        subprocess_id=None,
        priority="high",
    )


def test_answers_without_media_are_complete_at_once() -> None:
    given(submission).when(submit()).then(received())
    given(submission).when(submit()).then_repeating_adds_nothing()


def test_answers_with_media_are_complete_when_the_last_has_arrived() -> None:
    story = given(submission).when(submit(verdict(media=TWO))).then(WAITING)
    half = story.when(told(ArriveMedia, media_id=sha("a"))).then(
        MediaArrived(submission_id=SUBMISSION, media_id=sha("a"))
    )
    half.when(told(ArriveMedia, media_id=sha("a"))).then_nothing()
    whole = half.when(told(ArriveMedia, media_id=sha("b"))).then(
        MediaArrived(submission_id=SUBMISSION, media_id=sha("b")),
        SubmissionCompleted(submission_id=SUBMISSION, task_id=TASK),
    )
    whole.when(told(ArriveMedia, media_id=sha("b"))).then_nothing()


def test_media_that_were_there_before_count() -> None:
    judged = verdict(media=TWO, arrived=frozenset({sha("a"), sha("b")}))
    (fact,) = submission.decide(submit(judged), Submission())
    assert isinstance(fact, SubmissionReceived)
    assert (fact.complete, fact.arrived) == (True, (sha("a"), sha("b")))


def test_one_item_in_two_places_is_one_to_wait_for() -> None:
    twice = (declared("a"), declared("a").model_copy(update={"path": "other/0"}))
    (fact,) = submission.decide(submit(verdict(media=twice)), Submission())
    assert isinstance(fact, SubmissionReceived)
    assert (fact.media_declared, fact.photos) == (1, 2)


def test_a_refused_item_leaves_the_answers_standing() -> None:
    refused = MediaRefused(submission_id=SUBMISSION, media_id=sha("a"), code="too-heavy")
    refuse = told(RefuseMedia, media_id=sha("a"), code="too-heavy")
    given(submission, WAITING).when(refuse).then(refused)
    given(submission, WAITING).when(refuse).then_repeating_adds_nothing()
    arrived = MediaArrived(submission_id=SUBMISSION, media_id=sha("a"))
    given(submission, WAITING, arrived).when(refuse).then_nothing()
    given(submission, WAITING, refused).when(told(ArriveMedia, media_id=sha("a"))).then(arrived)


def test_what_is_refused_by_what_is_said_of_it_is_told_at_once() -> None:
    refused = MediaRefused(submission_id=SUBMISSION, media_id=sha("a"), code="too-heavy")
    story = given(submission).when(submit(verdict(media=TWO, refused={sha("a"): "too-heavy"}))).then(WAITING, refused)
    story.when(told(RefuseMedia, media_id=sha("a"), code="too-heavy")).then_nothing()
    # Other answers may name it where it is right.
    change = amend(verdict(answers='{"a":2}', digest="d2", media=TWO))
    other = amended(media=TWO, media_declared=2, photos=1, signatures=1, complete=False)
    story.when(change).then(other)
    assert submission.replay([WAITING, refused, other]).media[sha("a")] == MISSING


def test_media_that_nobody_declared_change_nothing() -> None:
    given(submission, WAITING).when(told(ArriveMedia, media_id=sha("c"))).then_nothing()
    given(submission, WAITING).when(told(RefuseMedia, media_id=sha("c"), code="x")).then_nothing()


def test_the_same_id_with_other_answers_is_another_submission() -> None:
    given(submission, received()).when(submit(verdict(digest="other"))).then_rejected("submission-exists")


@pytest.mark.parametrize(
    ("parked", "code"),
    [
        ("answers_invalid", "answers-invalid"),
        ("form_version_closed", "form-version-closed"),
        ("form_version_unknown", "form-version-unknown"),
        ("seat_inactive", "seat-inactive"),
    ],
)
def test_online_a_fault_is_refused_and_offline_it_waits_with_its_evidence(parked: Any, code: str) -> None:
    judged = verdict(parked=parked, findings=(INVALID,), failures=(FAILED,))
    given(submission).when(submit(judged, strict=True)).then_rejected(code)
    (fact,) = submission.decide(submit(judged), Submission())
    assert isinstance(fact, SubmissionReceived)
    assert (fact.parked, fact.answers) == (parked, '{"a":1}')


def test_a_refusal_tells_the_findings() -> None:
    with pytest.raises(Rejected) as refused:
        submission.decide(submit(verdict(parked="answers_invalid", findings=(INVALID,)), strict=True), Submission())
    assert refused.value.details == {"findings": [{"path": "serial", "code": "required", "facts": {}}]}


def test_a_failed_answer_is_told_with_the_submission() -> None:
    given(submission).when(submit(verdict(failures=(FAILED,)))).then(received(), follow_up())


def test_an_amendment_keeps_what_was_before() -> None:
    change = amend(verdict(answers='{"a":2}', digest="d2"), reason="Typo")
    story = given(submission, received()).when(change).then(amended(reason="Typo"))
    story.when(change).then_nothing()
    again = amend(verdict(answers='{"a":3}', digest="d3"))
    story.when(again).then(amended(amendment=2, answers='{"a":3}', digest="d3"))


def test_an_amendment_waits_for_its_own_media_only() -> None:
    arrived = MediaArrived(submission_id=SUBMISSION, media_id=sha("a"))
    kept = amend(verdict(answers='{"a":2}', digest="d2", media=(declared("a"),)))
    given(submission, WAITING, arrived).when(kept).then(
        amended(media=(declared("a"),), media_declared=1, photos=1, arrived=(sha("a"),))
    )
    fresh = amend(verdict(answers='{"a":2}', digest="d2", media=(declared("c"),)))
    story = (
        given(submission, WAITING, arrived)
        .when(fresh)
        .then(amended(media=(declared("c"),), media_declared=1, photos=1, complete=False))
    )
    story.when(told(ArriveMedia, media_id=sha("b"))).then_nothing()


def test_an_amendment_tells_only_new_failures() -> None:
    new = Failure(path="other", priority="high")
    change = amend(verdict(answers='{"a":2}', digest="d2", failures=(FAILED, new)))
    given(submission, received(), follow_up()).when(change).then(amended(), follow_up("other"))


def test_an_amendment_must_be_right() -> None:
    change = amend(verdict(digest="d2", findings=(INVALID,)))
    given(submission, received()).when(change).then_rejected("answers-invalid")
    given(submission).when(change).then_rejected("submission-unknown")


def test_what_is_parked_is_released_with_what_it_brings() -> None:
    release = told(Release, reason="Seen", answers='{"a":1}', failures=(FAILED,))
    released = SubmissionReleased(
        submission_id=SUBMISSION, task_id=TASK, released_by=SUPERVISOR, answers='{"a":1}', reason="Seen"
    )
    story = given(submission, PARKED).when(release).then(released, follow_up())
    story.when(release).then_nothing()
    story.when(told(Discard, reason="No")).then_rejected("submission-not-parked")
    given(submission, received()).when(release).then_rejected("submission-not-parked")


def test_what_is_parked_is_discarded_with_a_reason() -> None:
    discarded = SubmissionDiscarded(submission_id=SUBMISSION, task_id=TASK, discarded_by=SUPERVISOR, reason="Twice")
    given(submission, PARKED).when(told(Discard, reason="")).then_rejected("reason-required")
    story = given(submission, PARKED).when(told(Discard, reason="Twice")).then(discarded)
    story.when(told(Discard, reason="Twice")).then_nothing()
    story.when(told(Release, answers="{}")).then_rejected("submission-not-parked")
    story.when(amend(verdict(digest="d2"))).then_rejected("submission-discarded")


def test_a_parked_one_can_be_mended_before_it_is_released() -> None:
    change = amend(verdict(answers='{"a":2}', digest="d2", failures=(FAILED,)))
    story = given(submission, PARKED).when(change).then(amended())
    assert story.state.waits


def test_erased_answers_read_as_none() -> None:
    state = submission.replay([received(answers=ERASED, place=ERASED, findings=ERASED)])
    assert readable(state.answers) == "{}"
    assert readable('{"a":1}') == '{"a":1}'


@for_all(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12))
def test_it_is_complete_once_and_exactly_when_nothing_is_missing(steps: list[tuple[str, bool]]) -> None:
    three = tuple(declared(letter) for letter in "abc")
    events: list[Any] = [WAITING.model_copy(update={"media": three})]
    for letter, good in steps:
        state = submission.replay(events)
        command = told(ArriveMedia, media_id=sha(letter)) if good else told(RefuseMedia, media_id=sha(letter), code="x")
        events += submission.decide(command, state)
    state = submission.replay(events)
    assert state.complete == (not state.missing) == ({letter for letter, good in steps if good} == set("abc"))
    assert sum(isinstance(event, SubmissionCompleted) for event in events) == state.complete
