"""Other services as a worker asks them, in memory: identity, which knows what people and teams are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Peers:
    """Stands in for `services.kernel.peers.Peers`."""

    names: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)

    def query(self, service: str, query: str, params: Mapping[str, Any], *, tenant: str, by: str) -> dict[str, Any]:
        """Who is called what."""
        self.asked.append((service, query, params))
        return {kind: {id: self.names[id] for id in ids if id in self.names} for kind, ids in params.items()}
