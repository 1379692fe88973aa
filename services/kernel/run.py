"""Starts one process of one service: `python -m services.kernel.run service|relay|worker <name>`."""

from __future__ import annotations

import os
import sys
import warnings
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.kernel.service import ServiceBase

FOLLOWS = 5


def main(argv: list[str]) -> int:
    """Run until told to stop. Answers the exit code; usage errors are 2."""
    if len(argv) != 2 or argv[0] not in ROLES:
        sys.stderr.write("usage: python -m services.kernel.run service|relay|worker <service name>\n")
        return 2
    role, service = argv
    if role == "service":
        # First of all, before pymongo and kombu are imported, or they keep the blocking sockets. That eventlet
        # is in maintenance is known (docs/decisions/0009-libraries.md) and need not be said at every start.
        warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
        import eventlet

        eventlet.monkey_patch()
    from services.kernel import faults, heap, logging
    from services.kernel.config import settings

    config = settings()
    logging.configure(f"{service}.{role}", config.log_level)
    faults.arm_from(config.fault_point)
    heap.settle()
    if role != "service":
        os.nice(FOLLOWS)  # whoever follows gives way to those who are waited for
    ROLES[role](service)
    return 0


def _serve(service: str) -> None:
    import signal
    from importlib import import_module

    import eventlet
    from nameko.containers import ServiceContainer

    from services.kernel.config import settings

    config = settings()
    service_cls = _nameko_class(import_module(f"services.{service}.service"), service)
    container = ServiceContainer(
        service_cls,
        # More than calls and partitions can take together, so that no listener ever waits for a worker.
        config={"max_workers": 4 * config.rpc_workers},
    )
    stopping = eventlet.event.Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stopping.ready() or stopping.send(None))
    container.start()
    # A container that dies by itself ends the process; its supervisor starts a new one.
    watcher = eventlet.spawn(container.wait)
    watcher.link(lambda *_: stopping.ready() or stopping.send(None))
    stopping.wait()
    if not watcher.dead:
        container.stop()
    watcher.wait()


def _nameko_class(module: ModuleType, name: str) -> type[ServiceBase]:
    """The class in the module that has the service's name; there is exactly one."""
    (found,) = (member for member in vars(module).values() if getattr(member, "name", None) == name)
    nameko_class: type[ServiceBase] = found
    return nameko_class


def _relay(service: str) -> None:
    import asyncio
    import signal

    from services.kernel.config import settings
    from services.kernel.logging import get
    from services.kernel.platform import definition_of, open_platform
    from services.kernel.relay import Checkpoint, Relay

    config = settings()
    platform = open_platform(definition_of(service), config)
    relay = Relay(service, platform.store, Checkpoint(platform.db), config.amqp_url.get_secret_value(), platform.clock)

    async def run() -> None:
        for wanted in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(wanted, relay.stop)
        get(__name__).info("relay.ready", service=service)
        await relay.run()

    asyncio.run(run())
    platform.close()


def _work(service: str) -> None:
    import signal

    from services.kernel.config import settings
    from services.kernel.logging import get
    from services.kernel.platform import definition_of, open_platform
    from services.kernel.worker import Worker

    platform = open_platform(definition_of(service), settings())
    platform.ensure_indexes()
    worker = Worker(platform)
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: worker.request_stop())
    worker.start()
    get(__name__).info("worker.ready", service=service)
    worker.wait()
    worker.stop()
    platform.close()


ROLES = {"service": _serve, "relay": _relay, "worker": _work}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
