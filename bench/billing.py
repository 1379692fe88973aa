"""How many subscriptions a second are billed, and whether the last ones need more memory than the first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.figures import Figure
from bench.ground import Ground
from services.billing.domain.calendar import midnight
from services.billing.readmodels.billing_agenda import CycleAgenda, DocumentAgenda
from services.billing.wiring import define
from services.kernel.clock import SettableClock, new_id
from services.kernel.commit import PLATFORM, Caller
from services.kernel.config import Settings
from services.kernel.platform import Platform, open_platform
from services.kernel.projection import Projector

STAFF = Caller(tenant=PLATFORM, actor="bench", role="staff", permissions=frozenset({"ops:billing"}))
BEGIN = datetime(2026, 3, 2, 15, tzinfo=UTC)
LANES, STEP = 8, 60


def measure(ground: Ground) -> Iterator[Figure]:
    """One sweep over all subscriptions on the day their cycle begins, and a second one that finds nothing to do."""
    subscriptions = int(ground.pick(10_000, 200))
    clock = SettableClock(BEGIN)
    platform = open_platform(define(), Settings.model_validate(ground.apart("billing")), clock)
    platform.ensure_indexes()
    _set_up(platform)
    accounts = [str(UUID(int=(7 << 76) | (8 << 60) | number)) for number in range(subscriptions)]
    with ThreadPoolExecutor(LANES) as pool:
        for _ in pool.map(lambda account: _subscribe(platform, account), accounts):
            pass
    _follow(platform)
    clock.advance(midnight(date(2026, 4, 2)) - BEGIN + timedelta(minutes=1))

    billed, memory, began = 0, [_resident()], time.perf_counter()
    with ThreadPoolExecutor(LANES) as pool:
        while True:
            lanes = [pool.submit(_sweep, platform, lane) for lane in range(LANES)]
            done = sum(future.result() for future in lanes)
            _follow(platform)
            memory.append(_resident())
            if not done:
                break
            billed += done
    took = time.perf_counter() - began
    if billed != subscriptions:
        raise AssertionError(f"{billed} cycles were opened for {subscriptions} subscriptions")
    half = len(memory) // 2
    grown = max(memory[half:]) - max(memory[: half or 1])
    note = (
        f"{subscriptions} subscriptions, one cycle each, by {LANES} sweeps at once: opened, written, numbered, "
        f"validated by the stand-in, read models followed; resident memory {memory[0]:.0f} MB at the beginning, "
        f"{max(memory):.0f} MB at most, {grown:+.1f} MB from the first half to the second; "
        "a last sweep found nothing to do"
    )
    yield Figure("billing of subscriptions", "subscriptions/s", billed / took, note=note)
    platform.close()


def _sweep(platform: Platform, lane: int) -> int:
    wanted = {"limit": STEP, "lane": lane, "lanes": LANES}
    opened: int = platform.application.execute("sweep_billing", wanted, STAFF, new_id())["opened"]
    return opened


def _set_up(platform: Platform) -> None:
    day = "2026-01-01"
    price = {"interval": "monthly", "base_fee": "890000", "extra_seat": "79000", "effective_from": day}
    tax = {"applies_to": "domestic", "tax_code": "IVA19", "rate": "0.19", "basis": "E.T. art. 468"}
    numbers = {"prefix": "CHK", "resolution": "bench", "first": 1, "last": 90_000, "valid_from": day}
    for command, data in (
        ("price_plan", price),
        ("set_tax", tax | {"effective_from": day}),
        ("authorise_range", numbers | {"valid_to": "2099-12-31"}),
    ):
        platform.application.execute(command, data, STAFF, new_id())


def _subscribe(platform: Platform, account: str) -> None:
    """An account whose first cycle begins with the next month: nothing is due before the measure."""
    system = Caller(tenant=account, actor="system:bench", role="system")
    came = {"account_id": account, "country": "CO", "registered_at": "2026-04-02T15:00:00Z"}
    details: dict[str, Any] = {
        "legal_name": "Banco de Pruebas S.A.S.",
        "tax_id": "900.000.000-1",
        "address": "Calle 1",
        "city": "Bogotá",
        "email": "bench@example.com",
    }
    platform.application.execute("start_subscription", came, system, new_id())
    platform.application.execute("set_billing_details", details, system, new_id())


def _follow(platform: Platform) -> None:
    for model in (CycleAgenda(), DocumentAgenda()):
        projector = Projector(platform.db, model, platform.store, platform.registry, platform.keyring)
        projector.prepare()
        while projector.step():
            pass


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1024**2
