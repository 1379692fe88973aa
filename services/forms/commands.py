"""The commands of this service: their names, the aggregate that decides, and what it must know first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.forms import contents, exchange, handing_in, settling
from services.forms.domain.form import (
    ActivateForm,
    CreateForm,
    DeactivateForm,
    EditHeader,
    PublishForm,
    RetireVersion,
    SaveDraft,
    form,
)
from services.forms.domain.submission import Amend, Discard, Release, Submit, submission
from services.forms.exports import EXPORTS
from services.forms.standing import demand
from services.kernel.application import Ask, Do, On

EDIT = "forms:edit"


def _editing(prepare: Callable[[Ask], Mapping[str, Any]] | None = None) -> Callable[[Ask], Mapping[str, Any]]:
    def prepared(ask: Ask) -> Mapping[str, Any]:
        demand(ask.caller, EDIT)
        return prepare(ask) if prepare else ask.data

    return prepared


COMMANDS: Mapping[str, On | Do] = {
    "create_form": On(form, CreateForm, id="form_id", prepare=_editing(), creates=True),
    "edit_form_header": On(form, EditHeader, id="form_id", prepare=_editing()),
    "save_form_draft": On(form, SaveDraft, id="form_id", prepare=_editing(contents.saving)),
    "publish_form": On(form, PublishForm, id="form_id", prepare=_editing(contents.publishing)),
    "activate_form": On(form, ActivateForm, id="form_id", prepare=_editing()),
    "deactivate_form": On(form, DeactivateForm, id="form_id", prepare=_editing()),
    "retire_form_version": On(form, RetireVersion, id="form_id", prepare=_editing()),
    "import_xlsform": Do(exchange.import_xlsform),
    "submit": On(submission, Submit, id="submission_id", prepare=handing_in.submitting, creates=True),
    "submit_from_device": On(
        submission, Submit, id="submission_id", prepare=handing_in.submitting_from_device, creates=True
    ),
    "accept_submissions": Do(handing_in.accept_submissions),
    "amend_submission": On(submission, Amend, id="submission_id", prepare=handing_in.amending),
    "release_submission": On(submission, Release, id="submission_id", prepare=handing_in.releasing),
    "discard_submission": On(submission, Discard, id="submission_id", prepare=handing_in.discarding),
    # The platform's own: whoever keeps the bytes says so, and its reactions tell every submission that waits.
    "media_stored": Do(settling.media_stored),
    "media_rejected": Do(settling.media_rejected),
    "media_withdrawn": Do(settling.media_withdrawn),
    "settle_media": Do(settling.settle_media),
    **EXPORTS.commands,
}
