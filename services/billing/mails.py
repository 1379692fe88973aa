"""The reminders billing sends, in Spanish and English, as plain text and as simple HTML."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from html import escape

from services.billing.domain.dunning_case import DAYS_LATE
from services.billing.domain.invoice_events import InvoiceIssued
from services.billing.domain.money import Money
from services.billing.domain.subscription_events import BillingDetailsSet
from services.billing.domain.values import Language
from services.billing.showing import day, pesos

_SUBJECT: Mapping[Language, str] = {
    "es": "La factura {number} de CheckOP venció",
    "en": "CheckOP invoice {number} is past due",
}
_FIRST: Mapping[Language, str] = {
    "es": "La factura {number} venció el {due} y tiene un saldo de {open}.",
    "en": "Invoice {number} was due on {due}; {open} is still open.",
}
_COMING: Mapping[Language, str] = {
    "es": "Si el {restricted} sigue abierta, no se podrá iniciar trabajo nuevo; desde el {suspended} la cuenta "
    "quedará suspendida. Tus datos se conservan y el trabajo ya iniciado en campo siempre se recibe.",
    "en": "If it is still open on {restricted}, no new work can be started; from {suspended} on the account is "
    "suspended. Your data is kept, and work already begun in the field is always received.",
}
_PAID: Mapping[Language, str] = {
    "es": "Si ya pagaste, gracias: no tienes que hacer nada más.",
    "en": "If you have paid already, thank you: there is nothing more to do.",
}
_GREETING: Mapping[Language, str] = {"es": "Hola, {name}:", "en": "Hello {name},"}
_CLOSING: Mapping[Language, str] = {"es": "El equipo de CheckOP", "en": "The CheckOP team"}


def reminder(to: BillingDetailsSet, issued: InvoiceIssued, owed: Money) -> dict[str, str]:
    """Subject, text and HTML of one reminder; names are escaped in the HTML and kept to one line."""
    language = to.language
    words = {
        "name": " ".join(str(to.legal_name).split()),
        "number": f"{issued.prefix}-{issued.number}",
        "due": day(issued.due_on, language),
        "open": pesos(owed),
        "restricted": day(issued.due_on + timedelta(days=DAYS_LATE["restricted"]), language),
        "suspended": day(issued.due_on + timedelta(days=DAYS_LATE["suspended"]), language),
    }
    lines = [part[language].format(**words) for part in (_GREETING, _FIRST, _COMING, _PAID)]
    lines.append(_CLOSING[language])
    html = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return {
        "subject": _SUBJECT[language].format(**words),
        "text": "\n\n".join(lines) + "\n",
        "html": f'<html lang="{language}"><body>{html}</body></html>',
    }
