"""An invoice or a credit note as a page to print: in Spanish, with every figure as it stands in the facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from services.billing.domain.calendar import local_day
from services.billing.domain.invoice_lines import InvoiceLine
from services.billing.domain.invoice_state import Document, Invoice
from services.billing.domain.money import Money
from services.billing.domain.values import TaxCode
from services.billing.showing import day, per_cent, pesos
from services.kernel.domain import Erased

INK, SOFT, RULE, TINT = (28, 38, 48), (96, 108, 120), (208, 214, 220), (238, 244, 243)
BRAND = (0, 106, 96)
WIDTH = 180
_WHAT = {
    "plan": "Plan estándar CheckOP (incluye {included} usuarios operativos)",
    "extra_seats": "Usuario operativo adicional",
}
_TAX: dict[TaxCode, str] = {
    "IVA19": "IVA",
    "EXCL_476_21": "Excluido de IVA (art. 476 num. 21 E.T.)",
    "EXP_481C": "Exento, exportación de servicios (art. 481 lit. c E.T.)",
}


def render(state: Invoice, document_id: str, *, issuer: Sequence[str], included: int, at: datetime) -> bytes:
    """The PDF; the same facts always give the same bytes."""
    document = state.documents[document_id]
    page = _Page(at)
    if document.kind == "invoice":
        _invoice(page, state, document, issuer, included)
    else:
        _credit_note(page, state, document_id, document, issuer)
    return bytes(page.pdf.output())


class _Page:
    """One A4 page and how things are put on it."""

    def __init__(self, at: datetime) -> None:
        self.pdf = pdf = FPDF(format="A4")
        pdf.set_creation_date(at)
        pdf.set_lang("es-CO")
        pdf.set_margins(15, 15, 15)
        pdf.set_auto_page_break(True, 20)
        pdf.add_page()

    def text(
        self, words: str, *, size: int = 9, bold: bool = False, colour: tuple[int, int, int] = INK, align: str = "L",
        width: int = 0, same_line: bool = False, height: int = 5,
    ) -> None:  # fmt: skip
        self.pdf.set_font("Helvetica", "B" if bold else "", size)
        self.pdf.set_text_color(*colour)
        after: dict[str, Any] = {"new_x": XPos.LMARGIN, "new_y": YPos.NEXT}
        if same_line:
            after = {"new_x": XPos.RIGHT, "new_y": YPos.TOP}
        self.pdf.cell(width or WIDTH, height, _latin(words), align=align, **after)

    def paragraph(self, words: str, *, size: int = 8, colour: tuple[int, int, int] = SOFT) -> None:
        self.pdf.set_font("Helvetica", "", size)
        self.pdf.set_text_color(*colour)
        self.pdf.multi_cell(WIDTH, 4, _latin(words), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def rule(self) -> None:
        self.pdf.set_draw_color(*RULE)
        self.pdf.line(15, self.pdf.get_y(), 15 + WIDTH, self.pdf.get_y())

    def gap(self, height: int) -> None:
        self.pdf.ln(height)

    def row(self, cells: Iterable[tuple[str, int, str]], *, head: bool = False, bold: bool = False) -> None:
        """One row of a table: text, width and alignment of each cell; the first wraps."""
        pdf, (first, *others) = self.pdf, list(cells)
        pdf.set_font("Helvetica", "B" if head or bold else "", 8 if head else 9)
        pdf.set_text_color(*(SOFT if head else INK))
        if head:
            pdf.set_fill_color(*TINT)
        top = pdf.get_y()
        pdf.multi_cell(first[1], 6, _latin(first[0]), align=first[2], fill=head, new_x=XPos.RIGHT, new_y=YPos.NEXT)
        bottom = pdf.get_y()
        pdf.set_y(top)
        pdf.set_x(15 + first[1])
        for words, width, align in others:
            pdf.cell(width, 6, _latin(words), align=align, fill=head, new_x=XPos.RIGHT, new_y=YPos.TOP)
        pdf.set_y(bottom)
        self.rule()


def _invoice(page: _Page, state: Invoice, document: Document, issuer: Sequence[str], included: int) -> None:
    draft, issued = state.draft, state.issued
    assert draft is not None
    assert issued is not None
    _head(page, "Factura electrónica de venta", document, issuer)
    _facts(
        page,
        [
            ("Fecha de expedición", day(issued.issued_on, "es")),
            ("Fecha de vencimiento", day(issued.due_on, "es")),
            ("Periodo", f"{day(local_day(draft.cycle_start), 'es')} a {_last_day(draft.cycle_end)}"),
            ("Forma de pago", "Crédito, transferencia bancaria"),
        ],
    )
    _buyer(page, state)
    widths = (74, 16, 30, 30, 30)
    heads = ("Concepto", "Cant.", "Valor unitario", "IVA", "Total")
    page.row([(h, w, "L" if h == "Concepto" else "R") for h, w in zip(heads, widths, strict=True)], head=True)
    for line in draft.lines:
        cells = (
            _WHAT[line.what].format(included=included),
            str(line.quantity),
            pesos(line.unit_price),
            pesos(line.tax),
            pesos(line.due),
        )
        page.row([(c, w, "R" if i else "L") for i, (c, w) in enumerate(zip(cells, widths, strict=True))])
    sums = [("Subtotal", draft.total - draft.tax + draft.discount)]
    if draft.discount:
        sums.append(("Descuento", -draft.discount))
    sums += [(_tax_name(draft.lines[0]), draft.tax), ("Total a pagar", draft.total)]
    _sums(page, sums)
    bases = dict.fromkeys(f"{_TAX[line.tax_code]}: {line.tax_basis}" for line in draft.lines)
    page.paragraph("Tratamiento tributario. " + "; ".join(bases) + ".")
    _validated(page, "CUFE", issued.cufe, document)


def _credit_note(page: _Page, state: Invoice, document_id: str, document: Document, issuer: Sequence[str]) -> None:
    credit, valid, issued = state.credits[document_id], state.credited[document_id], state.issued
    assert issued is not None
    _head(page, "Nota crédito electrónica", document, issuer)
    of = f"{issued.prefix}-{issued.number} del {day(issued.issued_on, 'es')}"
    _facts(page, [("Fecha de expedición", day(valid.issued_on, "es")), ("Corrige la factura", of)])
    _buyer(page, state)
    widths = (90, 30, 30, 30)
    heads = ("Línea de la factura", "Valor", "IVA", "Total")
    page.row([(h, w, "R" if i else "L") for i, (h, w) in enumerate(zip(heads, widths, strict=True))], head=True)
    for line in credit.lines:
        cells = (f"Línea {line.line_no}", pesos(line.amount), pesos(line.tax), pesos(line.amount + line.tax))
        page.row([(c, w, "R" if i else "L") for i, (c, w) in enumerate(zip(cells, widths, strict=True))])
    _sums(page, [("Subtotal", valid.net), ("IVA", valid.tax), ("Total acreditado", valid.total)])
    page.paragraph(f"Motivo: {_plain(credit.reason)}")
    _validated(page, "CUDE", valid.cude, document)


def _head(page: _Page, title: str, document: Document, issuer: Sequence[str]) -> None:
    page.text("CheckOP", size=20, bold=True, colour=BRAND, width=90, same_line=True, height=9)
    page.text(title, size=11, bold=True, align="R", width=90, height=9)
    for number, line in enumerate(issuer):
        page.text(line, size=8, colour=SOFT, width=90, same_line=True, height=4)
        right = f"N.º {document.prefix}-{document.number}" if number == 0 else ""
        page.text(right, size=13, bold=True, align="R", width=90, height=4)
    page.gap(4)
    page.rule()
    page.gap(3)


def _facts(page: _Page, facts: Iterable[tuple[str, str]]) -> None:
    for name, value in facts:
        page.text(name, colour=SOFT, width=42, same_line=True)
        page.text(value, width=WIDTH - 42)
    page.gap(3)


def _buyer(page: _Page, state: Invoice) -> None:
    draft = state.draft
    assert draft is not None
    page.text("Cliente", size=8, bold=True, colour=BRAND)
    page.text(_plain(draft.legal_name), size=11, bold=True, height=6)
    page.text(f"NIT {_plain(draft.tax_id)}")
    page.text(f"{_plain(draft.address)}, {_plain(draft.city)}")
    page.gap(5)


def _sums(page: _Page, sums: Sequence[tuple[str, Money]]) -> None:
    page.gap(2)
    for number, (name, amount) in enumerate(sums):
        last = number == len(sums) - 1
        size = 11 if last else 9
        page.text(name, size=size, bold=last, align="R", width=WIDTH - 40, same_line=True, height=6)
        page.text(pesos(amount), size=size, bold=last, align="R", width=40, height=6)
    page.text("Valores en pesos colombianos (COP).", size=8, colour=SOFT, align="R")
    page.gap(4)


def _validated(page: _Page, name: str, code: str, document: Document) -> None:
    page.gap(2)
    page.paragraph(f"Numeración autorizada: {document.resolution}.")
    page.paragraph(f"{name}: {code}")
    page.paragraph("Documento validado previamente por la DIAN. Representación gráfica.")


def _tax_name(line: InvoiceLine) -> str:
    return f"IVA {per_cent(line.tax_rate)}"


def _last_day(end: datetime) -> str:
    return day(local_day(end - timedelta(seconds=1)), "es")


def _plain(text: str | Erased) -> str:
    return "-" if isinstance(text, Erased) else text


def _latin(text: str) -> str:
    # The standard fonts know Western European letters; the rare other one is shown as a question mark.
    return text.replace("–", "-").replace("—", "-").encode("cp1252", "replace").decode("cp1252")
