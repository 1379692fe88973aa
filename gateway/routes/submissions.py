"""Submissions: answers handed in, looked at, mended, and decided upon where they were parked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.calls import Call, json_response
from gateway.door import CallDep, needs, resource
from gateway.errors import Problem
from gateway.findings import told, worded
from gateway.messages import describe
from gateway.routes.fields import (
    EXAMPLE_ID,
    Body,
    Cursor,
    Found,
    Id,
    Limit,
    Listed,
    LocalMoment,
    Moment,
    PathId,
    Reason,
    Receipt,
    Text,
    given,
)
from gateway.words.forms import FINDING_WORDS

router = resource("submissions")

SERVICE = "forms"
READ, EDIT, EXECUTE = "submissions:read", "submissions:edit", "tasks:execute"
LOCATION = "/v1/submissions/{id}"

Status = Literal["accepted", "parked", "released", "discarded"]
Parked = Literal["form_version_unknown", "form_version_closed", "answers_invalid", "seat_inactive", "device_revoked"]
Hash = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
MediaType = Annotated[str, StringConstraints(min_length=3, max_length=100, pattern=r"^[a-z]+/[a-z0-9.+-]+$")]
Answers = Annotated[
    dict[str, Any],
    Field(description="By the questions' names; a repeated group is a list.", examples=[{"contact": "Ana"}]),
]


class FormRef(Body):
    """The exact version that was filled in."""

    id: Id = Field(examples=[EXAMPLE_ID])
    version: int = Field(ge=1, le=1_000_000, examples=[1])
    hash: Hash | None = None


class MediaItem(Body):
    """A file that belongs to the answers, named by the hash of its bytes."""

    id: Hash
    bytes: int = Field(ge=1, le=2**40)
    type: MediaType
    field: Annotated[str, StringConstraints(max_length=200)] | None = None


class Place(Body):
    """Where it was filled in."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False, examples=[4.6533])
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False, examples=[-74.0836])
    accuracy_m: float | None = Field(default=None, ge=0, le=100_000, allow_inf_nan=False)


class Submit(Body):
    """Answers to a version of a form."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")
    form: FormRef
    task_id: Id | None = None
    answers: Answers
    media: list[MediaItem] = Field(default_factory=list, max_length=2_000)
    place: Place | None = None
    occurred_at: LocalMoment | None = Field(
        default=None,
        description="With the offset of the place: dates in formulas are those of that place.",
        examples=["2026-11-23T09:12:03-05:00"],
    )


class Amend(Body):
    """Other answers in place of those before, which are kept."""

    answers: Answers
    media: list[MediaItem] = Field(default_factory=list, max_length=2_000)
    occurred_at: LocalMoment | None = None
    reason: Annotated[Text, Field(max_length=1_000)] = ""


class ReleaseParked(Body):
    """Accept what was parked."""

    reason: Annotated[Text, Field(max_length=1_000)] = ""


class DiscardParked(Body):
    """Decide that what was parked does not count."""

    reason: Reason = Field(examples=["Handed in twice."])


@router.post("/submissions", status_code=201, summary="Hand in answers", response_model=Receipt, **needs(EXECUTE))
async def submit_answers(body: Submit, call: CallDep) -> Response:
    """Judged by the version they name; refused with every finding when something is wrong."""
    data = {name: value for name, value in body.data().items() if value is not None}
    data["submission_id"] = data.pop("id", None) or call.new_id()
    if body.task_id is not None and (site := await _site(call, str(body.task_id))) is not None:
        data["site"] = site
    with worded(call.context.language, findings=FINDING_WORDS):
        return await call.command(SERVICE, "submit", data, created=LOCATION)


async def _site(call: Call, task_id: str) -> dict[str, float] | None:
    """Where the task is. While nobody can say, nobody is held to be in the wrong place."""
    try:
        told = await call.ask_present("tasks", "sites", {"task_ids": [task_id]})
    except Problem as problem:
        if problem.refused:
            raise
        return None
    site: dict[str, float] | None = told["sites"].get(task_id)
    return site


@router.get("/submissions", summary="Submissions", response_model=Listed, **needs(READ))
async def submissions(
    call: CallDep,
    form_id: Id | None = None,
    task_id: Id | None = None,
    user_id: Id | None = None,
    device_id: Id | None = None,
    status: Annotated[list[Status] | None, Query(description="Any of these; `parked` waits for a decision.")] = None,
    parked: Annotated[Parked | None, Query(description="Why they were parked.")] = None,
    complete: Annotated[bool | None, Query(description="Whether all their media have arrived.")] = None,
    start: Annotated[Moment | None, Query(alias="from", examples=["2026-11-01T05:00:00Z"])] = None,
    end: Annotated[Moment | None, Query(alias="to", examples=["2026-12-01T05:00:00Z"])] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The latest first. Technicians see what they handed in, leaders what their people did."""
    params = given(
        form_id=form_id,
        task_id=task_id,
        user_id=user_id,
        device_id=device_id,
        status=status,
        parked=parked,
        complete=complete,
        to=end,
        limit=limit,
        cursor=cursor,
    )
    return await call.query(SERVICE, "submissions", params | given(**{"from": start}))


@router.get("/submissions/{submission_id}", summary="A submission in full", response_model=Found, **needs(READ))
async def submission(submission_id: PathId, call: CallDep) -> Response:
    """What counts now, the original, every amendment, and how each of its media stands."""
    answer = await call.ask(SERVICE, "submission", {"submission_id": str(submission_id)})
    language = call.context.language
    media = [{**item, "detail": _why(item["code"], language)} for item in answer["media"]]
    findings = told(answer["findings"], FINDING_WORDS, language)
    return json_response({**answer, "findings": findings, "media": media})


def _why(code: str | None, language: str) -> str | None:
    """Why a file is not accepted, in words: by the question that it answers, or wherever it is."""
    if code is None:
        return None
    if code in FINDING_WORDS:
        english, spanish = FINDING_WORDS[code]
        return spanish if language == "es" else english
    return describe(code, language, {})[2]


@router.get("/submissions/{submission_id}/status", summary="How far it is", response_model=Found, **needs(READ))
async def submission_status(submission_id: PathId, call: CallDep) -> Response:
    """`safe` says that everything has arrived: before that a device must keep its own copy."""
    return await call.query(SERVICE, "submission_status", {"submission_id": str(submission_id)})


@router.post("/submissions/{submission_id}/amend", summary="Amend", response_model=Receipt, **needs(READ))
async def amend_submission(submission_id: PathId, body: Amend, call: CallDep) -> Response:
    """By whoever handed it in or by the office; judged by the version of old."""
    data = {name: value for name, value in body.data().items() if value is not None}
    with worded(call.context.language, findings=FINDING_WORDS):
        return await call.command(SERVICE, "amend_submission", {**data, "submission_id": str(submission_id)})


@router.post(
    "/submissions/{submission_id}/release", summary="Release a parked one", response_model=Receipt, **needs(EDIT)
)
async def release_submission(submission_id: PathId, call: CallDep, body: ReleaseParked | None = None) -> Response:
    """From now on it counts."""
    data = body.data() if body else {}
    return await call.command(SERVICE, "release_submission", {**data, "submission_id": str(submission_id)})


@router.post(
    "/submissions/{submission_id}/discard", summary="Discard a parked one", response_model=Receipt, **needs(EDIT)
)
async def discard_submission(submission_id: PathId, body: DiscardParked, call: CallDep) -> Response:
    """It stays to be read, and does not count."""
    return await call.command(SERVICE, "discard_submission", {**body.data(), "submission_id": str(submission_id)})
