"""Which loopback ports the local stack listens on: fixed ones from the configuration, or free ones."""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

FIXED: dict[str, int] = {
    "gateway": 8080,
    "mongo": 27117,
    "amqp": 5772,
    "amqp_management": 15772,
    "amqp_prometheus": 15792,
    "amqp_distribution": 25772,
    "amqp_epmd": 4469,
    "s3": 8433,
    "s3_grpc": 18433,
    "s3_master": 9433,
    "s3_master_grpc": 19433,
    "s3_volume": 9434,
    "s3_volume_grpc": 19434,
    "s3_filer": 9435,
    "s3_filer_grpc": 19435,
    "smtp": 1125,
    "mailbox": 8125,
}

CHOSEN_FROM = range(20_000, 32_000)
"""Below what Linux gives to the near ends of connections (32768 on): while an engine is down, for a restart or because
it was killed, any client's connection could otherwise take its port."""

Ports = Mapping[str, int]


class PortTaken(RuntimeError):
    """Another program listens where a component of the stack should."""


def variable(name: str) -> str:
    """The environment variable that moves one port, e.g. CHECKOP_PORT for the gateway."""
    return "CHECKOP_PORT" if name == "gateway" else f"CHECKOP_{name.upper()}_PORT"


def fixed() -> dict[str, int]:
    return {name: int(os.environ.get(variable(name), port)) for name, port in FIXED.items()}


def free(remembered: Path) -> dict[str, int]:
    """Free ports, chosen once per data directory: engines write their own address into their data."""
    known = json.loads(remembered.read_text()) if remembered.exists() else {}
    chosen = {name: known[name] for name in FIXED if name in known}
    chosen |= pick(name for name in FIXED if name not in chosen)
    if chosen != known:
        remembered.parent.mkdir(parents=True, exist_ok=True)
        remembered.write_text(json.dumps(chosen, indent=1))
    return chosen


def pick(names: Iterable[str]) -> dict[str, int]:
    """Ports that nobody listens on now, none of them one of the fixed ones."""
    candidates = [port for port in CHOSEN_FROM if port not in FIXED.values()]
    random.shuffle(candidates)
    return {name: next(port for port in iter(candidates.pop, None) if _unused(port)) for name in names}


def _unused(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def resolve(wanted: Literal["free", "fixed"] | Ports, remembered: Path) -> dict[str, int]:
    if wanted == "free":
        return free(remembered)
    if wanted == "fixed":
        return fixed()
    return fixed() | dict(wanted)


def listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def check_available(ports: Ports, names: Iterable[str]) -> None:
    taken = [name for name in names if listening(ports[name])]
    if taken:
        where = "".join(f"\n  {ports[name]:>5}  {name}; move it with {variable(name)}" for name in taken)
        raise PortTaken(f"Another program already listens where the stack should:{where}")
