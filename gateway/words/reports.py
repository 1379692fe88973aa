"""What reports refuse, and why one could not be made."""

from __future__ import annotations

from gateway.words import Words

REPORTS: Words = {
    "report-failed": (
        409,
        "This report could not be made; ask for it again.",
        "No se pudo generar este informe; solicítelo de nuevo.",
    ),
    "report-not-ready": (
        409,
        "This report is still being made.",
        "Este informe todavía se está generando.",
    ),
    "report-subject-gone": (
        409,
        "The task or the submission of this report could not be found.",
        "No se encontró la tarea o la respuesta de este informe.",
    ),
}
