"""One service put together: its aggregates, commands, queries, read models and reactions, ready to be asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.kernel import logging
from services.kernel.clock import Clock, new_id
from services.kernel.commands import Journal, Receipt
from services.kernel.commit import PLATFORM, Caller, Recorded
from services.kernel.config import Settings
from services.kernel.domain import Command, Decider, Rejected
from services.kernel.message import Incoming
from services.kernel.readmodel import ReadModel
from services.kernel.secrets import Secrets
from services.kernel.timers import At, Dispatch, Every

log = logging.get(__name__)
VISIBLE_WITHIN_SECONDS = 2.0
HEALTH = "health"
"""The one query that every service on real engines answers without defining it; see `health.report`."""
_FILLED_BY_KERNEL = frozenset({"at", "by"})


class Query(BaseModel):
    """A question: its parameters, checked before anything is looked up."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class On:
    """A command for one aggregate: `id` names the (prepared) field that holds the aggregate's id.

    `prepare` adds facts from elsewhere to the data before the command is made; `answer` adds fields to
    the receipt from the state afterwards. `creates`: what it is about is new as a rule, so it is not looked for
    first; where it is there after all, the store says so, and the decision is made anew upon it.
    """

    decider: Decider[Any, Any, Any]
    command: type[Command]
    id: str
    prepare: Callable[[Ask], Mapping[str, Any]] | None = None
    answer: Callable[[Ask, Receipt, Any], Mapping[str, Any]] | None = None
    creates: bool = False


@dataclass(frozen=True, slots=True)
class Do:
    """A command that takes several aggregates, each by its own commit; a repeat finds every part done."""

    run: Callable[[Ask], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Reaction:
    """A policy: whenever something happened, then do something. `react` yields commands and timers.

    What it does outside MongoDB (mail, object store) happens at least once and must be idempotent by
    the fact's id.
    """

    name: str
    categories: tuple[str, ...]
    react: Callable[[Recorded, Reacting], Iterable[Dispatch | At] | None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Another service's facts (or one's own, by way of the broker) that this service follows.

    Either `into` a read model or to a reaction; `models` reads the types of interest tolerantly.
    """

    handler: str
    source: str
    categories: tuple[str, ...]
    models: Mapping[str, type[Incoming]] = field(default_factory=dict)
    into: ReadModel | None = None
    react: Callable[[Recorded, Reacting], Iterable[Dispatch | At] | None] | None = None


Handles = On | Do
Answers = tuple[type[Query], Callable[[Any, "Ask"], Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDefinition:
    """Everything a service is, as data; `wiring.py` of each service makes one."""

    name: str
    deciders: tuple[Decider[Any, Any, Any], ...]
    commands: Mapping[str, Handles]
    queries: Mapping[str, Answers]
    read_models: tuple[ReadModel, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    clocks: tuple[Every, ...] = ()
    timer_threads: int = 1
    """How many timers one worker runs side by side: more where running one means waiting for long."""

    @property
    def foreign_models(self) -> tuple[ReadModel, ...]:
        """The read models fed by subscriptions, each once."""
        return tuple({s.into.name: s.into for s in self.subscriptions if s.into is not None}.values())


class Reads(Protocol):
    """What the application asks of the read side; MongoDB in production, memory in unit tests."""

    def of(self, tenant: str) -> Any:
        """The tenant-bound read models."""

    def visible(self, position: int) -> bool:
        """Whether the read models of own facts show everything up to this position of the log."""

    def followed(self, model: str) -> int:
        """Up to which position of the log this read model of own facts shows everything."""


class Application:
    """Carries out commands and answers queries of one service, on whatever store and read side it is given."""

    def __init__(
        self,
        definition: ServiceDefinition,
        journal: Journal,
        reads: Reads,
        clock: Clock,
        settings: Settings,
        secrets: Secrets,
        ports: Mapping[str, Any],
    ) -> None:
        self.definition = definition
        self.journal = journal
        self.reads = reads
        self.clock = clock
        self.settings = settings
        self.secrets = secrets
        self.ports = ports

    def execute(
        self,
        command: str,
        data: Mapping[str, Any],
        caller: Caller,
        command_id: str,
        expected_version: int | None = None,
        *,
        asked: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Carry out one command, once per `command_id`; the answer to a repeat is the first one.

        `asked` is the whole of what was asked, where the command's data are made from it. Raises Rejected
        ("command-unknown", "invalid", or whatever the domain says), VersionConflict, StoreUnavailable.
        """
        handles = self.definition.commands.get(command)
        if handles is None:
            raise Rejected("command-unknown", command=command)
        digest = self.digest(command, data) if asked is None else self.digest("", asked)
        ask = Ask(self, caller, dict(data), command_id, digest, expected_version)
        if isinstance(handles, Do):
            return dict(handles.run(ask))
        return ask.carry_out(handles)

    def query(
        self, query: str, params: Mapping[str, Any], caller: Caller, at_least: int | None = None
    ) -> dict[str, Any]:
        """Answer one question; with `at_least`, only once the read models have followed that far.

        Raises Rejected ("query-unknown", "invalid", "position-ahead" for one that no write has had yet,
        "not-yet-visible" after two seconds, or domain codes).
        """
        if query == HEALTH and HEALTH in self.ports:
            return dict(self.ports[HEALTH]())
        known = self.definition.queries.get(query)
        if known is None:
            raise Rejected("query-unknown", query=query)
        model, answer = known
        asked = checked(model, params)
        if at_least is not None:
            self.await_visible(at_least)
        return dict(answer(asked, Ask(self, caller, {}, "", "", None)))

    def dispatch(self, dispatch: Dispatch, *, tenant: str, by: str, commit_id: str, cause: Recorded | None) -> None:
        """Carry out a reaction's or timer's command as the system. A refusal is an answer and is logged."""
        caller = Caller(
            tenant=tenant,
            actor=f"system:{by}",
            role="system",
            origin=cause.origin if cause else None,
            correlation_id=cause.correlation_id if cause else commit_id,
            causation_id=cause.id if cause else commit_id,
        )
        try:
            self.execute(dispatch.command, dispatch.data, caller, commit_id)
        except Rejected as refused:
            log.warning(
                "dispatch.refused",
                by=by,
                command=dispatch.command,
                code=refused.code,
                cause=caller.causation_id,
            )

    def await_visible(self, at_least: int) -> None:
        """Wait until the read models show everything up to this position. Raises Rejected; see `query`."""
        if self.reads.visible(at_least):
            return
        if at_least > self.journal.store.head():
            raise Rejected("position-ahead", at_least=at_least)
        until = time.monotonic() + VISIBLE_WITHIN_SECONDS
        while not self.reads.visible(at_least):
            if time.monotonic() > until:
                raise Rejected("not-yet-visible", at_least=at_least)
            time.sleep(0.005)

    def digest(self, command: str, data: Mapping[str, Any]) -> str:
        """What a request asks for, in one keyed fingerprint.

        Keyed, because the data may hold a password, and a plain hash of it could be guessed from the log.
        """
        return self.secrets.fingerprint(
            "request", orjson.dumps([command, data], option=orjson.OPT_SORT_KEYS, default=str).decode()
        )


class Ask:
    """One request being carried out: its data, who asks, when, and what may be looked up for it."""

    def __init__(
        self,
        app: Application,
        caller: Caller,
        data: dict[str, Any],
        command_id: str,
        digest: str,
        expected_version: int | None,
    ) -> None:
        self._app = app
        self.command_id = command_id
        self._digest = digest
        self._expected_version = expected_version
        self.caller = caller
        self.data = data
        self.now: datetime = app.clock.now()
        self.settings = app.settings
        self.secrets = app.secrets
        self.ports = app.ports

    def on_behalf_of(self, actor: str, role: str, *permissions: str) -> Ask:
        """The same request as somebody else of the caller's account would see it: for work that he has left to it."""
        other = copy(self)
        other.caller = Caller(
            tenant=self.caller.tenant,
            actor=actor,
            role=role,
            permissions=frozenset(permissions),
            correlation_id=self.caller.correlation_id,
            causation_id=self.caller.causation_id,
        )
        return other

    def in_account(self, tenant: str) -> Ask:
        """The same request inside one account: for what the platform does by itself, for everybody.

        Raises Rejected("forbidden") for a request that is an account's own.
        """
        if self.caller.tenant != PLATFORM or self.caller.role != "system":
            raise Rejected("forbidden")
        other = copy(self)
        other.caller = replace(self.caller, tenant=tenant)
        return other

    def await_reads(self, decider: Decider[Any, Any, Any], id: str) -> None:
        """Wait until the read models show whatever was in the log before the aggregate's last change.

        Raises Rejected("not-yet-visible") after two seconds.
        """
        self._app.await_visible(self._app.journal.load(decider, self.caller.tenant, id).position)

    @property
    def reads(self) -> Any:
        """The read models, bound to the caller's account."""
        return self._app.reads.of(self.caller.tenant)

    def reads_of(self, tenant: str) -> Any:
        """The read models of another account, for who comes with a right that is not his own account's."""
        return self._app.reads.of(tenant)

    def followed(self, model: str) -> int:
        """Up to which position of the log a read model of own facts shows everything."""
        return self._app.reads.followed(model)

    def state(self, decider: Decider[Any, Any, Any], id: str, *, tenant: str | None = None) -> Any:
        """Another aggregate of this service as of now (not a read model: never behind)."""
        return self._app.journal.load(decider, tenant or self.caller.tenant, id).state

    def facts(self, decider: Decider[Any, Any, Any], id: str, *, tenant: str | None = None) -> list[Recorded]:
        """Everything that has happened to an aggregate, oldest first."""
        journal = self._app.journal
        commits = journal.load(decider, tenant or self.caller.tenant, id).commits
        return [fact for commit in commits for fact in journal.registry.recorded(commit, journal.keyring)]

    def state_at(self, decider: Decider[Any, Any, Any], id: str, up_to: int) -> Any:
        """An aggregate of the caller's account as it stood at that position of the log."""
        return self._app.journal.load(decider, self.caller.tenant, id, up_to=up_to).state

    def version(self, decider: Decider[Any, Any, Any], id: str) -> int:
        """The present version of an aggregate of the caller's account; 0 where there is none."""
        return self._app.journal.load(decider, self.caller.tenant, id).version

    @staticmethod
    def new_id() -> str:
        """A fresh id."""
        return new_id()

    def handle(
        self,
        decider: Decider[Any, Any, Any],
        id: str,
        command: Command | Callable[[], Command],
        *,
        part: str,
        asked: Mapping[str, Any] | None = None,
        tenant: str | None = None,
    ) -> Receipt:
        """One part of a `Do`: carried out under "<command id>/<part>", so that a repeat adds nothing.

        Give a function instead of a command where it rests on facts that a lost race would change, and
        `asked` where the part is a request of its own that may come again in other company.
        """
        make = command if callable(command) else None
        return self._app.journal.handle(
            decider,
            id,
            make() if make else command,  # type: ignore[arg-type]
            commit_id=f"{self._scope()}/{part}",
            caller=self.caller,
            digest=self._digest_of(asked),
            tenant=tenant,
            redecide=make,
        )

    def done(self, part: str, asked: Mapping[str, Any] | None = None) -> Receipt | None:
        """What a part of a `Do` left behind when it was carried out before; None when it was not.

        Raises Rejected("idempotency-key-reused") when it was something else that was asked then.
        """
        return self._app.journal.earlier(f"{self._scope()}/{part}", self._digest_of(asked))

    def request(
        self, command: str, data: Mapping[str, Any], command_id: str, asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A request inside this one, carried out as if the caller had sent it by itself under that id."""
        return self._app.execute(command, data, self.caller, command_id, asked=asked)

    def outcome(self, command_id: str, asked: Mapping[str, Any]) -> list[Recorded] | None:
        """The facts that such a request, or a part of a `Do`, left behind; None when it left none.

        Raises Rejected("idempotency-key-reused") when the id was used for something else.
        """
        app = self._app
        commit = app.journal.store.find(f"cmd:{self.caller.tenant}:{command_id}")
        if commit is None:
            return None
        if commit.digest != app.digest("", asked):
            raise Rejected("idempotency-key-reused")
        return app.journal.registry.recorded(commit, app.journal.keyring)

    def make(self, command: type[Command], fields: Mapping[str, Any]) -> Command:
        """A command of this type from fields, with time and actor filled in. Raises Rejected("invalid")."""
        return checked(command, {**fields, "at": self.now, "by": self.caller.actor})

    def carry_out(self, on: On) -> dict[str, Any]:
        """A whole `On`: prepare, make, decide, store, answer."""
        if taken := _FILLED_BY_KERNEL & self.data.keys():
            raise Rejected(
                "invalid",
                errors=[{"loc": [name], "msg": "not yours to set", "type": "forbidden"} for name in taken],
            )

        try:
            receipt = self._decide_and_store(on)
        except Rejected:
            # A check that fails today says nothing about a request that was carried out before it failed.
            earlier = self._app.journal.earlier(self._scope(), self._digest)
            if earlier is None:
                raise
            receipt = earlier
        answer = receipt.to_wire()
        if on.answer is not None:
            answer |= on.answer(self, receipt, self.state(on.decider, receipt.id))
        return answer

    def _decide_and_store(self, on: On) -> Receipt:
        def prepared() -> Mapping[str, Any]:
            return on.prepare(self) if on.prepare else self.data

        fields = prepared()
        id = fields.get(on.id)
        if not isinstance(id, str) or not id:
            raise Rejected("invalid", errors=[{"loc": [on.id], "msg": "an id is required", "type": "missing"}])
        return self._app.journal.handle(
            on.decider,
            id,
            self.make(on.command, fields),
            commit_id=self._scope(),
            caller=self.caller,
            digest=self._digest,
            expected_version=self._expected_version,
            redecide=(lambda: self.make(on.command, prepared())) if on.prepare else None,
            creates=on.creates,
        )

    def _digest_of(self, asked: Mapping[str, Any] | None) -> str:
        return self._digest if asked is None else self._app.digest("", asked)

    def _scope(self) -> str:
        # A client's id counts inside its own account only, so no account can occupy another's.
        return f"cmd:{self.caller.tenant}:{self.command_id}"


class Reacting:
    """What a reaction may look at and use while it decides what to do."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self.settings = app.settings
        self.secrets = app.secrets
        self.now = app.clock.now()

    def state(self, decider: Decider[Any, Any, Any], tenant: str, id: str) -> Any:
        """An aggregate of this service as of now."""
        return self._app.journal.load(decider, tenant, id).state

    def reads(self, fact: Recorded) -> Any:
        """The read models of the fact's account; they show an own fact, and whatever was in the log before it.

        How far they have followed another service's facts is not known here. Raises TimeoutError, upon which the
        reaction is tried again later.
        """
        if fact.service == self._app.definition.name:
            try:
                self._app.await_visible(fact.position)
            except Rejected as behind:
                raise TimeoutError(f"the read models do not show {fact.id} yet") from behind
        return self._app.reads.of(fact.tenant)

    def carried_out(self, commit_id: str) -> bool:
        """Whether a commit of this id is in the log, so that an outside effect need not be repeated."""
        return self._app.journal.store.find(commit_id) is not None

    @property
    def mail(self) -> Any:
        """The mail port."""
        return self._app.ports["mail"]()

    @property
    def objects(self) -> Any:
        """The object store port."""
        return self._app.ports["objects"]()


M = TypeVar("M", bound=BaseModel)


def checked(model: type[M], fields: Mapping[str, Any]) -> M:
    """Data from outside as this model. Raises Rejected("invalid") with every place that is wrong."""
    try:
        return model.model_validate(dict(fields))
    except ValidationError as wrong:
        errors = [
            {"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]}
            for e in wrong.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise Rejected("invalid", errors=errors) from None


__all__ = [
    "PLATFORM",
    "Application",
    "Ask",
    "At",
    "Dispatch",
    "Do",
    "On",
    "Query",
    "Reacting",
    "Reaction",
    "ReadModel",
    "Reads",
    "ServiceDefinition",
    "Subscription",
    "checked",
]
