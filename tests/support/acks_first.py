"""The kernel's programs with one safeguard removed: a message is acknowledged before it has had its effect."""

from __future__ import annotations

import sys

import eventlet

eventlet.monkey_patch()

from tests.support import program  # noqa: E402

if __name__ == "__main__":
    from services.kernel.subscription import Subscribes

    def work(self: Subscribes, partition: object) -> None:
        """As the original, in the wrong order."""
        while (delivered := partition.get()) is not None:  # type: ignore[attr-defined]
            self._listener.settled([delivered])
            eventlet.sleep(0.3)
            self._handle([bytes(delivered.body)])

    Subscribes._work = work
    sys.exit(program.main(sys.argv[1:]))
