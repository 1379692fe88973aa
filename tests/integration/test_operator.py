"""The operator's verbs on two running sample services: a shop, and a desk that follows it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.supervisor import Program, Supervisor
from services.kernel.clock import new_id
from services.kernel.commit import Caller
from services.kernel.config import Settings
from services.kernel.operator_verify import verify
from services.kernel.platform import Platform, definition_of, open_platform

RUN = Path(__file__).parent / "sample_services" / "run.py"
REPOSITORY = Path(__file__).parents[2]
CALLER = Caller(tenant="acme", actor="tester")


class Samples:
    """The two services as tests use them: commands in process, processes under a supervisor."""

    def __init__(self, env: dict[str, str], supervisor: Supervisor, stumbles: Path) -> None:
        self.env = env
        self.supervisor = supervisor
        self._stumbles = stumbles
        settings = Settings.model_validate(env)
        self.shop: Platform = open_platform(definition_of("shop"), settings)
        self.desk: Platform = open_platform(definition_of("desk"), settings)
        for platform in (self.shop, self.desk):
            platform.ensure_indexes()

    def place(self, total: int = 10, order_id: str = "") -> str:
        order_id = order_id or new_id()
        data = {"order_id": order_id, "customer_id": new_id(), "total": total, "name": "Ana Gómez"}
        self.shop.application.execute("place_order", data, CALLER, new_id())
        return order_id

    def pay(self, order_id: str) -> None:
        self.shop.application.execute("pay_order", {"order_id": order_id}, CALLER, new_id())

    def stumble_over(self, *order_ids: str) -> None:
        self._stumbles.write_text(" ".join(order_ids))

    def booked(self) -> dict[str, tuple[bool, int]]:
        return {row["id"]: (row["paid"], row["facts"]) for row in self.desk.reads.of("acme")["ledger"].find({})}

    def orders(self) -> dict[str, bool]:
        return {row["id"]: row["paid"] for row in self.shop.reads.of("acme")["orders"].find({})}

    def operator(self, *argv: str, code: int = 0) -> Any:
        done = subprocess.run(
            [sys.executable, RUN, "operator", *argv, "--json"],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout) if done.stdout else done.stderr

    def pointer(self, model: str) -> dict[str, Any]:
        row = self.desk.db["read_models"].find_one({"_id": model})
        assert row is not None
        return row

    def parked(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.operator("parked", "--service", "desk")["waiting"]
        return rows


def eventually(holds: Callable[[], bool], within: float = 20.0) -> None:
    until = time.monotonic() + within
    while not holds():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def samples(platform_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samples]:
    corner = tmp_path_factory.mktemp("samples")
    env = platform_env | {
        "PYTHONPATH": str(REPOSITORY),
        "PATH": "/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
        "EVENTLET_NO_GREENDNS": "yes",
        "SAMPLE_STUMBLES": str(corner / "stumbles"),
        "CHECKOP_OPERATOR": "olga",
        "CHECKOP_PARKED_AFTER_SECONDS": "1",
    }
    programs = [
        Program(f"{service}.{role}", (sys.executable, str(RUN), "run", role, service), env)
        for role, service in (("relay", "shop"), ("worker", "shop"), ("service", "desk"))
    ]
    with pytest.MonkeyPatch.context() as patch:
        import services

        patch.setenv("SAMPLE_STUMBLES", env["SAMPLE_STUMBLES"])
        patch.setattr(services, "__path__", [*services.__path__, str(RUN.parent)])
        with Supervisor(programs, log=corner / "log") as supervisor:
            made = Samples(env, supervisor, corner / "stumbles")
            made.place()
            eventually(lambda: len(made.booked()) == 1)
            yield made
            made.shop.close()
            made.desk.close()


def test_a_sound_log_is_proven(samples: Samples) -> None:
    samples.pay(samples.place())
    found = {row["service"]: row for row in samples.operator("verify-log")}
    assert found["shop"]["faults"] == 0
    assert found["shop"]["commits"] == found["shop"]["head"] >= 3
    assert found["desk"]["commits"] == 0


@pytest.fixture
def nobody_follows(samples: Samples) -> Iterator[None]:
    """While a test damages the log, and until it has put it right again."""
    for program in ("shop.relay", "shop.worker"):
        samples.supervisor.stop(program)
    yield
    for program in ("shop.relay", "shop.worker"):
        samples.supervisor.start(program)


@pytest.mark.usefixtures("nobody_follows")
def test_every_kind_of_damage_to_a_log_is_found(samples: Samples) -> None:
    order_id = samples.place()
    log = samples.shop.db["events"]
    (sound,) = log.find({"stream": f"order-acme-{order_id}"})

    def faults(**damage: Any) -> list[str]:
        log.replace_one({"_id": sound["_id"]}, {**sound, **damage})
        found = verify(samples.shop, lambda *_: None)
        log.replace_one({"_id": sound["_id"]}, sound)
        return found.listed

    (fact,) = sound["events"]
    assert "unknown" in faults(events=[{**fact, "type": "OrderDreamt"}])[0].lower()
    assert "InvalidTag" in faults(events=[{**fact, "sealed": [{**fact["sealed"][0], "ct": b"0" * 40}]}])[0]
    assert "total" in faults(events=[{**fact, "data": {**fact["data"], "total": "many"}}])[0]
    assert "goes on with version 2, not with 1" in " ".join(faults(version=2, next=3))
    assert "do not agree" in faults(next=7)[0]
    assert "not of its category" in faults(tenant="other")[0]
    assert "is no commit" in faults(events=None)[0]

    log.delete_one({"_id": sound["_id"]})
    samples.place()
    (gap,) = samples.operator("verify-log", "--service", "shop", code=1)
    assert f"position {sound['_id']} is missing" in gap["listed"][0]
    log.insert_one(sound)

    log.drop_index("commit_id_1")
    twice = {**sound, "_id": samples.shop.store.head() + 1, "stream": f"order-acme-{new_id()}"}
    log.insert_one(twice)
    (doubled,) = samples.operator("verify-log", "--service", "shop", code=1)
    assert "unique index on commit_id is missing" in doubled["listed"][0]
    assert any("is there twice" in fault for fault in doubled["listed"])
    log.delete_one({"_id": twice["_id"]})
    samples.shop.ensure_indexes()
    samples.operator("verify-log", "--service", "shop")


def test_erased_people_do_not_make_a_log_unsound(samples: Samples) -> None:
    order_id = samples.place()
    (stored,) = samples.shop.db["events"].find({"stream": f"order-acme-{order_id}"})
    samples.shop.keyring.destroy("acme", stored["events"][0]["sealed"][0]["scope"])
    (found,) = samples.operator("verify-log", "--service", "shop")
    assert found["erased"] >= 1
    assert found["faults"] == 0


def test_an_own_read_model_is_rebuilt_and_followed_on(samples: Samples) -> None:
    order_id = samples.place()
    samples.pay(order_id)
    eventually(lambda: samples.orders().get(order_id) is True)
    right = samples.orders()
    live = samples.shop.db[samples.shop.reads.shelf("orders").live()]
    live.update_many({}, {"$set": {"paid": False}})
    live.insert_one({"_id": "acme:ghost", "tenant": "acme", "paid": True})

    outcome = samples.operator("rebuild", "--service", "shop", "--readmodel", "orders")

    assert outcome["blocked"] == []
    eventually(lambda: samples.orders() == right)
    later = samples.place()
    eventually(lambda: later in samples.orders())
    status = samples.operator("status", "--service", "shop")["services"][0]
    assert [model["generation"] for model in status["read_models"]] == [outcome["generation"]]


def test_only_the_live_generation_and_the_one_before_it_are_kept(samples: Samples) -> None:
    made = [samples.operator("rebuild", "--service", "shop", "--readmodel", "orders")["generation"] for _ in range(3)]
    kept = {name for name in samples.shop.db.list_collection_names() if name.startswith("orders@")}
    assert kept == set(made[1:])


def test_a_foreign_read_model_is_rebuilt_while_facts_come_in(samples: Samples) -> None:
    first = [samples.place() for _ in range(30)]
    eventually(lambda: set(first) <= samples.booked().keys())
    samples.desk.db[samples.desk.reads.shelf("ledger").live()].delete_many({})
    stop = threading.Event()
    meanwhile: list[str] = []

    def trade() -> None:
        while not stop.is_set():
            order_id = samples.place()
            samples.pay(order_id)
            meanwhile.append(order_id)
            time.sleep(0.01)

    trading = threading.Thread(target=trade)
    trading.start()
    try:
        outcome = samples.operator("rebuild", "--service", "desk", "--readmodel", "ledger")
    finally:
        stop.set()
        trading.join()
    assert outcome["blocked"] == []
    assert samples.desk.reads.shelf("ledger").live() in (outcome["generation"], "ledger@1")

    def complete() -> bool:
        booked = samples.booked()
        return set(first) <= booked.keys() and all(booked.get(id) == (True, 2) for id in meanwhile)

    eventually(complete)
    assert len(meanwhile) > 10
    late = samples.place()
    eventually(lambda: late in samples.booked())
    assert "no queue" in samples.operator(
        "replay", "--service", "shop", "--queue", f"rebuild.desk.desk.ledger/{outcome['generation']}", code=2
    )


def test_a_killed_rebuild_leaves_the_live_read_model_and_can_be_repeated(samples: Samples) -> None:
    for _ in range(50):
        samples.place()
    eventually(lambda: len(samples.booked()) >= samples.shop.db["events"].count_documents({"version": 1}))
    right, before = samples.booked(), samples.pointer("ledger")
    argv = [sys.executable, RUN, "operator", "rebuild", "--service", "desk", "--readmodel", "ledger"]
    samples.supervisor.signal("shop.relay", signal.SIGSTOP)
    process = subprocess.Popen(argv, env=samples.env, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "streams still to come" in process.stderr.readline()
    process.kill()
    process.communicate()
    samples.supervisor.signal("shop.relay", signal.SIGCONT)
    after = samples.pointer("ledger")
    assert after["live"] == before["live"]
    assert after["newest"] == before["newest"] + 1
    assert samples.booked() == right

    samples.operator("rebuild", "--service", "desk", "--readmodel", "ledger")
    eventually(lambda: samples.booked() == right)


def test_a_blocked_stream_is_listed_freed_or_skipped(samples: Samples) -> None:
    good, bad, worse = samples.place(), new_id(), new_id()
    samples.stumble_over(bad, worse)
    for order_id in (bad, worse):
        samples.place(order_id=order_id)
        samples.pay(order_id)
    samples.pay(good)
    eventually(lambda: samples.booked().get(good) == (True, 2))
    eventually(lambda: len(samples.parked()) == 2)
    row = next(row for row in samples.parked() if row["stream"].endswith(bad))
    assert (row["kind"], row["version"], row["waiting"]) == ("blocked", 1, 2)
    assert "cannot be booked" in row["reason"]
    status = samples.operator("status", "--service", "desk")["services"][0]
    assert (status["status"], status["inbox"]["blocked"]) == ("attention", 2)

    free = ("unpark", "--service", "desk", "--handler", "desk.ledger", "--stream")
    still = samples.operator(*free, row["stream"], code=1)
    assert "cannot be booked" in still["blocked_again"]

    samples.stumble_over(worse)
    freed = samples.operator(*free, row["stream"])
    assert (freed["applied"], freed["still_waiting"]) == (2, 0)
    eventually(lambda: samples.booked().get(bad) == (True, 2))

    other = f"order-acme-{worse}"
    assert "--reason" in samples.operator(*free, other, "--skip", code=2)
    samples.stumble_over()
    samples.desk.db[samples.desk.reads.shelf("ledger").live()].insert_one(
        {"_id": f"acme:{worse}", "tenant": "acme", "total": 0, "paid": False, "facts": 0}
    )
    skipped = samples.operator(*free, other, "--skip", "--reason", "booked by hand")
    assert (skipped["skipped"], skipped["applied"]) == (1, 1)
    assert samples.booked()[worse] == (True, 1)
    assert samples.parked() == []
    record = samples.desk.db["operator_actions"].find_one({"action": "skip"})
    assert record is not None
    assert (record["by"], record["reason"]) == ("olga", "booked by hand")
    assert "nothing of" in samples.operator(*free, other, code=2)


def test_history_is_sent_again(samples: Samples) -> None:
    order_id = samples.place()
    eventually(lambda: order_id in samples.booked())
    handler = f"desk.ledger/{samples.desk.reads.shelf('ledger').live()}"
    stream = f"order-acme-{order_id}"
    for ask in (("--stream", stream), ("--from", "1")):
        samples.desk.db["inbox_cursors"].delete_one({"_id": f"{handler}|{stream}"})
        samples.desk.db[handler.split("/")[1]].delete_one({"_id": f"acme:{order_id}"})
        assert order_id not in samples.booked()
        asked = samples.operator("replay", "--service", "shop", "--queue", "desk.ledger", *ask)
        assert asked["relay"] == "listening"
        assert asked["categories"] == ["order"]
        eventually(lambda: order_id in samples.booked())


def test_what_makes_no_sense_is_refused_with_a_hint(samples: Samples) -> None:
    assert "there are: " in samples.operator("status", "--service", "nobody", code=2)
    assert "there are: orders" in samples.operator("rebuild", "--service", "shop", "--readmodel", "x", code=2)
    assert "no handler" in samples.operator("unpark", "--service", "desk", "--handler", "x", "--stream", "y", code=2)
    assert "no subscription" in samples.operator("replay", "--service", "shop", "--queue", "events.dead", code=2)
    done = subprocess.run(
        [sys.executable, RUN, "operator", "status"],
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "MONGO_URL" in done.stderr
