"""Puts what is valid on paper: renders it, stores it, and tells so; doing it twice leaves the same file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any

from services.billing.asking import own_only
from services.billing.domain.calendar import midnight
from services.billing.domain.invoice import NoteDocumentStored, invoice
from services.billing.domain.invoice_state import Invoice
from services.billing.domain.values import INCLUDED
from services.billing.invoice_pdf import render
from services.billing.settings import BillingSettings
from services.kernel.application import Ask, Do


def print_document(settings: BillingSettings) -> Do:
    """The command that does it."""

    def run(ask: Ask) -> Mapping[str, Any]:
        own_only(ask.caller)
        account, id, document_id = ask.caller.tenant, ask.data["invoice_id"], ask.data["document_id"]
        state: Invoice = ask.state(invoice, id)
        valid = state.issued if document_id == id else state.credited.get(document_id)
        if valid is None or state.documents[document_id].object_key:
            return {}
        pdf = render(
            state,
            document_id,
            issuer=settings.issuer,
            included=INCLUDED["standard"],
            at=midnight(valid.issued_on),
        )
        key = f"{account}/invoices/{document_id}.pdf"
        ask.ports["objects"]().put_object(
            ask.settings.s3_bucket, key, io.BytesIO(pdf), len(pdf), content_type="application/pdf"
        )
        stored = ask.make(
            NoteDocumentStored,
            {
                "account_id": account,
                "invoice_id": id,
                "document_id": document_id,
                "object_key": key,
                "sha256": hashlib.sha256(pdf).hexdigest(),
                "size": len(pdf),
            },
        )
        return ask.handle(invoice, id, stored, part="stored").to_wire()

    return Do(run)
