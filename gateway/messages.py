"""What people read when something is refused: every code with its HTTP status, in English and in Spanish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNKNOWN_NOUN = "-unknown"

TITLES: Mapping[int, tuple[str, str]] = {
    400: ("Bad request", "Solicitud incorrecta"),
    401: ("Not signed in", "Sin autenticar"),
    403: ("Not allowed", "No permitido"),
    404: ("Not found", "No encontrado"),
    405: ("Method not allowed", "Método no permitido"),
    409: ("Conflict", "Conflicto"),
    410: ("Gone", "Ya no existe"),
    412: ("Changed meanwhile", "Cambió entretanto"),
    413: ("Too large", "Demasiado grande"),
    415: ("Unsupported media type", "Tipo de contenido no admitido"),
    422: ("Invalid", "No válido"),
    429: ("Too many requests", "Demasiadas solicitudes"),
    500: ("Internal error", "Error interno"),
    503: ("Temporarily unavailable", "No disponible por el momento"),
    504: ("No answer in time", "Sin respuesta a tiempo"),
}

NOUNS: Mapping[str, tuple[str, str]] = {
    "account": ("This account does not exist.", "Esta cuenta no existe."),
    "api-token": ("This API token does not exist.", "Este token de API no existe."),
    "customer": ("This customer does not exist.", "Este cliente no existe."),
    "device": ("This device does not exist.", "Este dispositivo no existe."),
    "import": ("This import does not exist.", "Esta importación no existe."),
    "invitation": ("This invitation does not exist.", "Esta invitación no existe."),
    "location": ("This location does not exist.", "Esta ubicación no existe."),
    "process": ("This process does not exist.", "Este proceso no existe."),
    "profile": ("This profile does not exist.", "Este perfil no existe."),
    "session": ("This session does not exist.", "Esta sesión no existe."),
    "stage": ("This stage does not exist.", "Esta etapa no existe."),
    "status-list": ("This status list does not exist.", "Este listado de estados no existe."),
    "subprocess": ("This subprocess does not exist.", "Este subproceso no existe."),
    "task": ("This task does not exist.", "Esta tarea no existe."),
    "team": ("This team does not exist.", "Este equipo no existe."),
    "user": ("This user does not exist.", "Este usuario no existe."),
}

MESSAGES: Mapping[str, tuple[int, str, str]] = {
    # The door itself.
    "malformed-json": (400, "The body is not valid JSON.", "El cuerpo no es JSON válido."),
    "malformed-body": (400, "The body cannot be read.", "El cuerpo no se puede leer."),
    "header-invalid": (400, "A header has a value that cannot be used.", "Un encabezado tiene un valor inservible."),
    "authentication-required": (401, "Sign in first.", "Inicie sesión primero."),
    "token-invalid": (401, "The access token is not valid.", "El token de acceso no es válido."),
    "token-expired": (401, "The access token has expired.", "El token de acceso ha vencido."),
    "session-revoked": (401, "This session has been ended.", "Esta sesión fue terminada."),
    "forbidden": (403, "You may not do this.", "Usted no tiene permiso para hacer esto."),
    "not-found": (404, "There is nothing here.", "Aquí no hay nada."),
    "method-not-allowed": (405, "This cannot be done here.", "Esto no se puede hacer aquí."),
    "version-conflict": (
        409,
        "Somebody else changed this at the same moment. Try again.",
        "Otra persona cambió esto en el mismo momento. Intente de nuevo.",
    ),
    "precondition-failed": (
        412,
        "This has changed since you read it. Read it again.",
        "Esto cambió desde que usted lo leyó. Léalo de nuevo.",
    ),
    "body-too-large": (413, "The body is larger than allowed.", "El cuerpo supera el tamaño permitido."),
    "media-type-unsupported": (
        415,
        "This content type is not accepted here.",
        "Aquí no se acepta este tipo de contenido.",
    ),
    "invalid": (422, "Some values are not valid.", "Algunos valores no son válidos."),
    "idempotency-key-reused": (
        422,
        "This Idempotency-Key was already used for another request.",
        "Esta Idempotency-Key ya se usó en otra solicitud.",
    ),
    "too-many-streams": (
        429,
        "Too many event streams are open for you.",
        "Usted tiene demasiados flujos de eventos abiertos.",
    ),
    "file-type-unsupported": (
        415,
        "Only XLSX and CSV files can be imported.",
        "Solo se pueden importar archivos XLSX y CSV.",
    ),
    "file-empty": (422, "The file is empty.", "El archivo está vacío."),
    "rate-limited": (429, "Too many requests. Wait a moment.", "Demasiadas solicitudes. Espere un momento."),
    "internal": (
        500,
        "Something went wrong on our side. Quote the instance when you ask for help.",
        "Algo falló de nuestro lado. Mencione la instancia al pedir ayuda.",
    ),
    "service-unavailable": (
        503,
        "A part of the platform is not available. Try again shortly.",
        "Una parte de la plataforma no está disponible. Intente de nuevo en breve.",
    ),
    "overloaded": (503, "Too much is under way. Try again shortly.", "Hay demasiado en curso. Intente en breve."),
    "revocation-unverifiable": (
        503,
        "It cannot be verified now that your session is still valid. Try again shortly.",
        "No se puede verificar ahora que su sesión siga vigente. Intente de nuevo en breve.",
    ),
    "not-yet-visible": (
        503,
        "Your last change is not readable yet. Try again shortly.",
        "Su último cambio aún no se puede leer. Intente de nuevo en breve.",
    ),
    "timeout": (
        504,
        "No answer came in time; the request may still take effect. Repeat it with the same Idempotency-Key.",
        "No hubo respuesta a tiempo; la solicitud aún puede surtir efecto. Repítala con la misma Idempotency-Key.",
    ),
}

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
