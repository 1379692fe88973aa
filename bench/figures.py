"""What a measure yields: ours and the baseline's figures, each the median of rounds that took turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass
class Figure:
    """One line of the table. `aim` is what the project set itself; it is shown, not enforced.

    `cpu_ms` tells what one of ours costs each process: on a machine with few cores that, not the slowest
    process, decides how many there can be.
    """

    name: str
    unit: str
    ours: float
    baseline: float | None = None
    aim: str = ""
    reached: bool | None = None
    rounds: dict[str, list[float]] = field(default_factory=dict)
    note: str = ""
    cpu_ms: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Ours to the baseline's."""
        return self.ours / self.baseline if self.baseline else None

    def to_wire(self) -> dict[str, Any]:
        """The JSON form."""
        ratio = self.ratio
        return asdict(self) | {"ratio": None if ratio is None else round(ratio, 3)}


def compare(
    name: str,
    unit: str,
    *,
    ours: Callable[[], float],
    baseline: Callable[[], float],
    rounds: int,
    at_least: float | None = None,
    note: str = "",
) -> Figure:
    """Baseline and ours by turns, so that a machine that slows down slows both; the medians count."""
    raw: list[float] = []
    own: list[float] = []
    for _ in range(rounds):
        raw.append(baseline())
        own.append(ours())
    figure = Figure(name, unit, median(own), median(raw), rounds={"ours": own, "baseline": raw}, note=note)
    if at_least is not None:
        figure.aim = f"≥ {at_least:g} × baseline"
        figure.reached = (figure.ratio or 0) >= at_least
    return figure
