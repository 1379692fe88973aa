"""What the gateway itself and the kernel refuse."""

from __future__ import annotations

from gateway.words import Words

DOOR: Words = {
    "malformed-json": (400, "The body is not valid JSON.", "El cuerpo no es JSON válido."),
    "malformed-body": (400, "The body cannot be read.", "El cuerpo no se puede leer."),
    "header-invalid": (
        400,
        "A header or parameter has a value that cannot be used.",
        "Un encabezado o parámetro tiene un valor que no se puede usar.",
    ),
    "parameter-unknown": (
        422,
        "There is no such query parameter here.",
        "Aquí no existe ese parámetro de consulta.",
    ),
    "authentication-required": (401, "Sign in first.", "Inicie sesión primero."),
    "token-invalid": (401, "The access token is not valid.", "El token de acceso no es válido."),
    "token-expired": (401, "The access token has expired.", "El token de acceso ha vencido."),
    "session-revoked": (401, "This session has been ended.", "Esta sesión fue terminada."),
    "forbidden": (403, "You may not do this.", "Usted no tiene permiso para hacer esto."),
    "device-not-enrolled": (
        403,
        "This session is not that of an enrolled phone.",
        "Esta sesión no es de un teléfono registrado para trabajar sin conexión.",
    ),
    "device-signature-invalid": (
        401,
        "The request does not bear the phone's own signature.",
        "La solicitud no lleva la firma del propio teléfono.",
    ),
    "sync-paused": (
        423,
        "The account is paused: nothing is taken in now. Keep what you have; it goes on when the account does.",
        "La cuenta está en pausa: ahora no se recibe nada. Conserve lo que tiene; seguirá cuando la cuenta lo haga.",
    ),
    "sync-ended": (
        410,
        "The subscription has ended: nothing is taken in any more.",
        "La suscripción terminó: ya no se recibe nada.",
    ),
    "proof-required": (
        403,
        "Type your password once more first: this asks for one given in the last ten minutes.",
        "Escriba primero su contraseña otra vez: esto exige haberla dado en los últimos diez minutos.",
    ),
    "not-found": (404, "There is nothing here.", "Aquí no hay nada."),
    "method-not-allowed": (405, "This cannot be done here.", "Esto no se puede hacer aquí."),
    "version-conflict": (
        409,
        "Somebody else changed this at the same moment. Try again.",
        "Otra persona cambió esto en el mismo momento. Intente de nuevo.",
    ),
    "erased": (
        410,
        "The data of this account or person has been erased.",
        "Los datos de esta cuenta o persona fueron eliminados.",
    ),
    "version-mismatch": (
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
    "file-type-unsupported": (
        415,
        "Only XLSX and CSV files can be imported.",
        "Solo se pueden importar archivos XLSX y CSV.",
    ),
    "file-empty": (422, "The file is empty.", "El archivo está vacío."),
    "cursor-invalid": (
        422,
        "This cursor does not belong to this list.",
        "Este cursor no corresponde a esta lista.",
    ),
    "invalid": (422, "Some values are not valid.", "Algunos valores no son válidos."),
    "idempotency-key-reused": (
        422,
        "This Idempotency-Key was already used for another request.",
        "Esta Idempotency-Key ya se usó en otra solicitud.",
    ),
    "rate-limited": (429, "Too many requests. Wait a moment.", "Demasiadas solicitudes. Espere un momento."),
    "too-many-streams": (
        429,
        "Too many event streams are open for you.",
        "Usted tiene demasiados flujos de eventos abiertos.",
    ),
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
    "overloaded": (
        503,
        "Too much is under way. Try again shortly.",
        "Hay demasiado en curso. Intente de nuevo en breve.",
    ),
    "revocation-unverifiable": (
        503,
        "It cannot be verified now that your session is still valid. Try again shortly.",
        "No se puede verificar ahora que su sesión siga vigente. Intente de nuevo en breve.",
    ),
    "position-ahead": (
        422,
        "Nothing has been written at that position yet.",
        "Aún no se ha escrito nada en esa posición.",
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
