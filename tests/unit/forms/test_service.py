"""The forms service as its callers meet it: forms edited and published, answers handed in, told apart and decided."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.forms.domain.submission_events import FollowUpNeeded, SubmissionReceived
from services.kernel.commit import Caller
from services.kernel.domain import Rejected
from services.kernel.testing.app import START
from tests.examples.forms import (
    ADMIN,
    ANSWERS,
    COLLEAGUE,
    FORM,
    INSPECTION,
    OTHER_FORM,
    OTHER_SUBMISSION,
    SUBMISSION,
    SUPERVISOR,
    TASK,
    TECHNICIAN,
    an_id,
    form,
    item,
    photo,
    sha,
    text,
)
from tests.unit.forms.account import OCCURRED, TENANT, Account, queued

MEDIA = ("a", "b", "c", "d")


def refused(account: Account, command: str, **data: Any) -> Rejected:
    with pytest.raises(Rejected) as why:
        account.do(command, **data)
    return why.value


class TestForms:
    def test_a_published_version_stays_word_by_word_as_it_was(self, account: Account) -> None:
        account.do("save_form_draft", form_id=FORM, content=form(text("other")).to_json())
        account.do("publish_form", form_id=FORM)
        first = account.ask("form_version", form_id=FORM, version=1)
        assert (first["content"], first["hash"]) == (INSPECTION.to_json(), INSPECTION.hash)
        assert account.ask("form_version", form_id=FORM)["number"] == 2
        assert [one["version"] for one in account.ask("form", form_id=FORM)["versions"]] == [1, 2]

    def test_a_draft_may_be_faulty_but_is_not_published(self, account: Account) -> None:
        faulty = form(text("a", relevant="${b}"), text("c", constraint="1 +"))
        account.do("save_form_draft", form_id=FORM, content=faulty.to_json())
        shown = account.ask("form_draft", form_id=FORM)
        assert [fault["code"] for fault in shown["faults"]] == ["field-unknown", "expression-syntax"]
        why = refused(account, "publish_form", form_id=FORM)
        assert (why.code, why.details["faults"]) == ("form-faulty", shown["faults"])

    def test_what_is_no_form_is_told_by_place(self, account: Account) -> None:
        why = refused(account, "save_form_draft", form_id=FORM, content={"items": [{"type": "text", "name": "a"}]})
        assert why.code == "invalid"
        assert why.details["errors"][0]["loc"][:2] == ["content", "items"]
        large = form(*(text(f"q{n}") for n in range(2_001))).to_json()
        assert refused(account, "save_form_draft", form_id=FORM, content=large).code == "form-too-large"

    def test_a_form_without_a_draft(self, account: Account) -> None:
        account.do("create_form", form_id=OTHER_FORM, name="Vacío")
        assert account.ask("form_draft", form_id=OTHER_FORM)["faults"][0]["code"] == "form-empty"
        assert refused(account, "publish_form", form_id=OTHER_FORM).code == "draft-missing"
        for command, more in (("save_form_draft", {"content": form(text("a")).to_json()}), ("publish_form", {})):
            assert refused(account, command, form_id=an_id(99), **more).code == "form-unknown"

    def test_forms_are_listed_by_name(self, account: Account) -> None:
        account.do("create_form", form_id=OTHER_FORM, name="Ácta")
        account.do("edit_form_header", form_id=FORM, description="Cada mes")
        listed = account.ask("forms")["items"]
        assert [(one["name"], one["active"], one["published"]) for one in listed] == [
            ("Ácta", False, 0),
            ("Inspección de extintores", True, 1),
        ]
        assert [one["id"] for one in account.ask("forms", search="inspeccion")["items"]] == [FORM]
        assert [one["id"] for one in account.ask("forms", published=False)["items"]] == [OTHER_FORM]
        account.do("deactivate_form", form_id=FORM)
        assert account.ask("forms", active=True)["items"] == []
        account.do("activate_form", form_id=FORM)
        assert account.ask("form", form_id=FORM)["description"] == "Cada mes"

    @pytest.mark.parametrize("query", ["form", "form_draft", "form_version"])
    def test_unknown_forms(self, account: Account, query: str) -> None:
        with pytest.raises(Rejected, match="form-unknown"):
            account.ask(query, form_id=OTHER_FORM)

    def test_unknown_versions(self, account: Account) -> None:
        with pytest.raises(Rejected, match="form-version-unknown"):
            account.ask("form_version", form_id=FORM, version=9)

    def test_who_works_in_the_field_reads_forms_and_edits_none(self, account: Account) -> None:
        assert account.ask("form_version", by=TECHNICIAN, form_id=FORM)["number"] == 1
        for command in ("create_form", "publish_form", "save_form_draft", "retire_form_version"):
            assert refused(account, command, by=TECHNICIAN, form_id=FORM).code == "forbidden"


class TestHandingIn:
    def test_answers_are_kept_as_the_form_makes_of_them(self, account: Account) -> None:
        account.submit(SUBMISSION, task_id=TASK)
        shown = account.ask("submission", submission_id=SUBMISSION)
        assert shown["answers"]["total"] == 16.5
        assert (shown["status"], shown["task_id"], shown["user_id"]) == ("accepted", TASK, TECHNICIAN)
        assert (shown["media_arrived"], shown["media_declared"], shown["complete"]) == (0, 4, False)
        assert (shown["occurred_at"], shown["utc_offset_min"]) == ("2026-11-23T12:40:00.000Z", -300)
        assert shown["follow_ups"] == ["extinguishers/1/state"]

    def test_the_event_says_in_the_open_what_others_follow(self, account: Account) -> None:
        account.submit(SUBMISSION, task_id=TASK)
        received, follow_up = (fact for fact in account.app.facts() if fact.category == "submission")
        assert isinstance(received.event, SubmissionReceived)
        assert isinstance(follow_up.event, FollowUpNeeded)
        assert not {"answers", "findings", "place"} & received.data.keys()
        assert received.data["photos"] == 3
        assert follow_up.data["field"] == "extinguishers/1/state"

    def test_faulty_answers_are_told_at_once(self, account: Account) -> None:
        why = refused(
            account, "submit", by=TECHNICIAN, submission_id=SUBMISSION, form={"id": FORM, "version": 1}, answers={}
        )
        assert why.code == "answers-invalid"
        assert {"path": "contact", "code": "required", "facts": {}} in why.details["findings"]
        with pytest.raises(Rejected, match="submission-unknown"):
            account.ask("submission", submission_id=SUBMISSION)

    def test_the_same_again_adds_nothing_and_something_else_is_refused(self, account: Account) -> None:
        account.submit(SUBMISSION)
        facts = len(account.app.facts())
        account.submit(SUBMISSION)
        assert len(account.app.facts()) == facts
        with pytest.raises(Rejected, match="submission-exists"):
            account.submit(SUBMISSION, answers={**ANSWERS, "contact": "Otra"})

    def test_a_version_is_meant_exactly(self, account: Account) -> None:
        for form_, code in (
            ({"id": FORM, "version": 2}, "form-version-unknown"),
            ({"id": FORM, "version": 1, "hash": sha("0")}, "form-version-unknown"),
            ({"id": OTHER_FORM, "version": 1}, "form-unknown"),
        ):
            with pytest.raises(Rejected, match=code):
                account.submit(SUBMISSION, form=form_)

    def test_an_old_version_is_taken_until_it_closes(self, account: Account) -> None:
        account.publish(form(text("other")))
        account.submit(SUBMISSION)
        account.do("retire_form_version", form_id=FORM, version=1, closes_at=START.isoformat())
        with pytest.raises(Rejected, match="form-version-closed"):
            account.submit(OTHER_SUBMISSION)
        account.submit(SUBMISSION)

    def test_a_form_out_of_use_is_not_begun(self, account: Account) -> None:
        account.submit(SUBMISSION)
        account.do("deactivate_form", form_id=FORM)
        with pytest.raises(Rejected, match="form-inactive"):
            account.submit(OTHER_SUBMISSION)
        account.submit(SUBMISSION)

    def test_only_who_executes_hands_in(self, account: Account) -> None:
        with pytest.raises(Rejected, match="forbidden"):
            account.submit(SUBMISSION, by=ADMIN)

    def test_without_a_time_it_is_now_in_the_accounts_zone(self, account: Account) -> None:
        account.submit(SUBMISSION, occurred_at=None)
        shown = account.ask("submission", submission_id=SUBMISSION)
        assert (shown["occurred_at"], shown["utc_offset_min"]) == ("2026-11-23T13:00:00.000Z", -300)

    @pytest.mark.parametrize(
        "changes",
        [
            {"answers": []},
            {"answers": {"contact": float("nan")}},
            {"form": {"id": FORM}},
            {"occurred_at": "yesterday"},
            {"media": [{"id": "x"}]},
            {"verdict": {}},
            {"device_id": "x"},
        ],
    )
    def test_what_is_no_submission(self, account: Account, changes: dict[str, Any]) -> None:
        with pytest.raises(Rejected, match="invalid"):
            account.submit(SUBMISSION, **changes)

    def test_answers_have_a_size(self, account: Account) -> None:
        account.publish(form(item("long_text", "a", max_length=20_000)))
        many = {f"x{n}": "y" * 1_000 for n in range(1_100)}
        with pytest.raises(Rejected, match="answers-too-large"):
            account.submit(SUBMISSION, form={"id": FORM, "version": 2}, answers=many)


class TestDevices:
    def test_every_command_has_its_own_result_the_same_at_every_repeat(self, account: Account) -> None:
        bad = copy.deepcopy(ANSWERS)
        del bad["contact"]
        batch = (
            queued("c1", SUBMISSION),
            queued("c2", OTHER_SUBMISSION, body={"answers": bad}),
            queued("c3", "no id"),
        )
        results = account.push(*batch)
        assert [(one["id"], one["status"], one["code"]) for one in results] == [
            ("c1", "applied", None),
            ("c2", "parked", "answers_invalid"),
            ("c3", "rejected", "invalid"),
        ]
        assert results[0]["missing_media"] == sorted(sha(letter) for letter in MEDIA)
        account.as_system("media_stored", media_id=sha("a"), bytes=182_331, type="image/jpeg")
        account.do("release_submission", by=ADMIN, submission_id=OTHER_SUBMISSION)
        assert account.push(*batch) == results
        later = {"received_at": "2026-11-24T00:00:00+00:00", "offset_ms": 9, "quarantine": "device_revoked"}
        assert account.push(*reversed(batch), **later) == list(reversed(results))

    def test_one_id_serves_one_request(self, account: Account) -> None:
        account.push(queued("c1", SUBMISSION))
        (result,) = account.push(queued("c1", SUBMISSION, body={"answers": {"contact": "x"}}))
        assert (result["status"], result["code"]) == ("rejected", "command_id_reused")

    def test_one_submission_under_two_command_ids_is_one(self, account: Account) -> None:
        (first,) = account.push(queued("c1", SUBMISSION))
        (second,) = account.push(queued("c2", SUBMISSION))
        assert (second["status"], second["position"]) == ("noop", first["position"])
        other = queued("c3", SUBMISSION, body={"answers": {**ANSWERS, "contact": "x"}})
        (third,) = account.push(other)
        assert (third["status"], third["code"]) == ("rejected", "submission_exists")

    def test_an_unknown_version_keeps_the_answers_as_they_came(self, account: Account) -> None:
        listed = [{"id": sha("e"), "bytes": 5, "type": "image/png", "field": "x/0"}]
        odd = queued("c1", SUBMISSION, form={"id": OTHER_FORM, "version": 7, "hash": sha("9")}, media=listed)
        odd["body"] = {"answers": {"anything": [1, {"deep": "ñ"}]}}
        (result,) = account.push(odd)
        assert (result["status"], result["code"]) == ("parked", "form_version_unknown")
        assert result["missing_media"] == [sha("e")]
        shown = account.ask("submission", submission_id=SUBMISSION)
        assert shown["answers"] == {"anything": [1, {"deep": "ñ"}]}
        account.do("release_submission", submission_id=SUBMISSION)
        assert account.ask("submission", submission_id=SUBMISSION)["answers"] == {"anything": [1, {"deep": "ñ"}]}

    def test_what_people_typed_does_not_get_into_the_open(self, account: Account) -> None:
        listed = [{"id": sha("e"), "bytes": 5, "type": "Señora Gómez", "field": "señora/gómez"}]
        account.push(queued("c1", SUBMISSION, form={"id": OTHER_FORM, "version": 7}, media=listed))
        (received,) = (fact for fact in account.app.facts() if isinstance(fact.event, SubmissionReceived))
        assert received.data["media"] == [
            {"id": sha("e"), "bytes": 5, "type": "application/octet-stream", "path": "", "kind": "unknown"}
        ]

    def test_a_closed_version_waits_for_a_supervisor(self, account: Account) -> None:
        account.do("retire_form_version", form_id=FORM, version=1, closes_at=START.isoformat())
        (result,) = account.push(queued("c1", SUBMISSION))
        assert (result["status"], result["code"]) == ("parked", "form_version_closed")
        shown = account.ask("submission", submission_id=SUBMISSION)
        assert shown["follow_ups"] == []
        account.do("release_submission", submission_id=SUBMISSION, reason="Tarde pero bien")
        shown = account.ask("submission", submission_id=SUBMISSION)
        assert (shown["status"], shown["follow_ups"]) == ("released", ["extinguishers/1/state"])
        assert shown["answers"]["total"] == 16.5
        assert "total" not in shown["original"]
        assert shown["decision"]["reason"] == "Tarde pero bien"

    def test_a_seat_that_was_lost_in_between_parks_what_was_done(self, account: Account) -> None:
        account.tell("UserDeactivated", user_id=TECHNICIAN)
        (result,) = account.push(queued("c1", SUBMISSION))
        assert (result["status"], result["code"]) == ("parked", "seat_inactive")

    def test_a_seat_taken_only_later_does_not_cover_earlier_work(self, account: Account) -> None:
        account.tell("UserDeactivated", user_id=TECHNICIAN, at=datetime.fromisoformat("2026-11-20T00:00:00Z"))
        account.tell("UserActivated", user_id=TECHNICIAN, role="technician", at=START - timedelta(minutes=5))
        (result,) = account.push(queued("c1", SUBMISSION, occurred_at="2026-11-22T10:00:00-05:00"))
        assert result["code"] == "seat_inactive"
        (result,) = account.push(queued("c2", OTHER_SUBMISSION, occurred_at="2026-11-23T07:59:00-05:00"))
        assert result["code"] is None
        wrong = queued("c3", an_id(77), occurred_at="2026-11-22T10:00:00-05:00")
        (result,) = account.push(wrong, offset_ms=-90_000_000)
        assert result["code"] is None

    def test_a_role_without_execution_parks(self, account: Account) -> None:
        (result,) = account.push(queued("c1", SUBMISSION), by=SUPERVISOR)
        assert result["code"] == "seat_inactive"

    def test_a_device_whose_right_has_ended_hands_in_for_a_supervisor(self, account: Account) -> None:
        (result,) = account.push(queued("c1", SUBMISSION), quarantine="device_revoked")
        assert (result["status"], result["code"]) == ("parked", "device_revoked")
        account.do("release_submission", submission_id=SUBMISSION)
        assert account.ask("submission", submission_id=SUBMISSION)["status"] == "released"

    def test_a_task_is_told_what_the_answers_are_worth_to_it(self, account: Account) -> None:
        first = queued("c1", SUBMISSION)
        first["body"]["task_id"] = TASK
        other = {**ANSWERS, "contact": "Otra persona"}
        change = {"id": "c2", "type": "submission.amend", "aggregate": {"kind": "submission", "id": SUBMISSION}}
        amendment = {**change, "occurred_at": OCCURRED, "body": {"answers": other}}
        results = account.push(first, amendment)
        assert [one["status"] for one in results] == ["applied", "applied"]
        worth = {"task_id": TASK, "submission_id": SUBMISSION, "form_id": FORM, "version": 1, "parked": None}
        assert results[0]["answer"].items() >= {**worth, "amendment": 0}.items()
        assert results[1]["answer"].items() >= {**worth, "amendment": 1}.items()
        assert account.push(amendment, first) == list(reversed(results))

    def test_a_batch_has_a_shape(self, account: Account) -> None:
        assert refused(account, "accept_submissions", by=TECHNICIAN, device_id="d", commands="x").code == "invalid"
        (result,) = account.push("nonsense")  # type: ignore[arg-type]
        assert result["status"] == "rejected"

    def test_where_it_happened_is_judged_and_kept(self, account: Account) -> None:
        account.publish(form(text("a"), capture={"location": True, "radius_m": 100}))
        there = {"lat": 4.65, "lon": -74.06}
        far = queued("c1", SUBMISSION, form={"id": FORM, "version": 2})
        far["body"] = {"answers": {"a": "x"}, "place": there, "task_id": TASK}
        (result,) = account.push(far, sites={TASK: {"lat": 4.7, "lon": -74.06}})
        assert result["code"] == "answers_invalid"
        shown = account.ask("submission", submission_id=SUBMISSION)
        assert shown["findings"][0]["code"] == "location-too-far"
        assert shown["place"] == {**there, "accuracy_m": None}

    def test_where_it_happened_is_judged_online_too(self, account: Account) -> None:
        account.publish(form(text("a"), capture={"location": True, "radius_m": 100}))
        there, away = {"lat": 4.65, "lon": -74.06}, {"lat": 4.7, "lon": -74.06}
        asked = {"form": {"id": FORM, "version": 2}, "answers": {"a": "x"}, "place": there}
        with pytest.raises(Rejected, match="answers-invalid"):
            account.submit(SUBMISSION, **asked, site=away)
        account.submit(SUBMISSION, **asked, site=there)


class TestMedia:
    def test_seven_of_eight_is_a_state(self, account: Account) -> None:
        account.submit(SUBMISSION)
        for letter in MEDIA[:-1]:
            account.as_system("media_stored", media_id=sha(letter), bytes=1, type="image/jpeg")
        status = account.ask("submission_status", by=TECHNICIAN, submission_id=SUBMISSION)
        assert (status["media_arrived"], status["media_declared"], status["safe"]) == (3, 4, False)
        assert status["missing"] == [sha("d")]
        account.as_system("media_stored", media_id=sha("d"), bytes=1, type="image/png")
        status = account.ask("submission_status", submission_id=SUBMISSION)
        assert (status["complete"], status["safe"], status["missing"]) == (True, True, [])

    def test_who_keeps_the_bytes_may_ask_whether_answers_name_them(self, account: Account) -> None:
        account.submit(SUBMISSION)
        system = Caller(tenant=TENANT, actor="system:media", role="system")
        for letter, used in (("a", True), ("f", False)):
            assert account.app.query("media_use", {"media_id": sha(letter)}, system) == {"used": used}
        with pytest.raises(Rejected, match="forbidden"):
            account.ask("media_use", media_id=sha("a"))

    def test_media_that_came_first_are_found(self, account: Account) -> None:
        for letter in MEDIA:
            account.as_system("media_stored", media_id=sha(letter), bytes=1, type="image/jpeg")
        account.submit(SUBMISSION)
        assert account.ask("submission_status", submission_id=SUBMISSION)["complete"]

    def test_media_that_slip_past_the_list_are_found_a_moment_later(self, account: Account) -> None:
        account.as_system("media_stored", media_id=sha("a"), bytes=1, type="image/jpeg")
        account.app.timers.clear()
        account.submit(SUBMISSION)
        account.as_system("media_stored", media_id=sha("b"), bytes=1, type="image/jpeg")
        account.app.advance(timedelta(minutes=2))
        assert account.ask("submission_status", submission_id=SUBMISSION)["media_arrived"] == 2

    def test_a_refused_item_is_named_and_the_answers_stand(self, account: Account) -> None:
        account.submit(SUBMISSION)
        account.as_system("media_rejected", media_id=sha("a"), code="too-heavy")
        shown = account.ask("submission", submission_id=SUBMISSION)
        assert shown["refused"] == {sha("a"): "too-heavy"}
        (item_,) = [one for one in shown["media"] if one["id"] == sha("a")]
        assert (item_["status"], item_["code"]) == ("rejected", "too-heavy")
        account.as_system("media_stored", media_id=sha("a"), bytes=1, type="image/jpeg")
        assert account.ask("submission", submission_id=SUBMISSION)["refused"] == {}

    def test_what_the_bytes_turn_out_to_be_is_judged_by_the_question(self, account: Account) -> None:
        account.submit(SUBMISSION)
        account.as_system(
            "media_stored", media_id=sha("a"), bytes=500_001, type="image/jpeg", width=4_000, height=3_000
        )
        shown = account.ask("submission", submission_id=SUBMISSION)
        assert shown["refused"] == {sha("a"): "too-heavy"}
        assert (shown["status"], shown["media_arrived"], shown["complete"]) == ("accepted", 0, False)

    def test_a_stored_file_that_breaks_a_bound_is_refused_where_it_is_named(self, account: Account) -> None:
        account.as_system("media_stored", media_id=sha("a"), bytes=1, type="application/pdf")
        account.submit(SUBMISSION)
        assert account.ask("submission", submission_id=SUBMISSION)["refused"] == {sha("a"): "media-type-not-allowed"}

    def test_what_nobody_used_for_long_is_waited_for_anew(self, account: Account) -> None:
        for letter in MEDIA:
            account.as_system("media_stored", media_id=sha(letter), bytes=1, type="image/jpeg")
        account.as_system("media_withdrawn", media_id=sha("a"))
        account.submit(SUBMISSION)
        status = account.ask("submission_status", submission_id=SUBMISSION)
        assert (status["safe"], status["missing"]) == (False, [sha("a")])
        account.as_system("media_stored", media_id=sha("a"), bytes=1, type="image/jpeg")
        assert account.ask("submission_status", submission_id=SUBMISSION)["safe"]

    def test_a_question_says_what_it_takes(self, account: Account) -> None:
        bounds = account.ask("media_limits", by=TECHNICIAN, form_id=FORM, version=1, field="photos")
        assert (bounds["types"], bounds["max_bytes"], bounds["max_count"]) == (["image/"], 500_000, 3)
        for wrong_ in ({"field": "serial"}, {"version": 9}, {"field": "gone"}):
            with pytest.raises(Rejected, match=r"field-unknown|form-version-unknown"):
                account.ask(
                    "media_limits", by=TECHNICIAN, **{"form_id": FORM, "version": 1, "field": "photos"} | wrong_
                )

    def test_only_the_platform_says_so(self, account: Account) -> None:
        for command, more in (
            ("media_stored", {"bytes": 1, "type": "image/png"}),
            ("media_rejected", {"code": "x"}),
            ("settle_media", {}),
        ):
            assert refused(account, command, media_id=sha("a"), **more).code == "forbidden"


class TestLooking:
    def test_an_amendment_shows_beside_the_original(self, account: Account) -> None:
        account.submit(SUBMISSION)
        mended = {**copy.deepcopy(ANSWERS), "contact": "Otra persona"}
        data = {"submission_id": SUBMISSION, "answers": mended, "occurred_at": OCCURRED, "reason": "Error"}
        account.do("amend_submission", by=ADMIN, **data)
        shown = account.ask("submission", submission_id=SUBMISSION)
        assert (shown["answers"]["contact"], shown["original"]["contact"]) == ("Otra persona", "Marta Ñungo")
        assert [(one["number"], one["by"], one["reason"]) for one in shown["amendments"]] == [(1, ADMIN, "Error")]
        assert shown["amendment_count"] == 1
        facts = len(account.app.facts())
        account.do("amend_submission", by=ADMIN, **data)
        assert len(account.app.facts()) == facts

    def test_an_amendment_is_judged_by_the_version_of_old(self, account: Account) -> None:
        account.submit(SUBMISSION)
        account.publish(form(text("other")))
        account.do("retire_form_version", form_id=FORM, version=1, closes_at=START.isoformat())
        account.do("amend_submission", by=TECHNICIAN, submission_id=SUBMISSION, answers={**ANSWERS, "contact": "Yo"})
        why = refused(account, "amend_submission", by=TECHNICIAN, submission_id=SUBMISSION, answers={"other": "x"})
        assert why.code == "answers-invalid"

    def test_nobody_amends_what_he_did_not_hand_in(self, account: Account) -> None:
        account.submit(SUBMISSION)
        why = refused(account, "amend_submission", by=COLLEAGUE, submission_id=SUBMISSION, answers=ANSWERS)
        assert why.code == "submission-unknown"
        why = refused(account, "amend_submission", by=TECHNICIAN, submission_id=OTHER_SUBMISSION, answers=ANSWERS)
        assert why.code == "submission-unknown"

    def test_what_a_version_that_is_not_known_said_cannot_be_amended(self, account: Account) -> None:
        account.push(queued("c1", SUBMISSION, form={"id": OTHER_FORM, "version": 1}))
        why = refused(account, "amend_submission", by=TECHNICIAN, submission_id=SUBMISSION, answers={"a": 1})
        assert why.code == "form-version-unknown"

    def test_each_sees_his_own_and_leaders_their_peoples(self, account: Account) -> None:
        account.submit(SUBMISSION)
        account.submit(OTHER_SUBMISSION, by=COLLEAGUE)
        team, below = an_id(301), an_id(302)
        account.tell("TeamCreated", team_id=team)
        account.tell("TeamLeadersSet", team_id=team, leaders=(SUPERVISOR,))
        account.tell("TeamCreated", team_id=below, parent=team)
        account.tell("TeamMemberAdded", team_id=below, user_id=TECHNICIAN)

        def seen(by: str) -> set[str]:
            return {one["id"] for one in account.ask("submissions", by=by)["items"]}

        assert seen(ADMIN) == {SUBMISSION, OTHER_SUBMISSION}
        assert seen(TECHNICIAN) == seen(SUPERVISOR) == {SUBMISSION}
        assert seen(COLLEAGUE) == {OTHER_SUBMISSION}
        with pytest.raises(Rejected, match="submission-unknown"):
            account.ask("submission", by=SUPERVISOR, submission_id=OTHER_SUBMISSION)
        account.tell("TeamMemberRemoved", team_id=below, user_id=TECHNICIAN)
        account.tell("TeamMoved", team_id=below, parent=None)
        assert seen(SUPERVISOR) == set()
        account.tell("TeamDeleted", team_id=below)
        account.tell("TeamMemberAdded", team_id=below, user_id=TECHNICIAN)
        assert seen(SUPERVISOR) == set()

    def test_filters_narrow(self, account: Account) -> None:
        account.submit(SUBMISSION, task_id=TASK)
        account.push(queued("c1", OTHER_SUBMISSION, body={"answers": {}}))

        def found(**filters: Any) -> list[str]:
            return [one["id"] for one in account.ask("submissions", **filters)["items"]]

        assert found(task_id=TASK) == [SUBMISSION]
        assert found(form_id=OTHER_FORM) == []
        assert found(user_id=TECHNICIAN, status=["parked"]) == [OTHER_SUBMISSION]
        assert found(parked="answers_invalid") == [OTHER_SUBMISSION]
        assert found(complete=False) == [SUBMISSION]
        assert found(**{"from": "2026-11-23T13:00:01Z"}) == []
        assert len(found(to="2026-11-23T13:00:01Z")) == 2
        page = account.ask("submissions", limit=1)
        assert len(account.ask("submissions", limit=1, cursor=page["next"])["items"]) == 1

    def test_who_may_decide_over_parked_ones(self, account: Account) -> None:
        account.push(queued("c1", SUBMISSION, body={"answers": {}}))
        for command in ("release_submission", "discard_submission"):
            assert refused(account, command, by=TECHNICIAN, submission_id=SUBMISSION).code == "forbidden"
        account.do("discard_submission", submission_id=SUBMISSION, reason="Doble")
        shown = account.ask("submission", submission_id=SUBMISSION)
        assert (shown["status"], shown["decision"]["what"]) == ("discarded", "discarded")
        assert refused(account, "release_submission", submission_id=SUBMISSION).code == "submission-not-parked"
        assert refused(account, "release_submission", submission_id=OTHER_SUBMISSION).code == "submission-unknown"

    def test_accounts_do_not_see_each_other(self, account: Account) -> None:
        account.submit(SUBMISSION)
        stranger = account.caller(ADMIN, tenant=an_id(902))
        for query, params in (
            ("form", {"form_id": FORM}),
            ("form_version", {"form_id": FORM}),
            ("submission", {"submission_id": SUBMISSION}),
        ):
            with pytest.raises(Rejected, match="unknown"):
                account.app.query(query, params, stranger)
        assert account.app.query("submissions", {}, stranger)["items"] == []


def test_after_erasure_everything_still_answers(account: Account) -> None:
    account.submit(SUBMISSION)
    account.app.keyring.destroy_tenant(TENANT)
    with pytest.raises(Rejected, match="erased"):
        account.submit(OTHER_SUBMISSION)
    with pytest.raises(Rejected, match="form-version-unknown"):
        account.ask("form_version", form_id=FORM)


def test_two_signatures_signed_fast_are_two_facts(account: Account) -> None:
    account.publish(form(item("signature", "client"), item("signature", "tech", of="technician")))
    both = {"client": photo("a", type="image/png"), "tech": photo("b", type="image/png")}
    account.submit(SUBMISSION, form={"id": FORM, "version": 2}, answers=both)
    assert account.ask("submission", submission_id=SUBMISSION)["signatures"] == 2
