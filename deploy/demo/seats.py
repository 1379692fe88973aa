"""The part of the story about paid seats: all taken, more of them bought, used at once, and bought only once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from deploy.demo.client import Person, Refused, mail_to
from deploy.demo.company import Company, invitation_token, until
from deploy.demo.staff import let_in, set_prices

NAMES = ("Pedro", "Lina", "Hugo", "Paola", "Iván", "Rosa", "Camilo", "Elsa")
ENABLED_WITHIN = 5.0


def prices_are_set(env: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Finance comes in with a second factor and sets what there is to pay."""
    finance = let_in(env, "finance")
    set_prices(finance)
    prices = finance.get("/ops/catalog")["prices"]
    monthly = next(price for price in prices if price["interval"] == "monthly")
    say(f"{finance.name}: {', '.join(finance.get('/v1/me')['permissions'])}")
    fee, seat = monthly["base_fee"]["amount"], monthly["extra_seat"]["amount"]
    say(f"plan {fee} COP a month with 10 seats, {seat} per seat more")


def fill_the_seats(company: Company, admin: Person, password: str) -> None:
    """Technicians until no seat is free."""
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda name: company.invite(admin, f"{name} Mora", "technician", password), NAMES))


class Eleventh:
    """Somebody who holds an invitation while every seat is taken."""

    def __init__(self, company: Company, admin: Person, password: str) -> None:
        self._company = company
        self._typed = {"name": "Julia Mora", "password": password}
        email = f"julia@{company.domain}"
        admin.post("/v1/users", {"email": email, "name": "Julia Mora", "role": "technician", "language": "es"})
        self._typed["token"] = invitation_token(mail_to(company.mailbox_url, email))

    def come_in(self) -> None:
        """Use the invitation. Raises Refused."""
        Person(self._company.base_url).post("/v1/invitations/accept", self._typed)


def buy_one_more(admin: Person, eleventh: Eleventh, say: Callable[[str], None]) -> Callable[[], dict[str, Any]]:
    """Ask, read, accept; the eleventh comes in. Answers how to accept the very same quote again."""
    until(lambda: admin.get("/v1/plan"), lambda plan: plan["seats"]["granted"] == 10)
    asked = admin.post("/v1/seat-quotes", {"to_seats": 11})
    quote = asked["quote"]
    say(f"one seat more: {quote['monthly_delta']['amount']} COP a month + {quote['tax']['amount']} IVA")
    say(f"from the cycle of {quote['effective_cycle'][:10]} on; quote {quote['hash'][:12]}…")

    def accept() -> dict[str, Any]:
        return admin.post(f"/v1/seat-quotes/{asked['quote_id']}/accept", {"hash": quote["hash"]})

    began = time.perf_counter()
    accept()
    while True:
        try:
            eleventh.come_in()
            break
        except Refused as no:
            if no.code != "no-free-seat" or time.perf_counter() - began > ENABLED_WITHIN:
                raise
            time.sleep(0.02)
    say(f"accepted, and the new technician was in after {time.perf_counter() - began:.2f} s")
    return accept
