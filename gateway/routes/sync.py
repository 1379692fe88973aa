"""Offline work: a phone sends what was done on it, and asks for what its person is to carry."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import Query, Request
from pydantic import ConfigDict, Field, StringConstraints
from starlette.responses import Response

from gateway import devices
from gateway.calls import Call
from gateway.devices import Device
from gateway.door import CallDep, on_device, resource, signed_in
from gateway.errors import Problem
from gateway.live import LiveFeed
from gateway.routes.fields import EXAMPLE_ID, OTHER_ID, Body, Id, Receipt
from services.kernel.broker import BrokerLost

router = resource("sync")

TASKS, FORMS, IDENTITY = "tasks", "forms", "identity"
LARGEST_BATCH = 500
WORTH_PACKING = 1_024
SETTLING = 0.3
"""Read models follow facts a moment later."""
QUICKLY = 1
"""A day's work shrinks to a tenth already so; trying harder costs much more than it saves."""
SUBMISSIONS = "submission."

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
Signature = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{86}$")]


class Enrol(Body):
    """The phone that one is logged in on, its public key (Ed25519, base64url), and the proof that it has the other."""

    device_id: Id = Field(examples=[EXAMPLE_ID])
    public_key: Key = Field(examples=["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"])
    proof: Signature = Field(description="`checkop-enrol:<device_id>:<user_id>`, signed.", examples=["A" * 86])


class Enrolled(Receipt):
    """The device, and an access token that names its key."""

    model_config = ConfigDict(extra="allow")
    device_id: str
    access_token: str


class Work(Body):
    """One thing done on the phone. What it is about and its body are judged command by command, never here."""

    model_config = ConfigDict(extra="allow", json_schema_extra={})

    id: Id
    seq: Annotated[int, Field(ge=1, le=2**53)]
    type: Annotated[str, StringConstraints(min_length=1, max_length=60)]


class Push(Body):
    """What was done, numbered without gaps."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "commands": [
                    {
                        "id": EXAMPLE_ID,
                        "seq": 118,
                        "type": "task.advance",
                        "schema": 1,
                        "aggregate": {"kind": "task", "id": OTHER_ID},
                        "base_version": 7,
                        "occurred_at": "2026-11-23T09:12:03-05:00",
                        "mono_ms": 8123991,
                        "boot_id": "b3",
                        "body": {"to_stage": "in-progress"},
                    }
                ]
            }
        }
    )
    batch_id: Annotated[str, StringConstraints(max_length=64)] | None = None
    commands: Annotated[list[Work], Field(max_length=LARGEST_BATCH)]


class Settled(Body):
    """One result per command, in the order of the request."""

    results: list[dict[str, Any]]
    last_seq: int
    server_time: str


class Changes(Body):
    """What to put and what to remove, and the cursor to ask with next."""

    model_config = ConfigDict(extra="allow")
    changes: list[dict[str, Any]]
    cursor: str
    more: bool
    through_seq: int
    scope_hash: str
    reset: bool


@router.post("/devices", status_code=201, summary="Enrol a phone", response_model=Enrolled, **signed_in())
async def enrol_device(body: Enrol, call: CallDep) -> Response:
    """Once per installation, by a session that was opened on this device (`kind: device`)."""
    answer = await call.execute(IDENTITY, "enrol_device", body.data())
    return call.receipt(answer, created="/v1/devices")


@router.post("/sync/push", summary="Hand work in", response_model=Settled, **on_device())
async def push(body: Push, request: Request, call: CallDep) -> Response:
    """Always 200 with a result for each command: `applied`, `noop`, `parked`, `rejected`, or `deferred` until what
    comes before it has arrived. Sent again, a command has the same result and no further effect."""
    raw = await request.body()
    devices.check_body(request, raw)
    device = devices.device_of(request)
    commands: list[dict[str, Any]] = orjson.loads(raw)["commands"]
    relayed = await _submissions(call, device, commands)
    wanted = {
        **_circumstances(device),
        "commands": [{**work, "sent": work, "relayed": relayed.get(work["id"])} for work in commands],
    }
    settled = await call.execute_as(TASKS, "take_commands", wanted, _name(call, device))
    return await _packed(request, {**settled, "server_time": _now()})


@router.get("/sync/pull", summary="Fetch what is new", response_model=Changes, **on_device())
async def pull(
    request: Request,
    call: CallDep,
    cursor: Annotated[str | None, Query(max_length=600)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 500,
    wait: Annotated[int, Query(ge=0, le=25, description="Seconds to wait for news, when there is none.")] = 0,
) -> Response:
    """With `reset`, everything the phone has is to be replaced by what follows; without a cursor one begins so."""
    device = devices.device_of(request)
    if device.ended is not None:
        raise Problem("device-revoked", wipe=True)
    asked = {"device_id": device.id, "limit": limit} | ({"cursor": cursor} if cursor else {})
    page = await call.ask(TASKS, "sync_pull", asked)
    if wait and not (page["changes"] or page["reset"] or page["more"]):
        await _news(request.app.state.live, call, wait)
        page = await call.ask(TASKS, "sync_pull", asked)
    return await _packed(request, page)


async def _news(feed: LiveFeed, call: Call, seconds: float) -> None:
    """Wait until something happens in the account that this person may know of; it need not concern the phone."""
    try:
        listener, _ = await feed.join(call.principal, None)
    except BrokerLost:
        return
    try:
        await listener.next(seconds)
        await asyncio.sleep(SETTLING)
    finally:
        feed.leave(listener)


async def _submissions(call: Call, device: Device, commands: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the service that keeps submissions says to those whose turn it is; the others wait for theirs."""
    if not any(work["type"].startswith(SUBMISSIONS) for work in commands):
        return {}
    named = sorted({task for work in commands if (task := _task_of(work)) is not None})
    context = await call.ask(TASKS, "sync_context", {"device_id": device.id, "task_ids": named})
    turn = _reached(context["next"], {work["seq"] for work in commands})
    ours = [work for work in commands if work["type"].startswith(SUBMISSIONS) and work["seq"] < turn]
    if not ours:
        return {}
    wanted = {**_circumstances(device), "sites": context["sites"], "commands": ours}
    answer = await call.execute_as(FORMS, "accept_submissions", wanted, _name(call, device))
    return {result["id"]: result for result in answer["results"]}


def _task_of(work: Mapping[str, Any]) -> str | None:
    body = work.get("body")
    task = body.get("task_id") if work["type"].startswith(SUBMISSIONS) and isinstance(body, dict) else None
    return task if isinstance(task, str) else None


def _reached(next_number: int, numbers: Iterable[int]) -> int:
    """The first number that is still missing, once all of these have come."""
    known = set(numbers)
    while next_number in known:
        next_number += 1
    return next_number


def _circumstances(device: Device) -> dict[str, Any]:
    told = {"device_id": device.id, "received_at": device.received_at.isoformat(), "offset_ms": device.offset_ms}
    if device.ended is None:
        return told
    ended_at = device.ended_at.isoformat() if device.ended_at else None
    return {**told, "quarantine": device.ended, "ended_at": ended_at}


def _name(call: Call, device: Device) -> str:
    """Under which id a device's commands are carried out, whatever batch they come in."""
    return f"device/{device.id}/{call.principal.actor}"


async def _packed(request: Request, document: Mapping[str, Any]) -> Response:
    body = orjson.dumps(document)
    headers = {"Server-Time": _now(), "Vary": "Accept-Encoding"}
    if len(body) >= WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        body = await asyncio.to_thread(gzip.compress, body, QUICKLY, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, 200, headers, "application/json")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
