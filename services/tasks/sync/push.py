"""Takes in what a device did: every command gets one durable result, the same however often it is sent.

The device numbers its commands without gaps, and they are carried out in that order and no other. A
command is carried out under a commit id made of device and command, so that of several attempts at it
(a lost answer, two connections at once) exactly one leaves facts: on the stream of what it changed, or, when it
could not take effect, on a stream of its own. The result is read from those facts, never remembered beside
them. The device's log moves on last; whatever dies before it is done again and finds itself done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from pydantic import ValidationError

from services.kernel.application import Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.tasks.domain.device_log import DeviceLog, SettleCommands, Settled, Status, device_log
from services.tasks.domain.field_command import AnswerCommand, CommandAnswered, field_command
from services.tasks.domain.task import task
from services.tasks.domain.task_events import TaskAssigned, TaskClaimed
from services.tasks.domain.task_evidence import AnswerForm, NoteTask
from services.tasks.domain.values import Id
from services.tasks.sites import TaskIds, sites
from services.tasks.standing import demand, teams_of
from services.tasks.sync.merging import conflicts_of, merged
from services.tasks.sync.rules import GONE, KINDS, SCHEMAS, Kind, is_online_only, parked_as
from services.tasks.sync.wire import CLOCK_TOLERANCE, FieldWork, Push

Document = dict[str, Any]
Result = dict[str, Any]

REFUSED_FOR_GOOD = frozenset({"command_id_reused", "submission_exists", "gone"})


def log_id(device_id: str, user_id: str) -> str:
    """Two people who share a phone have two logs: each installation numbers the work of each person by itself."""
    return str(uuid5(UUID(device_id), user_id))


def request_id(device_id: str, user_id: str) -> str:
    """Under which name all requests of a device are carried out, whatever batch they come in."""
    return f"device/{log_id(device_id, user_id)}"


def work_id(device_id: str, user_id: str, command_id: str) -> str:
    """The id of a command among all devices."""
    return str(uuid5(UUID(log_id(device_id, user_id)), command_id))


def take_commands(ask: Ask) -> Mapping[str, Any]:
    """Settle a batch: one result per command, in the order in which they came."""
    demand(ask.caller, "offline")
    push = read(ask.data)
    ask.command_id = request_id(push.device_id, ask.caller.actor)
    return Taking(ask, push).take()


class ContextQuery(Query):
    """Which device asks, and which tasks its submissions name."""

    device_id: Id
    task_ids: TaskIds = ()


def sync_context(query: ContextQuery, ask: Ask) -> Mapping[str, Any]:
    """The number that the device's next command must have, and where the tasks are that have a place."""
    demand(ask.caller, "offline")
    state: DeviceLog = ask.state(device_log, log_id(query.device_id, ask.caller.actor))
    return {"next": state.last_seq + 1, "sites": sites(ask, query.task_ids)}


def read(data: Mapping[str, Any]) -> Push:
    """The batch. Raises Rejected("invalid")."""
    try:
        return Push.model_validate(data)
    except ValidationError as wrong:
        errors = [
            {"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]}
            for e in wrong.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise Rejected("invalid", errors=errors) from None


class Taking:
    """One batch being taken in."""

    def __init__(self, ask: Ask, push: Push) -> None:
        self._ask = ask
        self._push = push
        self._log_id = log_id(push.device_id, ask.caller.actor)

    def take(self) -> Mapping[str, Any]:
        """Every command in the order of its number."""
        state: DeviceLog = self._ask.state(device_log, self._log_id)
        last_seq, clock = state.last_seq, state.last
        results: dict[str, Result] = {}
        settled: list[Settled] = []
        for work in sorted(self._push.commands, key=lambda work: work.seq):
            if work.seq > last_seq + 1:
                results[work.id] = _result(work, "deferred", code="gap", expected=last_seq + 1)
                continue
            if work.seq <= last_seq:
                results.setdefault(work.id, self._known(work))
                continue
            result = results[work.id] = self._settle(work)
            if result["status"] == "rejected" and result["code"] == "command_id_reused":
                continue  # this number is still to come, under an id of its own
            suspect = work.time_suspect(self._push.received_at, self._push.offset_ms, clock)
            settled.append(_settled(work, result["status"], result.get("code"), time_suspect=suspect))
            last_seq, clock = work.seq, work.clock
        self._move_on(settled)
        return {"results": [results[work.id] for work in self._push.commands], "last_seq": last_seq}

    def _known(self, work: FieldWork) -> Result:
        """The result of a command whose number has been taken in."""
        try:
            facts = self._ask.outcome(self._name(work), work.sent)
        except Rejected:
            facts = None
        if facts is None:
            # Either this id or this number stood for something else.
            return _result(work, "rejected", code="command_id_reused")
        return self._read(work, facts)

    def _settle(self, work: FieldWork) -> Result:
        try:
            facts = self._ask.outcome(self._name(work), work.sent) or self._carry_out(work)
        except Rejected as reused:
            if reused.code != "idempotency-key-reused":
                raise
            return _result(work, "rejected", code="command_id_reused")
        return self._read(work, facts)

    def _carry_out(self, work: FieldWork) -> list[Recorded]:
        if work.relayed is not None and (relayed := KINDS.get(work.type)) is not None and relayed.rule == "relayed":
            self._try(work, relayed)  # judged already, quarantine included, by the service that keeps it
        elif self._push.quarantine is not None and self._too_late(work):
            self._answer(work, "rejected", self._push.quarantine)
        elif work.faults:
            self._answer(work, "parked", "invalid", {"errors": list(work.faults)})
        elif self._push.quarantine is not None:
            self._answer(work, "parked", self._push.quarantine)
        elif is_online_only(work.type):
            self._answer(work, "rejected", "online_only")
        elif (kind := KINDS.get(work.type)) is None:
            self._answer(work, "parked", "type_unknown")
        elif work.schema_number not in SCHEMAS:
            self._answer(work, "parked", "schema_unknown")
        elif work.subject_id is None:
            self._answer(work, "parked", "invalid", {"errors": [{"loc": ["aggregate"], "type": "missing"}]})
        else:
            self._try(work, kind)
        facts = self._ask.outcome(self._name(work), work.sent)
        assert facts is not None, "a command was carried out and left no fact"
        return facts

    def _too_late(self, work: FieldWork) -> bool:
        """Whether it was done after the right to do it had ended."""
        ended_at = self._push.ended_at
        return ended_at is not None and work.occurred_at > ended_at + CLOCK_TOLERANCE

    def _try(self, work: FieldWork, kind: Kind) -> None:
        try:
            if kind.rule == "relayed":
                self._relay(work)
            elif work.type == "task.note" and has_carried(self._ask, str(work.subject_id)):
                self._note(work)
            else:
                carry_out(self._ask, self._name(work), work, kind)
        except Rejected as refused:
            if refused.code == "idempotency-key-reused":
                raise
            if refused.code in GONE:
                self._answer(work, "rejected", "gone")
            else:
                self._answer(work, "parked", parked_as(refused.code), refused.details)
        else:
            if self._ask.outcome(self._name(work), work.sent) is None:
                self._answer(work, "noop", None)

    def _note(self, work: FieldWork) -> None:
        """What was seen on a task is taken from whoever carried it then, whoever carries it now."""
        command = self._ask.make(NoteTask, KINDS[work.type].data(work))
        self._ask.handle(task, str(work.subject_id), command, part=self._part(work), asked=work.sent)

    def _relay(self, work: FieldWork) -> None:
        """A submission was judged by the service that keeps it; what it is of a task becomes a fact of the task."""
        told = work.relayed or {"status": "parked", "code": "relay_missing"}
        status, answer = told["status"], told.get("answer")
        if status in ("applied", "parked") and isinstance(answer, dict):
            # The same fact comes by way of the broker; the task takes it once. Here it is there at once, so
            # that a task can be completed in the very batch that brings its evidence.
            command = self._ask.make(AnswerForm, answer)
            part = self._part(work) if status == "applied" else f"{self._part(work)}/parked"
            self._ask.handle(task, answer["task_id"], command, part=part, asked=work.sent)
            if status == "applied" and self._ask.outcome(self._name(work), work.sent) is not None:
                return
        if status == "rejected" and told.get("code") not in REFUSED_FOR_GOOD:
            status = "parked"  # what could not even be read is evidence too
        self._answer(work, status, told.get("code"), {"submission_id": work.subject_id})

    def _answer(
        self, work: FieldWork, status: Status, code: str | None, facts: Mapping[str, Any] | None = None
    ) -> None:
        device_id, user_id = self._push.device_id, self._ask.caller.actor
        id = work_id(device_id, user_id, work.id)
        command = self._ask.make(
            AnswerCommand,
            {
                "work_id": id,
                "device_id": device_id,
                "user_id": user_id,
                "received_at": self._push.received_at,
                "settled": _settled(work, status, code),
                "facts": dict(facts or {}),
                # What another service keeps parked waits in that service's queue, with its evidence there.
                "evidence": work.sent if status == "parked" and not _kept_elsewhere(work) else None,
            },
        )
        self._ask.handle(field_command, id, command, part=self._part(work), asked=work.sent)

    def _read(self, work: FieldWork, facts: Sequence[Recorded]) -> Result:
        """The result that follows from the facts: the same ones give the same result for ever."""
        first, more = facts[0], _relayed(work)
        if isinstance(first.event, CommandAnswered):
            if first.event.code is not None:
                more["code"] = first.event.code
            if first.event.status in ("parked", "rejected"):
                more["retryable"] = False
            return _result(work, first.event.status, position=first.position, **more)
        if conflicts := conflicts_of(self._ask, work, facts):
            more["conflicts"] = conflicts
        return _result(work, "applied", aggregate_version=facts[-1].version, position=first.position, **more)

    def _move_on(self, settled: Sequence[Settled]) -> None:
        if not settled:
            return
        command = self._ask.make(
            SettleCommands,
            {
                "device_id": self._push.device_id,
                "user_id": self._ask.caller.actor,
                "received_at": self._push.received_at,
                "offset_ms": self._push.offset_ms,
                "settled": tuple(settled),
            },
        )
        span = {"from": settled[0].seq, "to": settled[-1].seq}
        self._ask.handle(device_log, self._log_id, command, part=f"settle/{span['from']}-{span['to']}", asked=span)

    def _part(self, work: FieldWork) -> str:
        """Under which name of its own a command leaves its facts: the same in whatever batch it comes."""
        return work.id

    def _name(self, work: FieldWork) -> str:
        return f"{self._ask.command_id}/{self._part(work)}"


def has_carried(ask: Ask, task_id: str) -> bool:
    """Whether the task was ever the caller's, or one of his teams'."""
    teams = teams_of(ask).joined_by(ask.caller.actor)
    given = (fact.event for fact in ask.facts(task, task_id) if isinstance(fact.event, TaskAssigned | TaskClaimed))
    return any(event.user_id == ask.caller.actor or event.team_id in teams for event in given)


def carry_out(ask: Ask, name: str, work: FieldWork, kind: Kind) -> None:
    """Let the service's own command decide, as if the person had asked for it online."""
    data = dict(kind.data(work))
    if kind.rule == "fields":
        data = merged(ask, work, data)
    ask.request(kind.command, data, name, work.sent)


def _result(work: FieldWork, status: str, **more: Any) -> Result:
    return {"id": work.id, "seq": work.seq, "status": status, **more}


def _settled(work: FieldWork, status: Status, code: str | None, *, time_suspect: bool = False) -> Settled:
    return Settled(
        command_id=work.id,
        seq=work.seq,
        type=work.type,
        status=status,
        code=code,
        subject_kind=work.aggregate.kind if work.aggregate else None,
        subject_id=work.subject_id,
        clock=work.clock,
        time_suspect=time_suspect,
    )


def _kept_elsewhere(work: FieldWork) -> bool:
    return work.relayed is not None and work.relayed["status"] == "parked"


def _relayed(work: FieldWork) -> Result:
    told = work.relayed or {}
    return {name: told[name] for name in ("missing_media",) if name in told}
