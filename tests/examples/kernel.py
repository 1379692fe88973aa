"""Two small services to try the kernel with: parcels that travel, and depots that follow them over the broker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, assert_never

from services.kernel.application import (
    Ask,
    At,
    Dispatch,
    Do,
    On,
    Query,
    Reacting,
    Reaction,
    ServiceDefinition,
    Subscription,
)
from services.kernel.commit import Caller, Recorded
from services.kernel.domain import Command, Decider, Erased, Event, Rejected, Subject, TenantData
from services.kernel.message import Incoming
from services.kernel.readmodel import ReadModel

ACME = "0196a000-0000-7000-8000-00000000ac3e"
RIVAL = "0196a000-0000-7000-8000-0000000417a1"
ANA = "0196a000-0000-7000-8000-0000000000a1"
LABEL = "Contrato-Confidencial-7431"
RECIPIENT = "Ana María Ñáñez"
A_WEEK = 7 * 24 * 3600
EXPIRES_AFTER = timedelta(seconds=A_WEEK)


def an_id(number: int) -> str:
    """The id of the n-th example thing."""
    return f"0196a000-0000-7000-8000-{number:012d}"


def caller(actor: str = ANA, tenant: str = ACME) -> Caller:
    """Somebody of the example account."""
    return Caller(tenant=tenant, actor=actor, role="admin", correlation_id="corr-1", origin="203.0.113.7")


# --- a parcel: registered once, moved step by step, claimed by one courier, expired by a timer ---


class ParcelRegistered(Event):
    parcel_id: str
    recipient_id: str
    recipient: Annotated[str | Erased, Subject("recipient_id")]
    label: Annotated[str | Erased, TenantData()]
    note: Annotated[str | Erased | None, TenantData()] = None
    kept_seconds: int = A_WEEK


class ParcelMoved(Event):
    parcel_id: str
    step: int


class ParcelClaimed(Event):
    parcel_id: str
    courier_id: str


class ParcelExpired(Event):
    parcel_id: str


ParcelEvent = ParcelRegistered | ParcelMoved | ParcelClaimed | ParcelExpired


class RegisterParcel(Command):
    parcel_id: str
    recipient_id: str = ANA
    recipient: str = RECIPIENT
    label: str = LABEL
    note: str | None = None
    kept_seconds: int = A_WEEK


class MoveParcel(Command):
    """`steps` facts in one commit; asking again moves on, so only the command id makes it single."""

    parcel_id: str
    steps: int = 1


class ClaimParcel(Command):
    parcel_id: str
    courier_id: str


class ExpireParcel(Command):
    parcel_id: str


ParcelCommand = RegisterParcel | MoveParcel | ClaimParcel | ExpireParcel


@dataclass(frozen=True, slots=True)
class Parcel:
    known: bool = False
    step: int = 0
    courier_id: str | None = None
    expired: bool = False


def decide_parcel(command: ParcelCommand, state: Parcel) -> list[ParcelEvent]:
    match command:
        case RegisterParcel():
            if state.known:
                return []
            return [
                ParcelRegistered(
                    parcel_id=command.parcel_id,
                    recipient_id=command.recipient_id,
                    recipient=command.recipient,
                    label=command.label,
                    note=command.note,
                    kept_seconds=command.kept_seconds,
                )
            ]
        case _ if not state.known:
            raise Rejected("parcel-unknown", parcel_id=command.parcel_id)
        case MoveParcel(parcel_id=id, steps=steps):
            return [ParcelMoved(parcel_id=id, step=state.step + n) for n in range(1, steps + 1)]
        case ClaimParcel(parcel_id=id, courier_id=courier):
            if state.courier_id == courier:
                return []
            if state.courier_id is not None:
                raise Rejected("parcel-taken", courier_id=state.courier_id)
            return [ParcelClaimed(parcel_id=id, courier_id=courier)]
        case ExpireParcel(parcel_id=id):
            return [] if state.expired else [ParcelExpired(parcel_id=id)]
        case _:
            assert_never(command)


def evolve_parcel(state: Parcel, event: ParcelEvent) -> Parcel:
    match event:
        case ParcelRegistered():
            return replace(state, known=True)
        case ParcelMoved(step=step):
            return replace(state, step=step)
        case ParcelClaimed(courier_id=courier):
            return replace(state, courier_id=courier)
        case ParcelExpired():
            return replace(state, expired=True)
        case _:
            assert_never(event)


parcel = Decider(
    "parcel",
    Parcel(),
    decide_parcel,
    evolve_parcel,
    events={
        "ParcelRegistered": ParcelRegistered,
        "ParcelMoved": ParcelMoved,
        "ParcelClaimed": ParcelClaimed,
        "ParcelExpired": ParcelExpired,
    },
)


# --- a tally: what a reaction counts; every count is a new fact, so a doubled reaction shows ---


class Counted(Event):
    tally_id: str
    fact: str


class Count(Command):
    tally_id: str
    fact: str


@dataclass(frozen=True, slots=True)
class Tally:
    facts: tuple[str, ...] = ()


def decide_tally(command: Count, state: Tally) -> list[Counted]:
    return [Counted(tally_id=command.tally_id, fact=command.fact)]


def evolve_tally(state: Tally, event: Counted) -> Tally:
    return Tally((*state.facts, event.fact))


tally = Decider("tally", Tally(), decide_tally, evolve_tally, events={"Counted": Counted})


# --- read models: whatever was applied stands in `log`, so loss, doubling and disorder show ---


class Tracks(ReadModel):
    """Every fact of a parcel, as this service's own projection saw it."""

    name = "tracks"
    categories = ("parcel",)
    indexes = ([("tenant", 1), ("step", 1), ("_id", 1)],)

    def keys(self, fact: Recorded) -> list[str]:
        return [fact.event.parcel_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        doc = doc or {"log": [], "step": 0, "label": None}
        doc = {**doc, "log": [*doc["log"], [fact.version, fact.type]]}
        match fact.event:
            case ParcelRegistered(label=label):
                return {**doc, "label": label or None}
            case ParcelMoved(step=step):
                return {**doc, "step": step}
        return doc


class ParcelSeen(Incoming):
    parcel_id: str


PARCEL_FACTS = dict.fromkeys(("ParcelRegistered", "ParcelMoved", "ParcelClaimed"), ParcelSeen)
"""ParcelExpired is of no interest to depots: it only moves the cursor."""


class Arrivals(ReadModel):
    """Every fact of a parcel of interest to depots, as it came over the broker."""

    name = "arrivals"
    indexes = ([("tenant", 1), ("_id", 1)],)

    def keys(self, fact: Recorded) -> list[str]:
        return [fact.event.parcel_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        return {"log": [*(doc or {"log": []})["log"], [fact.version, fact.type]]}


def count_move(fact: Recorded, app: Reacting) -> Iterable[Dispatch]:
    """Every move is counted once, in the tally of its parcel."""
    if fact.type == "ParcelMoved":
        yield Dispatch("count", {"tally_id": fact.event.parcel_id, "fact": f"{fact.version}"})


def expire_later(fact: Recorded, app: Reacting) -> Iterable[At]:
    """A parcel that is kept for too long expires."""
    if fact.type == "ParcelRegistered":
        expire = Dispatch("expire_parcel", {"parcel_id": fact.event.parcel_id})
        yield At(fact.at + timedelta(seconds=fact.event.kept_seconds), f"expire:{fact.stream}", expire)


# --- what the services are asked ---


class TrackQuery(Query):
    parcel_id: str


def find_track(query: TrackQuery, ask: Ask) -> dict[str, Any]:
    return {"track": ask.reads["tracks"].one(query.parcel_id)}


class NoQuery(Query):
    pass


def all_tracks(query: NoQuery, ask: Ask) -> dict[str, Any]:
    return {"tracks": ask.reads["tracks"].find({}, sort=[("_id", 1)])}


def register_pair(ask: Ask) -> dict[str, Any]:
    """Two parcels by one command, in two commits."""
    made = [
        ask.handle(
            parcel, id, ask.make(RegisterParcel, {"parcel_id": id, "label": ask.data["label"]}), part=f"parcel/{n}"
        )
        for n, id in enumerate(ask.data["parcel_ids"])
    ]
    return {"parcels": [receipt.to_wire() for receipt in made]}


def with_step_of(ask: Ask) -> dict[str, Any]:
    """As many steps as another parcel has made."""
    pattern = ask.state(parcel, ask.data["like"])
    if not pattern.known:
        raise Rejected("parcel-unknown", parcel_id=ask.data["like"])
    return {"parcel_id": ask.data["parcel_id"], "steps": pattern.step}


def parcels() -> ServiceDefinition:
    """The service whose facts travel."""
    return ServiceDefinition(
        name="parcels",
        deciders=(parcel, tally),
        commands={
            "register_parcel": On(parcel, RegisterParcel, id="parcel_id", creates=True),
            "move_parcel": On(
                parcel, MoveParcel, id="parcel_id", answer=lambda _ask, _receipt, state: {"step": state.step}
            ),
            "move_like": On(parcel, MoveParcel, id="parcel_id", prepare=with_step_of),
            "claim_parcel": On(parcel, ClaimParcel, id="parcel_id"),
            "expire_parcel": On(parcel, ExpireParcel, id="parcel_id"),
            "register_pair": Do(register_pair),
            "count": On(tally, Count, id="tally_id"),
        },
        queries={"track": (TrackQuery, find_track), "tracks": (NoQuery, all_tracks)},
        read_models=(Tracks(),),
        reactions=(
            Reaction("count_moves", ("parcel",), count_move),
            Reaction("expire_parcel_later", ("parcel",), expire_later),
        ),
    )


def depots() -> ServiceDefinition:
    """The service that follows parcels: into a read model, and into facts of its own."""
    return ServiceDefinition(
        name="depots",
        deciders=(tally,),
        commands={"count": On(tally, Count, id="tally_id")},
        queries={},
        subscriptions=(
            Subscription("depots.arrivals", "parcels", ("parcel",), PARCEL_FACTS, into=Arrivals()),
            Subscription("depots.moves", "parcels", ("parcel",), PARCEL_FACTS, react=count_move),
        ),
    )
