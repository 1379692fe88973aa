"""The gateway's one connection to the broker: made again whenever it breaks, and everybody is told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Protocol

from services.kernel import logging
from services.kernel.broker import EXCHANGES, AsyncBroker

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0

log = logging.get(__name__)


class Part(Protocol):
    """Something that lives on the connection and must be set up anew on each one."""

    async def connected(self, broker: AsyncBroker) -> None:
        """Declare and consume what is needed. Raises BrokerLost."""

    def disconnected(self) -> None:
        """The connection is gone; nothing that was under way on it will be answered."""


class Link:
    """Keeps one connection up for all parts; between two attempts it waits, each time longer, up to a bound."""

    def __init__(self, url: str, parts: Sequence[Part], *, name: str = "gateway") -> None:
        self._url = url
        self._parts = parts
        self._name = name
        self._up = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """Whether every part is connected now."""
        return self._up.is_set()

    async def wait_up(self, timeout: float) -> bool:
        """Wait for the connection; False when it did not come in time."""
        try:
            await asyncio.wait_for(self._up.wait(), timeout)
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        pause = FIRST_PAUSE
        while True:
            broker = AsyncBroker(self._url, name=self._name)
            try:
                lost = await self._connect(broker)
                pause = FIRST_PAUSE
                self._up.set()
                log.info("broker_connected")
                why = await lost
            except Exception as error:  # whatever it was, the next attempt is the remedy
                why = error
            finally:
                self._up.clear()
                for part in self._parts:
                    part.disconnected()
                broker.close()
            log.warning("broker_lost", why=repr(why), retry_in=round(pause, 2))
            # The jitter keeps several gateways from knocking in step after a broker restart.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # nothing to guess here
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _connect(self, broker: AsyncBroker) -> asyncio.Future[BaseException]:
        lost: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        broker.on_lost = lambda why: None if lost.done() else lost.set_result(why)
        await broker.connect(confirms=False)
        await broker.declare(EXCHANGES, ())
        for part in self._parts:
            await part.connected(broker)
        return lost
