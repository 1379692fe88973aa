"""Years of billing at random: clocks that jump, two schedulers, replays, seats up and down, rests and debts.

The reference's ten invariants are checked after every step against what the log says, by a model that
knows nothing of the code: when each cycle began, how many seats had been sold before that moment.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.billing.domain.calendar import next_start
from services.billing.domain.customer_account import CustomerAccount, customer_account
from services.billing.domain.invoice import invoice
from services.billing.domain.invoice_lines import total_of
from services.billing.domain.money import Money, total
from services.billing.domain.subscription import subscription
from services.billing.domain.subscription_state import Subscription
from services.kernel.clock import new_id
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.timers import At
from tests.examples.billing import ANDES, Billing, billing, commercial, system

SCRIPTS = ("accepted", "twice", "lost", "unreachable,pending,accepted", "pending,accepted")


class BillerMachine(RuleBasedStateMachine):
    """One account on a platform where everything that can go wrong with time does."""

    app: Billing

    @initialize(script=st.sampled_from(SCRIPTS))
    def begin(self, script: str) -> None:
        self.app = billing(script=script)
        self.fired: list[tuple[At, str]] = []
        self.known: tuple[int, list[Recorded]] = (0, [])

    def attempt(self, run: Any) -> None:
        """Do something that may be refused."""
        try:
            run()
        except Rejected:
            return

    @rule(days=st.integers(min_value=1, max_value=75), hours=st.integers(min_value=0, max_value=23))
    def time_passes(self, days: int, hours: int) -> None:
        self.fired += list(self.app.app.timers.values())
        self.app.app.advance(timedelta(days=days, hours=hours))

    @rule(days=st.integers(min_value=-60, max_value=-1))
    def the_clock_goes_back(self, days: int) -> None:
        self.app.app.clock.advance(timedelta(days=days))

    @rule(days=st.integers(min_value=1, max_value=800), back=st.booleans())
    def the_clock_jumps(self, days: int, back: bool) -> None:
        """Only the biller sees the wrong time; then somebody sets the clock right, or not."""
        self.app.app.clock.advance(timedelta(days=days))
        self.app.staff("sweep_billing", {})
        if back:
            self.app.app.clock.advance(timedelta(days=-days))

    @rule(data=st.data())
    def a_former_timer_fires_again(self, data: st.DataObject) -> None:
        if self.fired:
            timer, tenant = data.draw(st.sampled_from(self.fired[-40:]))
            self.app.app.application.dispatch(
                timer.dispatch, tenant=tenant, by="timer", commit_id=f"timer:{new_id()}", cause=None
            )
            self.app.app.follow()

    @rule()
    def a_second_scheduler_sweeps(self) -> None:
        self.app.staff("sweep_billing", {})
        # The authority may be asked once more; nothing is opened, written or numbered anew.
        made = ("BillingCycleOpened", "InvoiceDrafted", "NumberAllocated")
        before = [len(self.of(name)) for name in made]
        self.app.staff("sweep_billing", {})
        assert [len(self.of(name)) for name in made] == before, "10: a second run makes nothing new"

    @rule(data=st.data())
    def a_cycle_is_billed_again(self, data: st.DataObject) -> None:
        opened = [fact for fact in self.facts() if fact.type == "BillingCycleOpened"]
        fact = data.draw(st.sampled_from(opened))
        before = len(self.facts())
        settled = self.app.app.application.journal.load(invoice, ANDES, fact.event.invoice_id).state.issued
        self.app.app.execute("bill_cycle", fact.data, system)
        assert settled is None or len(self.facts()) == before

    @rule(more=st.integers(min_value=1, max_value=9), wait=st.integers(min_value=0, max_value=80))
    def seats_are_bought(self, more: int, wait: int) -> None:
        def buy() -> None:
            seats = self.app.see("subscription")["seats"]["granted"]
            quote = self.app.own("quote_seats", {"quote_id": new_id(), "to_seats": seats + more})["quote"]
            self.app.app.clock.advance(timedelta(hours=wait))
            accept = {"quote_id": quote["quote_id"], "hash": quote["hash"]}
            self.app.own("accept_quote", accept)
            self.app.own("accept_quote", accept)

        self.attempt(buy)

    @rule(fewer=st.integers(min_value=1, max_value=9))
    def fewer_seats_are_asked_for(self, fewer: int) -> None:
        to = max(1, self.state().seats - fewer)
        asked = {"account_id": ANDES, "to": to, "ticket": f"SOP-{to}"}
        self.attempt(lambda: self.app.staff("request_seat_reduction", asked))
        if self.state().reduction:
            self.attempt(lambda: self.app.staff("approve_seat_reduction", self.order()))

    @rule(reserves=st.booleans())
    def identity_answers(self, reserves: bool) -> None:
        reduction = self.state().reduction
        if reduction and reserves:
            self.app.identity_says("note_reservation", order=reduction.order, to=reduction.to)
        elif reduction:
            self.app.identity_says("note_block", order=reduction.order, to=reduction.to, active=reduction.to + 2)

    @rule()
    def the_reduction_is_cancelled(self) -> None:
        if self.state().reduction:
            self.attempt(lambda: self.app.own("cancel_seat_reduction", {"order": self.state().orders}))

    @rule(command=st.sampled_from(["pause_subscription", "resume_subscription", "keep_subscription"]))
    def the_owner_rests_or_comes_back(self, command: str) -> None:
        self.attempt(lambda: self.app.own(command))

    @rule()
    def the_owner_leaves(self) -> None:
        self.attempt(lambda: self.app.own("cancel_subscription"))

    @rule(interval=st.sampled_from(["monthly", "annual"]))
    def the_interval_changes(self, interval: str) -> None:
        self.attempt(lambda: self.app.own("choose_interval", {"interval": interval}))

    @rule(all_of_it=st.booleans())
    def the_customer_pays(self, all_of_it: bool) -> None:
        for id, claim in list(self.ledger().claims.items()):
            if claim.open.amount > 1:
                cash = claim.open if all_of_it else Money.of(1)
                paid = {"account_id": ANDES, "payment_id": new_id(), "invoice_id": id, "received_on": "2026-03-10"}
                self.app.staff("record_payment", paid | {"cash": str(cash.amount)})

    @rule()
    def the_staff_looks(self) -> None:
        now = self.app.app.clock.now()
        self.attempt(lambda: self.app.staff("unpark_account", {"account_id": ANDES, "until": now.isoformat()}))

    # What must hold, whatever happened.

    @invariant()
    def one_invoice_per_cycle_and_kind(self) -> None:
        opened = [fact.event for fact in self.of("BillingCycleOpened")]
        assert len({event.cycle_start for event in opened}) == len(opened)
        for name in ("InvoiceDrafted", "InvoiceIssued"):
            counted = Counter(fact.event.invoice_id for fact in self.of(name))
            assert all(times == 1 for times in counted.values()), name
            assert counted.keys() <= {event.invoice_id for event in opened}
        posted = Counter(fact.event.invoice_id for fact in self.of("InvoicePosted"))
        assert all(times == 1 for times in posted.values())

    @invariant()
    def cycles_never_overlap(self) -> None:
        end: datetime | None = None
        for fact in self.of("BillingCycleOpened"):
            assert end is None or fact.event.cycle_start >= end
            end = fact.event.cycle_end
            assert fact.event.cycle_start.hour == 5

    @invariant()
    def what_is_billed_is_what_was_sold_before_the_cut(self) -> None:
        seats = 0
        for fact in self.facts():
            match fact.type:
                case "SubscriptionStarted" | "SeatsGranted" | "SeatReductionApplied":
                    seats = fact.event.seats
                    assert seats >= 10
                case "BillingCycleOpened":
                    assert fact.event.seats == seats
        drafted = {fact.event.invoice_id: fact.event for fact in self.of("InvoiceDrafted")}
        for fact in self.of("BillingCycleOpened"):
            if fact.event.invoice_id in drafted:
                draft = drafted[fact.event.invoice_id]
                extra = [line.quantity for line in draft.lines if line.what == "extra_seats"]
                assert sum(extra) == fact.event.seats - 10, "9: nobody but an operational user is priced"
                assert draft.total == total_of(draft.lines)

    @invariant()
    def nothing_is_granted_before_it_is_opened(self) -> None:
        """A grant lies after every cycle that had begun by then: late billers cannot shift it."""
        next_cycle: datetime | None = None
        for fact in self.facts():
            match fact.type:
                case "SubscriptionStarted":
                    next_cycle = fact.event.cycle_start
                case "BillingCycleOpened" | "BillingCycleSkipped":
                    next_cycle = fact.event.cycle_end
                case "AccountReactivated" if fact.event.cycle_start is not None:
                    next_cycle = fact.event.cycle_start
                case "SeatsGranted":
                    assert next_cycle is not None
                    assert fact.at < next_cycle

    @invariant()
    def a_reduction_is_applied_at_a_cut_and_only_when_identity_holds_it(self) -> None:
        ready: set[int] = set()
        commits: dict[int, list[Recorded]] = {}
        for fact in self.facts():
            commits.setdefault(fact.position, []).append(fact)
        for facts in commits.values():
            for number, fact in enumerate(facts):
                if fact.type == "SeatReductionReady":
                    ready.add(fact.event.order)
                if fact.type == "SeatReductionApplied":
                    assert fact.event.order in ready
                    assert facts[number + 1].type in ("BillingCycleOpened", "BillingCycleSkipped")

    @invariant()
    def numbers_have_no_gap(self) -> None:
        numbers = [fact.event.number for fact in self.of("NumberAllocated") if fact.event.prefix == "CHK"]
        assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def the_ledger_is_balanced(self) -> None:
        ledger = self.ledger()
        nothing = Money.of(0)
        assert total(ledger.books.values()) == nothing
        assert ledger.balance == total(claim.open for claim in ledger.claims.values())
        for fact in self.facts():
            if hasattr(fact.event, "postings"):
                assert total(posting.amount for posting in fact.event.postings) == nothing

    @invariant()
    def who_rests_or_left_is_not_billed(self) -> None:
        standing = "active"
        for fact in self.facts():
            if fact.category != "subscription":
                continue
            standing = getattr(fact.event, "standing", standing)
            if fact.type == "BillingCycleOpened":
                assert standing not in ("paused", "suspended", "cancelled")

    @invariant()
    def a_parked_account_is_not_billed(self) -> None:
        parked = False
        for fact in self.facts():
            if fact.type in ("AccountParked", "AccountUnparked"):
                parked = fact.type == "AccountParked"
            assert not (parked and fact.type == "BillingCycleOpened")

    @invariant()
    def the_anchor_is_remembered(self) -> None:
        anchor = 2
        for fact in self.facts():
            if fact.type == "AccountReactivated" and fact.event.anchor_day is not None:
                anchor = fact.event.anchor_day
            if fact.type == "BillingCycleOpened":
                opened = fact.event
                assert opened.cycle_end == next_start(opened.cycle_start, anchor, opened.interval)

    @invariant()
    def the_agenda_and_the_state_say_the_same(self) -> None:
        rows = self.app.app.query("subscriptions", {}, commercial)["items"]
        state = self.state()
        expected = "parked" if state.parked else "cancelled" if state.cancelled else "running"
        assert [row["status"] for row in rows] == [expected]
        if expected == "running" and state.next_cycle is not None:
            assert rows[0]["due"] == state.next_cycle.isoformat()

    def facts(self) -> list[Recorded]:
        """The whole log; decoded once as long as nothing is added."""
        head = self.app.app.store.head()
        if head != self.known[0]:
            self.known = (head, self.app.app.facts())
        return self.known[1]

    def of(self, name: str) -> list[Recorded]:
        return [fact for fact in self.facts() if fact.type == name]

    def state(self) -> Subscription:
        state: Subscription = self.app.app.application.journal.load(subscription, ANDES, ANDES).state
        return state

    def ledger(self) -> CustomerAccount:
        state: CustomerAccount = self.app.app.application.journal.load(customer_account, ANDES, ANDES).state
        return state

    def order(self) -> dict[str, Any]:
        return {"account_id": ANDES, "order": self.state().orders}


BillerMachine.TestCase.settings = settings(
    max_examples=10, stateful_step_count=15, suppress_health_check=list(HealthCheck)
)
TestBiller = BillerMachine.TestCase
