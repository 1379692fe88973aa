"""What people read when something is refused: every code with its HTTP status, in English and in Spanish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.words import Words
from gateway.words.billing import BILLING
from gateway.words.door import DOOR
from gateway.words.exports import EXPORTS
from gateway.words.forms import FORMS
from gateway.words.identity import IDENTITY
from gateway.words.links import LINKS
from gateway.words.media import MEDIA
from gateway.words.reports import REPORTS
from gateway.words.tasks import TASKS

UNKNOWN_NOUN = "-unknown"

TITLES: Mapping[int, tuple[str, str]] = {
    400: ("Bad request", "Solicitud incorrecta"),
    401: ("Not signed in", "Sin autenticar"),
    403: ("Not allowed", "No permitido"),
    404: ("Not found", "No encontrado"),
    405: ("Method not allowed", "Método no permitido"),
    408: ("Too slow", "Demasiado lento"),
    409: ("Conflict", "Conflicto"),
    410: ("Gone", "Ya no existe"),
    423: ("Locked", "Bloqueado"),
    412: ("Changed meanwhile", "Cambió entretanto"),
    413: ("Too large", "Demasiado grande"),
    415: ("Unsupported media type", "Tipo de contenido no admitido"),
    416: ("No such part", "Parte inexistente"),
    422: ("Invalid", "No válido"),
    429: ("Too many requests", "Demasiadas solicitudes"),
    460: ("Checksum mismatch", "Suma de verificación distinta"),
    500: ("Internal error", "Error interno"),
    503: ("Temporarily unavailable", "No disponible por el momento"),
    504: ("No answer in time", "Sin respuesta a tiempo"),
}

NOUNS: Mapping[str, tuple[str, str]] = {
    "parked-work": ("This parked work does not exist.", "Este trabajo retenido no existe."),
    "assignee": ("This assignee does not exist.", "Este responsable no existe."),
    "account": ("This account does not exist.", "Esta cuenta no existe."),
    "api-token": ("This API token does not exist.", "Este token de API no existe."),
    "customer": ("This customer does not exist.", "Este cliente no existe."),
    "device": ("This device does not exist.", "Este dispositivo no existe."),
    "equipment": ("This equipment does not exist.", "Este equipo no existe."),
    "field": ("This field does not exist.", "Este campo no existe."),
    "filter": ("This saved filter does not exist.", "Este filtro guardado no existe."),
    "form": ("This form does not exist.", "Este formulario no existe."),
    "form-version": ("This version of the form does not exist.", "Esta versión del formulario no existe."),
    "invoice": ("This invoice does not exist.", "Esta factura no existe."),
    "invoice-line": ("This line does not exist.", "Esta línea no existe."),
    "export": ("This export does not exist.", "Esta exportación no existe."),
    "export-kind": ("There is no export of this kind.", "No existe una exportación de este tipo."),
    "import": ("This import does not exist.", "Esta importación no existe."),
    "report": ("This report does not exist.", "Este informe no existe."),
    "invitation": ("This invitation does not exist.", "Esta invitación no existe."),
    "link": ("This link does not exist.", "Este enlace no existe."),
    "location": ("This location does not exist.", "Esta ubicación no existe."),
    "medium": ("This evidence does not exist.", "Esta evidencia no existe."),
    "rendition": ("This evidence has no such form.", "Esta evidencia no tiene esa presentación."),
    "object": ("This file does not exist.", "Este archivo no existe."),
    "occurrence": ("It does not occur at this time.", "No ocurre en este momento."),
    "parent": ("The parent task does not exist.", "La tarea principal no existe."),
    "payment": ("This payment does not exist.", "Este pago no existe."),
    "process": ("This process does not exist.", "Este proceso no existe."),
    "profile": ("This profile does not exist.", "Este perfil no existe."),
    "quote": ("This quote does not exist.", "Esta cotización no existe."),
    "reduction": ("This reduction does not exist.", "Esta reducción no existe."),
    "recurrence": ("This recurring work does not exist.", "Este trabajo recurrente no existe."),
    "service": ("This service does not exist.", "Este servicio no existe."),
    "session": ("This session does not exist.", "Esta sesión no existe."),
    "stage": ("This stage does not exist.", "Esta etapa no existe."),
    "status-list": ("This status list does not exist.", "Este listado de estados no existe."),
    "submission": ("This submission does not exist.", "Este envío no existe."),
    "subprocess": ("This subprocess does not exist.", "Este subproceso no existe."),
    "subscription": ("This subscription does not exist.", "Esta suscripción no existe."),
    "task": ("This task does not exist.", "Esta tarea no existe."),
    "team": ("This team does not exist.", "Este equipo no existe."),
    "time-zone": ("This time zone does not exist.", "Esta zona horaria no existe."),
    "token": ("This API token does not exist.", "Este token de API no existe."),
    "upload": ("This upload does not exist.", "Esta carga no existe."),
    "user": ("This user does not exist.", "Este usuario no existe."),
}

MESSAGES: Words = DOOR | IDENTITY | EXPORTS | LINKS | MEDIA | REPORTS | TASKS | FORMS | BILLING

_SOMETHING_UNKNOWN = ("What you ask for does not exist.", "Lo que usted pide no existe.")
_REFUSED = ("This is not possible now.", "Esto no es posible ahora.")


def describe(code: str, language: str, facts: Mapping[str, Any]) -> tuple[int, str, str]:
    """Status, title and detail of a code in `language`; a code nobody described is a plain conflict."""
    spanish = language == "es"
    known = MESSAGES.get(code)
    if known is not None:
        status, text = known[0], known[2] if spanish else known[1]
    elif code.endswith(UNKNOWN_NOUN):
        status, text = 404, NOUNS.get(code.removesuffix(UNKNOWN_NOUN), _SOMETHING_UNKNOWN)[spanish]
    else:
        status, text = 409, _REFUSED[spanish]
    if code == "invalid":
        text = _with_first_error(text, facts)
    return status, TITLES.get(status, TITLES[500])[spanish], text


def _with_first_error(text: str, facts: Mapping[str, Any]) -> str:
    match facts.get("errors"):
        case [{"loc": [*path], "msg": str(message)}, *_]:
            return f"{text} {'.'.join(str(part) for part in path)}: {message}"
        case _:
            return text
