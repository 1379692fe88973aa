"""What billing refuses."""

from __future__ import annotations

from gateway.words import Words

BILLING: Words = {
    "account-not-active": (
        409,
        "This is only possible while the account is active.",
        "Esto solo es posible mientras la cuenta esté activa.",
    ),
    "account-parked": (
        409,
        "We are checking this account's billing; seats cannot change until that is done.",
        "Estamos revisando la facturación de esta cuenta; las licencias no pueden cambiar hasta terminar.",
    ),
    "billing-details-not-set": (
        409,
        "Say first to whom invoices are made out.",
        "Indique primero a nombre de quién se factura.",
    ),
    "block-full": (409, "This block of numbers is used up.", "Este bloque de números está agotado."),
    "credit-note-exists": (409, "This credit note exists already.", "Esta nota crédito ya existe."),
    "document-accepted": (
        409,
        "The tax authority has accepted this document already.",
        "La autoridad tributaria ya aceptó este documento.",
    ),
    "document-not-ready": (
        409,
        "The printed form is not ready yet. Try again shortly.",
        "El documento impreso aún no está listo. Intente de nuevo en breve.",
    ),
    "invoice-not-issued": (409, "This invoice is not issued yet.", "Esta factura aún no se ha emitido."),
    "payment-exceeds-open": (
        409,
        "This is more than what is open on the invoice.",
        "Esto supera el saldo pendiente de la factura.",
    ),
    "payment-exists": (409, "This payment is recorded already.", "Este pago ya está registrado."),
    "price-not-set": (
        409,
        "No price is set for that day. Our team has to set one first.",
        "No hay un precio definido para ese día. Nuestro equipo debe definirlo primero.",
    ),
    "quote-exists": (409, "This quote exists already.", "Esta cotización ya existe."),
    "quote-hash-mismatch": (
        409,
        "This is not the quote you were shown. Read it again before you accept.",
        "Esta no es la cotización que se le mostró. Léala de nuevo antes de aceptar.",
    ),
    "quote-declined": (409, "This quote was declined.", "Esta cotización fue rechazada."),
    "quote-superseded": (
        409,
        "A newer quote has taken the place of this one.",
        "Una cotización más reciente reemplazó a esta.",
    ),
    "quote-stale": (
        409,
        "The terms have changed since this quote. Ask for a new one.",
        "Las condiciones cambiaron desde esta cotización. Solicite una nueva.",
    ),
    "range-exhausted": (409, "The authorised invoice numbers are used up.", "La numeración autorizada está agotada."),
    "range-expired": (409, "The authorised invoice numbers have expired.", "La numeración autorizada está vencida."),
    "range-not-set": (409, "No invoice numbers are authorised.", "No hay numeración de facturas autorizada."),
    "range-overlaps": (
        409,
        "Some of these numbers are authorised already.",
        "Algunos de estos números ya están autorizados.",
    ),
    "reduction-decided": (
        409,
        "This reduction has been decided already.",
        "Esta reducción ya fue decidida.",
    ),
    "reduction-pending": (
        409,
        "A reduction of seats is under way. It has to be taken back or finished first.",
        "Hay una reducción de licencias en curso. Primero debe retirarse o terminar.",
    ),
    "tax-not-set": (
        409,
        "No tax treatment is set for that day. Our team has to set one first.",
        "No hay un tratamiento tributario definido para ese día. Nuestro equipo debe definirlo primero.",
    ),
    "quote-expired": (410, "This quote has expired. Ask for a new one.", "Esta cotización venció. Solicite una nueva."),
    "below-included-seats": (
        422,
        "There cannot be fewer seats than the plan includes.",
        "No puede haber menos licencias que las incluidas en el plan.",
    ),
    "credit-exceeds-line": (
        422,
        "More would be given back than the line was charged.",
        "Se devolvería más de lo cobrado en la línea.",
    ),
    "credit-line-twice": (422, "A line is named twice.", "Una línea aparece dos veces."),
    "effective-day-past": (
        422,
        "A change must begin after today and after the one before it.",
        "Un cambio debe comenzar después de hoy y después del anterior.",
    ),
    "payment-not-positive": (422, "A payment must be more than nothing.", "Un pago debe ser mayor que cero."),
    "price-negative": (422, "A price cannot be negative.", "Un precio no puede ser negativo."),
    "range-invalid": (
        422,
        "The first number or day lies after the last.",
        "El primer número o día es posterior al último.",
    ),
    "seats-not-lowered": (
        422,
        "A reduction must ask for fewer seats than there are.",
        "Una reducción debe pedir menos licencias de las que hay.",
    ),
    "seats-not-raised": (
        422,
        "Ask for more seats than you have. Fewer are asked for by a ticket to support.",
        "Pida más licencias de las que tiene. Para reducirlas, cree un tique en soporte.",
    ),
    "tax-rate-wrong": (422, "This tax code has another rate.", "Este código de impuesto tiene otra tarifa."),
    "until-in-future": (422, "That moment has not come yet.", "Ese momento aún no ha llegado."),
    "withholding-invalid": (
        422,
        "Name each kind of withholding once, with an amount.",
        "Indique cada retención una sola vez, con su valor.",
    ),
}
