"""What a service says about its exports: which kinds there are, which tables each has, and how their rows are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.kernel.application import Ask, Query
from services.kernel.exporting.job import Language, Sheet

Cell = str | int | float | Decimal | bool | datetime | date | None
"""What may stand in a cell. Moments are written on the wall clock of the account, with their offset."""

Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One export as its kind sees it. What is asked on the requester's behalf shows only what he may see."""

    filters: Mapping[str, Any]
    language: Language
    time_zone: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be written: its tables, about how many things, and `scope`: whatever the kind must remember.

    The plan is kept with the export, so that a file that is written over hours has the columns and the view it
    began with.
    """

    tables: Sequence[Sheet]
    total: int
    scope: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing with all its rows: (number of the table, cells). Things come in the order of their keys."""

    key: str
    rows: Sequence[tuple[int, Row]]


@dataclass(frozen=True, slots=True)
class ExportKind:
    """One kind of export: `filters` say which things, `rows(wanted, scope, after)` goes on behind that thing.

    `check` refuses at once what can be known to be wrong without looking at the things; what the others refuse later
    ends the export, which then says so.
    """

    name: str
    permission: str
    titles: Mapping[Language, str]
    filters: type[Query]
    plan: Callable[[Wanted], Plan]
    rows: Callable[[Wanted, Mapping[str, Any], str], Iterator[Thing]]
    check: Callable[[Ask, Mapping[str, Any]], None] | None = None
