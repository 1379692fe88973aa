"""Puts the billing service together."""

from __future__ import annotations

from datetime import timedelta

from services.billing.commands import commands
from services.billing.domain.catalog import catalog
from services.billing.domain.customer_account import customer_account
from services.billing.domain.dunning_case import dunning_case
from services.billing.domain.invoice import invoice
from services.billing.domain.number_block import number_block
from services.billing.domain.number_range import number_range
from services.billing.domain.subscription import subscription
from services.billing.einvoicing import EInvoicing, Simulated
from services.billing.incoming import FOLLOWED
from services.billing.processes import follow_identity
from services.billing.processes.dun_what_is_late import dun_what_is_late
from services.billing.processes.expire_quote import expire_quote
from services.billing.processes.open_cycles_when_they_begin import open_cycles_when_they_begin
from services.billing.processes.post_what_is_issued import post_what_is_issued
from services.billing.processes.see_documents_through import see_documents_through
from services.billing.processes.sweep_when_platform_is_set_up import sweep_when_platform_is_set_up
from services.billing.readmodels import billing_agenda, invoices, rates, subscription_card
from services.billing.settings import BillingSettings, billing_settings
from services.kernel.application import Dispatch, ServiceDefinition, Subscription
from services.kernel.timers import Every


def define(settings: BillingSettings | None = None, einvoicing: EInvoicing | None = None) -> ServiceDefinition:
    """Everything the billing service is; tests bring their own settings and their own authority."""
    chosen = settings or billing_settings()
    authority = einvoicing or adapter(chosen)
    return ServiceDefinition(
        name="billing",
        deciders=(subscription, invoice, number_range, number_block, customer_account, dunning_case, catalog),
        commands=commands(chosen, authority),
        queries={
            **subscription_card.QUERIES,
            **invoices.QUERIES,
            **billing_agenda.QUERIES,
            **rates.QUERIES,
        },
        read_models=(
            subscription_card.SubscriptionCard(),
            invoices.Invoices(),
            invoices.Payments(),
            billing_agenda.CycleAgenda(),
            billing_agenda.DocumentAgenda(),
            billing_agenda.ReductionAgenda(),
        ),
        reactions=(
            open_cycles_when_they_begin,
            see_documents_through(chosen),
            post_what_is_issued,
            dun_what_is_late,
            expire_quote,
            sweep_when_platform_is_set_up,
        ),
        subscriptions=(
            Subscription(
                "billing.identity",
                source="identity",
                categories=("account", "seat_pool"),
                models=FOLLOWED,
                react=follow_identity.react,
            ),
        ),
        # Timers and reactions bill on the day; the sweep finds what they could not do, and ranges about to end.
        clocks=(Every("sweep", timedelta(hours=6), Dispatch("sweep_billing")),),
    )


def adapter(settings: BillingSettings) -> EInvoicing:
    """The way to the tax authority that the settings name."""
    match settings.einvoicing:
        case "simulated":
            return Simulated(settings.simulation)
