"""Two services as real processes under a supervisor, a client with a ledger, and the invariants of the whole."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pika
from pika.exceptions import AMQPError

from services.kernel import broker
from services.kernel.clock import new_id
from services.kernel.commit import Commit
from services.kernel.config import Settings
from services.kernel.message import incoming, outgoing, typed
from services.kernel.platform import Platform, open_platform
from services.kernel.projection import Projector
from services.kernel.readmodel import ReadModel
from services.kernel.relay import Checkpoint
from tests.examples.kernel import ACME, PARCEL_FACTS, Arrivals, Tracks, caller, depots, parcels
from tests.support.broker import channel_of
from tests.support.client import Client
from tests.support.log_checks import assert_well_formed, whole_log
from tests.support.programs import Program, Programs, Role, until

ROLES: tuple[tuple[Role, str], ...] = (
    ("service", "parcels"),
    ("relay", "parcels"),
    ("worker", "parcels"),
    ("service", "depots"),
    ("worker", "depots"),
)
RECORDER = broker.Queue("recorder", {}, ((broker.EVENTS, "parcels.parcel.#"),))


class System:
    """Parcels and depots, all of their processes; a process that dies is started again at once, as in production."""

    def __init__(self, env: Mapping[str, str], home: Path) -> None:
        self.env = dict(env)
        self._logs = home / "logs"
        self._logs.mkdir()
        self._stack = ExitStack()
        self._running: dict[str, Program] = {}
        self._supervised = threading.Event()
        self._lock = threading.Lock()
        self.restarts: dict[str, int] = defaultdict(int)
        self.prefix = "w"
        self._recorded: set[bytes] = set()

    def __enter__(self) -> System:
        settings = Settings(**self.env)  # type: ignore[arg-type]
        self.parcels = self._stack.enter_context(closing(open_platform(parcels(), settings)))
        self.depots = self._stack.enter_context(closing(open_platform(depots(), settings)))
        for platform in (self.parcels, self.depots):
            platform.ensure_indexes()
        self.client = self._stack.enter_context(closing(Client(self.env["AMQP_URL"], "parcels", caller())))
        self.programs = self._stack.enter_context(Programs(self.env, self._logs))
        watch = threading.Thread(target=self._supervise)
        watch.start()
        self._stack.callback(watch.join)
        self._stack.callback(self._supervised.set)
        return self

    def __exit__(self, *why: Any) -> None:
        self._stack.__exit__(*why)

    def start_anew(self, prefix: str) -> None:
        """One copy of each process, nothing counted yet; command ids of what follows begin with `prefix`."""
        for key in [key for key in self._running if not key.endswith("#0")]:
            name, copy = key.split("#")
            self.forget(name, int(copy)).kill()
        self.prefix = prefix
        self.restarts.clear()

    def start(
        self,
        *names: str,
        copies: int = 1,
        faults: Mapping[str, str] | None = None,
        module: str = "tests.support.program",
    ) -> None:
        """Start these (all without names) and wait until they work; `faults` by the program's name."""
        begun = []
        for role, service in ROLES:
            name = f"{service}.{role}"
            if not names or name in names:
                for copy in range(copies):
                    fault = (faults or {}).get(name, "") if copy == 0 else ""
                    key = f"{name}#{copy}"
                    with self._lock:
                        if key in self._running:
                            self._running[key].kill()
                        self._running[key] = program = self.programs.start(role, service, fault=fault, module=module)
                    begun.append((program, fault))
        for program, fault in begun:
            if not fault:
                program.ready()

    def program(self, name: str, copy: int = 0) -> Program:
        """The process that runs under this name now."""
        return self._running[f"{name}#{copy}"]

    def all(self) -> list[Program]:
        """Every process that runs now."""
        with self._lock:
            return list(self._running.values())

    def forget(self, name: str, copy: int = 0) -> Program:
        """Take it from the supervisor; whoever asks ends it."""
        with self._lock:
            return self._running.pop(f"{name}#{copy}")

    def kill_all(self, name: str) -> None:
        """End every copy of it, for good."""
        with self._lock:
            copies = [self._running.pop(key) for key in list(self._running) if key.split("#")[0] == name]
        for program in copies:
            program.kill()

    def _supervise(self) -> None:
        while not self._supervised.wait(0.05):
            with self._lock:
                for key, program in list(self._running.items()):
                    if not program.alive:
                        self.restarts[key.split("#")[0]] += 1
                        service, role = key.split("#")[0].split(".")
                        self._running[key] = self.programs.start(program.role, service)
                        assert role == program.role

    def work(self, ids: list[str], rounds: int = 3, prefix: str = "w", kept_seconds: int | None = None) -> None:
        """Register parcels, move them by one and by several steps, claim them; each command until it is answered."""
        kept = {} if kept_seconds is None else {"kept_seconds": kept_seconds}
        for id in ids:
            self.client.execute("register_parcel", {"parcel_id": id, **kept}, f"register/{id}")
        for n in range(rounds):
            for id in ids:
                self.client.execute("move_parcel", {"parcel_id": id, "steps": 1 + n % 2}, f"{prefix}/move/{id}/{n}")

    def record(self) -> None:
        """From now on keep a copy of everything that is published."""
        with channel_of(self.env["AMQP_URL"]) as channel:
            channel.queue_declare(RECORDER.name, durable=True)
            channel.queue_bind(RECORDER.name, broker.EVENTS, "parcels.parcel.#")

    def settle(self, timeout: float = 30.0) -> None:
        """Wait until everything has followed everything. Raises AssertionError that names what has not."""
        until(lambda: not self.unsettled(), timeout, lambda: self.unsettled(), pause=0.05)

    def unsettled(self) -> dict[str, Any]:
        """What is still behind."""
        behind: dict[str, Any] = {}
        for platform in (self.parcels, self.depots):
            name, head = platform.definition.name, platform.store.head()
            if not platform.reads.visible(head):
                behind[f"{name}: read models"] = platform.reads.position(), head
            if parked := platform.db["inbox_parked"].count_documents({}):
                behind[f"{name}: parked"] = parked
            soon = datetime.now(UTC) + timedelta(minutes=1)
            if due := platform.db["timers"].count_documents({"due": {"$lt": soon}}):
                behind[f"{name}: timers"] = due
            if platform.store.head() != head:
                behind[f"{name}: head"] = "moves"
        if (told := Checkpoint(self.parcels.db).read()) < self.parcels.store.head():
            behind["relay"] = told, self.parcels.store.head()
        own = [(self.parcels, reaction.name) for reaction in self.parcels.definition.reactions]
        into = self.depots.reads.shelf("arrivals").live()
        for platform, handler in (*own, (self.depots, f"depots.arrivals/{into}"), (self.depots, "depots.moves")):
            cursors = {r["stream"]: r["version"] for r in platform.db["inbox_cursors"].find({"handler": handler})}
            lag = {s: (cursors.get(s, 0), n) for s, n in self._versions().items() if cursors.get(s, 0) < n}
            if lag:
                behind[handler] = lag
        if waiting := self._waiting():
            behind["queues"] = waiting
        return behind

    def check(self, *, published: bool = True) -> None:
        """The invariants: nothing lost, doubled, out of order, phantom or stuck; read models as if built anew."""
        log = whole_log(self.parcels.store)
        self._check_ledger(log)
        assert_well_formed(log)
        assert_well_formed(whole_log(self.depots.store))
        self._check_effects(log)
        self._check_nothing_blocked()
        self._check_read_models(log)
        if published:
            self._check_published(log)

    def _check_ledger(self, log: list[Commit]) -> None:
        by_id = {commit.commit_id: commit for commit in log}
        for command_id, answer in self.client.ledger.items():
            commit = by_id.get(f"cmd:{ACME}:{command_id}")
            assert commit is not None, f"{command_id} was acknowledged and is lost"
            assert (commit.position, commit.last_version) == (answer["position"], answer["version"]), command_id

    def _check_effects(self, log: list[Commit]) -> None:
        moves = defaultdict(list)
        for commit in log:
            for n, event in enumerate(commit.events):
                if event.type == "ParcelMoved":
                    moves[event.data["parcel_id"]].append(str(commit.version + n))
        for platform in (self.parcels, self.depots):
            counted: dict[str, list[str]] = defaultdict(list)
            for commit in whole_log(platform.store):
                if commit.category == "tally":
                    counted[commit.events[0].data["tally_id"]] += [event.data["fact"] for event in commit.events]
            assert counted == moves, f"{platform.definition.name}: moves were not counted exactly once and in order"

    def _check_nothing_blocked(self) -> None:
        for platform in (self.parcels, self.depots):
            blocked = list(platform.db["inbox_cursors"].find({"blocked": {"$exists": True}}))
            assert not blocked, blocked
            for model in platform.definition.read_models:
                shelf = platform.reads.shelf(model.name)
                assert shelf.blocked(shelf.live()) == {}

    def _check_read_models(self, log: list[Commit]) -> None:
        tracks, arrivals = Tracks(), Arrivals()
        folded: dict[str, dict[str, Any]] = defaultdict(dict)
        for commit in log:
            if commit.category != "parcel":
                continue
            for fact in self.parcels.registry.recorded(commit, self.parcels.keyring):
                id = fact.event.parcel_id
                folded["tracks"][id] = tracks.evolve(folded["tracks"].get(id), fact)
            for _, _, body in outgoing("parcels", commit):
                fact = typed(incoming(body), PARCEL_FACTS)
                if fact.event is not None:
                    id = fact.event.parcel_id
                    folded["arrivals"][id] = arrivals.evolve(folded["arrivals"].get(id), fact)
        assert documents(self.parcels, "tracks") == folded["tracks"], "tracks differ from a fold of the log"
        assert documents(self.depots, "arrivals") == folded["arrivals"], "arrivals differ from a fold of the log"
        live = documents(self.parcels, "tracks")
        store, registry, keyring = self.parcels.store, self.parcels.registry, self.parcels.keyring
        Projector(self.parcels.db, tracks, store, registry, keyring).rebuild()
        assert documents(self.parcels, "tracks") == live, "rebuilt tracks differ from the live ones"

    def _check_published(self, log: list[Commit]) -> None:
        told = {body for commit in log if commit.category == "parcel" for _, _, body in outgoing("parcels", commit)}
        with channel_of(self.env["AMQP_URL"]) as channel:
            recorded = self._recorded
            while (taken := channel.basic_get(RECORDER.name, auto_ack=True))[0] is not None:
                recorded.add(taken[2])
        assert recorded <= told, "something was published that is not in the log"
        assert told <= recorded, "something in the log was never published"

    def _versions(self) -> dict[str, int]:
        rows = self.parcels.db["events"].aggregate(
            [{"$match": {"category": "parcel"}}, {"$group": {"_id": "$stream", "next": {"$max": "$next"}}}]
        )
        return {row["_id"]: row["next"] - 1 for row in rows}

    def _waiting(self) -> dict[str, Any]:
        waiting = {}
        try:
            with pika.BlockingConnection(pika.URLParameters(self.env["AMQP_URL"])) as connection:
                for queue in ("depots.arrivals", "depots.moves", "replay.parcels"):
                    count = connection.channel().queue_declare(queue, passive=True).method.message_count
                    if count:
                        waiting[queue] = count
        except AMQPError as away:
            return {"broker": repr(away)}
        return waiting


def documents(platform: Platform, model: str) -> dict[str, Any]:
    """The live documents of a read model, by key."""
    shelf = platform.reads.shelf(model)
    shelf._known = None
    rows = platform.db[shelf.live()].find({})
    return {row["_id"].split(":", 1)[1]: {k: v for k, v in row.items() if k not in ("_id", "tenant")} for row in rows}


@contextmanager
def running(env: Mapping[str, str], home: Path, **options: Any) -> Iterator[System]:
    """All processes started and ready, everything that is published recorded."""
    with System(env, home) as system:
        system.record()
        system.start(**options)
        yield system


def republish(env: Mapping[str, str], log: list[Commit], chance: random.Random, count: int) -> None:
    """A gremlin: old facts again, in any order, to everybody."""
    messages = [message for commit in log if commit.category == "parcel" for message in outgoing("parcels", commit)]
    with channel_of(env["AMQP_URL"]) as channel:
        for key, id, body in chance.choices(messages, k=count):
            channel.basic_publish(broker.EVENTS, key, body, broker.event_properties(id, "application/cloudevents+json"))


def check_kill_before_the_effect(system: System, module: str = "tests.support.program", patience: float = 30.0) -> None:
    """A consumer is killed when it has a message in hand and has done nothing yet: the next one gets it again."""
    id = new_id()
    spec = "inbox.before_effect:1:kill"
    system.start("depots.service", faults={"depots.service": spec}, module=module)
    armed = system.program("depots.service")
    system.client.execute("register_parcel", {"parcel_id": id}, f"register/{id}")
    until(lambda: not armed.alive, 15, "nobody was killed")
    assert armed.said(f"fault injected: {spec}")
    system.settle(patience)
    system.check()


def check_live_equals_rebuilt(service: Platform, live: ReadModel, model: ReadModel) -> None:
    """What was kept up to date is what the log says."""
    following, building = (
        Projector(service.db, kind, service.store, service.registry, service.keyring) for kind in (live, model)
    )
    following.prepare()
    while following.step():
        pass
    before = documents(service, model.name)
    building.rebuild()
    assert documents(service, model.name) == before, "live and rebuilt read models differ"
