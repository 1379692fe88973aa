"""How many facts a second the relay tells, beside raw pipelined publishing of equal bodies."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator

from bench.facts import fill, sample
from bench.figures import Figure, compare
from bench.ground import Ground
from services.kernel import broker

QUEUE = "bench.sink"


def measure(ground: Ground) -> Iterator[Figure]:
    """One line."""
    platform = sample(ground.env)
    # Long enough that neither the start nor the moment's rest before the last checkpoint counts.
    facts = int(ground.pick(60_000, 3_000))
    fill(platform, facts)
    platform.close()
    asyncio.run(_prepare(ground.env["AMQP_URL"]))

    def turn(kind: str) -> float:
        command = [sys.executable, "-m", "bench.publish", kind]
        done = subprocess.run(command, env=ground.env, check=True, capture_output=True, text=True)  # noqa: S603
        said = json.loads(done.stdout)
        waiting = asyncio.run(_empty(ground.env["AMQP_URL"]))
        if waiting < said["messages"]:
            raise RuntimeError(f"{said['messages']} messages were published, {waiting} arrived")
        return float(said["messages"] / said["seconds"])

    yield compare(
        "relay",
        "messages/s",
        ours=lambda: turn("relay"),
        baseline=lambda: turn("raw"),
        rounds=ground.rounds,
        at_least=0.8,
        note=f"{facts} facts from a full log into one quorum queue, one process; baseline: equal bodies made "
        "beforehand, pipelined with a window of 1,000 confirms on the same kind of connection",
    )


async def _prepare(url: str) -> None:
    link = broker.AsyncBroker(url)
    await link.connect()
    sink = broker.consumer_queue(QUEUE, "sample", ("job",))
    await link.declare(broker.EXCHANGES, (*broker.STRAYS, sink))
    link.close()


async def _empty(url: str) -> int:
    link = broker.AsyncBroker(url)
    await link.connect()
    purged = await link.call(link.channel.queue_purge, queue=QUEUE)
    link.close()
    return int(purged.method.message_count)
