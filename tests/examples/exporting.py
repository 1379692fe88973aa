"""A small service with exports: boats and the fish they brought home, as many as a test wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from services.kernel.application import Query, ServiceDefinition
from services.kernel.commit import Caller
from services.kernel.exporting.definition import export_parts
from services.kernel.exporting.job import Sheet
from services.kernel.exporting.kinds import Cell, ExportKind, Plan, Thing, Wanted
from tests.examples.kernel import an_id

TENANT = an_id(700)
ZONE = "America/Bogota"
NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
PERMISSIONS = frozenset({"exports:read", "exports:edit", "boats:read"})
OWNER = Caller(tenant=TENANT, actor=an_id(1), role="owner", permissions=PERMISSIONS)
VIEWER = Caller(tenant=TENANT, actor=an_id(2), role="viewer", permissions=PERMISSIONS)
HEADINGS = ("Id", "Nombre", "Salida", "Peso", "Hundido")


class BoatFilters(Query):
    """Which boats."""

    even: bool = False
    fish: bool = True


@dataclass
class Harbour:
    """The boats there are: how many, how many fish each third of them has, and names that are special."""

    boats: int = 0
    names: dict[int, str] = field(default_factory=dict)
    read: int = 0

    def plan(self, wanted: Wanted) -> Plan:
        """Boats and their fish."""
        sheets = (Sheet(name="Barcos", headings=HEADINGS), Sheet(name="Peces", headings=("Barco", "Pez")))
        shown = sheets if wanted.filters.get("fish", True) else sheets[:1]
        return Plan(shown, self.boats, {"even": wanted.filters.get("even", False), "fish": len(shown) > 1})

    def rows(self, wanted: Wanted, scope: Mapping[str, Any], after: str) -> Iterator[Thing]:
        """Behind the boat of this key."""
        for n in range(int(after or 0) + 1, self.boats + 1):
            if scope["even"] and n % 2:
                continue
            self.read += 1
            boat: list[Cell] = [n, self.names.get(n, f"Barco n.º {n}"), NOON + timedelta(minutes=n)]
            fish: list[tuple[int, list[Cell]]] = [(1, [n, f"pez {i}"]) for i in range(n % 3 if scope["fish"] else 0)]
            yield Thing(f"{n:08}", [(0, [*boat, Decimal(n) / 4, n % 2 == 0]), *fish])


def boats(harbour: Harbour, **changes: Any) -> ExportKind:
    """The kind of export."""
    parts: dict[str, Any] = {
        "name": "boats",
        "permission": "boats:read",
        "titles": {"es": "barcos", "en": "boats"},
        "filters": BoatFilters,
        "plan": harbour.plan,
        "rows": harbour.rows,
    }
    return ExportKind(**{**parts, **changes})


def define(*kinds: ExportKind) -> ServiceDefinition:
    """The service."""
    parts = export_parts(kinds, lambda ask: ZONE)
    return ServiceDefinition(
        name="harbour",
        deciders=tuple(parts.deciders),
        commands=parts.commands,
        queries=parts.queries,
        read_models=tuple(parts.read_models),
        reactions=tuple(parts.reactions),
    )
