"""The command line: measures one after the other, prints the table, writes bench/latest.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import bench.run  # noqa: F401  # makes the sample services known
from bench import append, billing, exports, gateway, latency, media, rebuild, relay, sync
from bench.figures import Figure
from bench.ground import Ground, ground

LATEST = Path(__file__).parent / "latest.json"
MEASURES: dict[str, Callable[[Ground], Iterator[Figure]]] = {
    "append": append.measure,
    "relay": relay.measure,
    "latency": latency.measure,
    "rebuild": rebuild.measure,
    "billing": billing.measure,
    "exports": exports.measure,
    "sync": sync.measure,
    "media": media.measure,
    "gateway": gateway.measure,
}
_HELP = "Measures the hot paths beside raw baselines of the same run. The aims are shown, nothing fails by them."


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=_HELP)
    parser.add_argument("--quick", action="store_true", help="a smoke run: every measure takes a second or two")
    parser.add_argument("--only", nargs="+", choices=MEASURES, help="only these measures; latest.json is not written")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before it was done"))
    console = Console(stderr=True)
    figures: list[Figure] = []
    try:
        with ground(options.quick) as here:
            for name in options.only or MEASURES:
                with console.status(f"measuring {name}"):
                    for figure in MEASURES[name](here):
                        figures.append(figure)
    finally:
        # What was measured before something failed took minutes, and is true.
        _print(figures)
    if not options.only:
        LATEST.write_text(json.dumps(_report(figures, options.quick), indent=1, ensure_ascii=False) + "\n")
    return 0


def _print(figures: list[Figure]) -> None:
    out = Console(width=None if sys.stdout.isatty() else 130)
    out.print(_table(figures))
    if any(figure.cpu_ms for figure in figures):
        out.print(_costs([figure for figure in figures if figure.cpu_ms]))


def _table(figures: list[Figure]) -> Table:
    table = Table("measure", "unit", title="CheckOP beside its baselines")
    for column in ("ours", "baseline", "ratio", "aim", "reached"):
        table.add_column(column, justify="right")
    for figure in figures:
        table.add_row(
            figure.name,
            figure.unit,
            _number(figure.ours),
            _number(figure.baseline),
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            figure.aim,
            {True: "yes", False: "no", None: ""}[figure.reached],
        )
    return table


def _costs(figures: list[Figure]) -> Table:
    table = Table("process", title="CPU of one request in ms, with all that follows from it")
    for figure in figures:
        table.add_column(figure.name, justify="right")
    for process in figures[0].cpu_ms:
        table.add_row(process, *(f"{figure.cpu_ms[process]:.2f}" for figure in figures))
    table.add_section()
    table.add_row("together", *(f"{sum(figure.cpu_ms.values()):.2f}" for figure in figures))
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def _report(figures: list[Figure], quick: bool) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "figures": [figure.to_wire() for figure in figures],
    }


if __name__ == "__main__":
    sys.exit(main())
