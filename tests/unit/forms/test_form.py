"""Forms from the first draft to retired versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.forms.domain.form import (
    ActivateForm,
    CreateForm,
    DeactivateForm,
    DraftSaved,
    EditHeader,
    Form,
    FormActivated,
    FormCreated,
    FormDeactivated,
    FormHeaderEdited,
    FormPublished,
    PublishForm,
    RetireVersion,
    SaveDraft,
    Version,
    VersionRetired,
    form,
)
from services.forms.domain.form_content import FormContentKept, KeepFormContent, form_content
from services.forms.domain.medium import MediumRejected, MediumStored, RejectMedium, StoreMedium, medium
from services.forms.domain.schema import canonical, content_hash
from services.kernel.testing.given import given
from tests.examples.forms import ADMIN, FORM, INSPECTION, NOW, sha

A, B = sha("a"), sha("b")
created = FormCreated(form_id=FORM, name="Inspección", description="", code="INS1")
drafted = DraftSaved(form_id=FORM, hash=A)
published = FormPublished(form_id=FORM, version=1, hash=A, active=True)


def asked(command: Any, **fields: Any) -> Any:
    return command(at=NOW, by=ADMIN, form_id=FORM, **fields)


def test_a_form_is_created_once() -> None:
    create = asked(CreateForm, name=" Inspección ", code="INS1")
    given(form).when(create).then(created)
    given(form).when(create).then_repeating_adds_nothing()
    given(form, created).when(asked(CreateForm, name="Another")).then_rejected("form-exists")


def test_nothing_can_be_done_to_a_form_that_does_not_exist() -> None:
    given(form).when(asked(SaveDraft, hash=A)).then_rejected("form-unknown")


def test_the_header_changes_where_something_is_given() -> None:
    renamed = FormHeaderEdited(form_id=FORM, name="Revisión", description="", code="INS1")
    given(form, created).when(asked(EditHeader, name="Revisión")).then(renamed)
    given(form, created).when(asked(EditHeader, code="X9")).then_repeating_adds_nothing()
    given(form, created).when(asked(EditHeader)).then_nothing()


def test_a_draft_is_saved_when_it_differs() -> None:
    given(form, created).when(asked(SaveDraft, hash=A)).then(drafted)
    given(form, created, drafted).when(asked(SaveDraft, hash=A)).then_nothing()


def test_the_first_version_brings_the_form_into_use() -> None:
    given(form, created, drafted).when(asked(PublishForm, hash=A)).then(published)
    given(form, created, drafted).when(asked(PublishForm, hash=A)).then_repeating_adds_nothing()


def test_what_is_published_is_the_draft_that_was_checked() -> None:
    given(form, created, drafted).when(asked(PublishForm, hash=B)).then_rejected("draft-changed")


def test_a_later_version_leaves_the_form_in_or_out_of_use() -> None:
    other = DraftSaved(form_id=FORM, hash=B)
    story = given(form, created, drafted, published, other)
    story.when(asked(PublishForm, hash=B)).then(FormPublished(form_id=FORM, version=2, hash=B, active=True))
    rested = given(form, created, drafted, published, other, FormDeactivated(form_id=FORM))
    rested.when(asked(PublishForm, hash=B)).then(FormPublished(form_id=FORM, version=2, hash=B, active=False))


def test_going_back_to_an_older_content_is_a_new_version() -> None:
    second = FormPublished(form_id=FORM, version=2, hash=B, active=True)
    story = given(form, created, drafted, published, DraftSaved(form_id=FORM, hash=B), second, drafted)
    story.when(asked(PublishForm, hash=A)).then(FormPublished(form_id=FORM, version=3, hash=A, active=True))


def test_a_form_is_used_or_not() -> None:
    given(form, created).when(asked(ActivateForm)).then_rejected("form-not-published")
    in_use = given(form, created, drafted, published)
    in_use.when(asked(ActivateForm)).then_nothing()
    rested = in_use.when(asked(DeactivateForm)).then(FormDeactivated(form_id=FORM))
    rested.when(asked(DeactivateForm)).then_nothing()
    rested.when(asked(ActivateForm)).then(FormActivated(form_id=FORM))


def test_a_version_closes_at_a_moment_that_can_be_moved() -> None:
    story = given(form, created, drafted, published)
    retire = asked(RetireVersion, version=1, closes_at=NOW)
    closed = story.when(retire).then(VersionRetired(form_id=FORM, version=1, closes_at=NOW))
    closed.when(retire).then_nothing()
    closed.when(asked(RetireVersion, version=1, closes_at=NOW + timedelta(days=1))).then_repeating_adds_nothing()
    story.when(asked(RetireVersion, version=2, closes_at=NOW)).then_rejected("form-version-unknown")


def test_versions_are_named_by_number_and_hash() -> None:
    state: Form = form.replay([created, drafted, published, VersionRetired(form_id=FORM, version=1, closes_at=NOW)])
    assert state.named(1) == state.named(1, A) == Version(A, NOW)
    assert state.named(1, B) is None
    assert state.named(2) is None
    assert Version(A, NOW).takes(NOW - timedelta(seconds=1))
    assert not Version(A, NOW).takes(NOW)


def test_a_content_is_kept_under_its_own_hash_only() -> None:
    document = INSPECTION.to_json()
    text, hash = canonical(document).decode(), content_hash(document)
    keep = KeepFormContent(at=NOW, by=ADMIN, hash=hash, content=text)
    given(form_content).when(keep).then(FormContentKept(hash=hash, content=text))
    given(form_content).when(keep).then_repeating_adds_nothing()
    wrong = KeepFormContent(at=NOW, by=ADMIN, hash=A, content=text)
    given(form_content).when(wrong).then_rejected("form-hash-wrong")


def test_what_is_stored_stays_stored() -> None:
    stored = MediumStored(media_id=A, bytes=5, type="image/jpeg")
    rejected = MediumRejected(media_id=A, code="too-heavy")
    store = StoreMedium(at=NOW, by="system:x", media_id=A, bytes=5, type="image/jpeg")
    reject = RejectMedium(at=NOW, by="system:x", media_id=A, code="too-heavy")
    given(medium).when(store).then(stored)
    given(medium).when(store).then_repeating_adds_nothing()
    given(medium, stored).when(reject).then_nothing()
    given(medium).when(reject).then(rejected)
    given(medium).when(reject).then_repeating_adds_nothing()
    given(medium, rejected).when(store).then(stored)
