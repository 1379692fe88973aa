"""The pinned MongoDB driver on an eventlet hub, as a service process uses it; prints what was observed as JSON."""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

import pymongo  # noqa: E402
from pymongo.errors import OperationFailure  # noqa: E402

SLOW = {"$where": "sleep(300) || true"}
POOL = 12


def concurrent_queries(rows: Any) -> dict[str, Any]:
    """Ten questions of 300 ms each, asked by ten greenthreads."""
    began = time.monotonic()
    threads = [eventlet.spawn(lambda: list(rows.find(SLOW))) for _ in range(10)]
    found = [len(thread.wait()) for thread in threads]
    return {"found": found, "seconds": time.monotonic() - began}


def transactions(client: Any, rows: Any) -> dict[str, Any]:
    """Five greenthreads raise one number five times each; one more transaction gives up half-way."""
    rows.insert_one({"_id": "number", "value": 0})

    def raise_it(session: Any) -> None:
        value = rows.find_one({"_id": "number"}, session=session)["value"]
        eventlet.sleep(0)
        rows.update_one({"_id": "number"}, {"$set": {"value": value + 1}}, session=session)

    def work() -> None:
        for _ in range(5):
            with client.start_session() as session:
                session.with_transaction(raise_it)

    for thread in [eventlet.spawn(work) for _ in range(5)]:
        thread.wait()
    try:
        with client.start_session() as session, session.start_transaction():
            raise_it(session)
            raise OperationFailure("given up")
    except OperationFailure:
        pass
    return {"value": rows.find_one({"_id": "number"})["value"]}


def killed_greenthreads(client: Any, rows: Any) -> dict[str, Any]:
    """Twice as many greenthreads as connections die in the middle of a question; then all connections are needed."""
    for _ in range(2):
        threads = [eventlet.spawn(lambda: list(rows.find(SLOW))) for _ in range(POOL)]
        eventlet.sleep(0.1)
        for thread in threads:
            thread.kill()
    eventlet.sleep(0)
    threads = [eventlet.spawn(lambda: list(rows.find(SLOW))) for _ in range(POOL)]
    with eventlet.Timeout(20):
        return {"found": [len(thread.wait()) for thread in threads]}


def hub_stall(rows: Any) -> dict[str, Any]:
    """The longest time that another greenthread had to wait while sixteen wrote."""
    worst, running = 0.0, True

    def beat() -> None:
        nonlocal worst
        while running:
            before = time.monotonic()
            eventlet.sleep(0.001)
            worst = max(worst, time.monotonic() - before - 0.001)

    beating = eventlet.spawn(beat)
    for thread in [eventlet.spawn(lambda: [rows.insert_one({}) for _ in range(50)]) for _ in range(16)]:
        thread.wait()
    running = False
    beating.wait()
    return {"milliseconds": round(worst * 1000, 1)}


def main(url: str, db: str) -> None:
    client: Any = pymongo.MongoClient(url, maxPoolSize=POOL, serverSelectionTimeoutMS=8_000)
    rows = client[db]["rows"]
    rows.insert_one({"_id": "only"})
    seen = {
        "driver": pymongo.version,
        "concurrent": concurrent_queries(rows),
        "killed": killed_greenthreads(client, rows),
        "transactions": transactions(client, rows),
        "stall": hub_stall(rows),
        "pid": os.getpid(),
    }
    began = time.monotonic()
    client.close()
    seen["close_seconds"] = time.monotonic() - began
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
