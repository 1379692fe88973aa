"""What is refused about evidence: at the door, on its way in, and once its bytes have been looked at."""

from __future__ import annotations

from gateway.words import Words

_ON_THE_WAY: Words = {
    "tus-version-unsupported": (
        412,
        "This version of the upload protocol is not spoken here; see Tus-Version.",
        "Aquí no se habla esta versión del protocolo de carga; vea Tus-Version.",
    ),
    "checksum-algorithm-unsupported": (
        400,
        "This kind of checksum is not known here.",
        "Aquí no se conoce este tipo de suma de verificación.",
    ),
    "checksum-mismatch": (
        460,
        "What arrived is not what was sent; nothing of it was kept. Send it again.",
        "Lo que llegó no es lo que se envió; no se guardó nada. Envíelo de nuevo.",
    ),
    "media-type-not-allowed": (
        415,
        "The question does not ask for files of this type.",
        "La pregunta no admite archivos de este tipo.",
    ),
    "offset-mismatch": (
        409,
        "The upload stands at another byte; ask where, and go on from there.",
        "La carga va en otro byte; pregunte en cuál y continúe desde ahí.",
    ),
    "upload-too-long": (
        413,
        "There is more than was announced, or more than one request may bring.",
        "Hay más de lo anunciado, o más de lo que puede traer una sola solicitud.",
    ),
    "upload-stalled": (
        408,
        "Nothing came for too long. What had come was kept; go on from there.",
        "No llegó nada durante demasiado tiempo. Lo recibido se guardó; continúe desde ahí.",
    ),
    "upload-incomplete": (
        409,
        "Bytes are still missing.",
        "Todavía faltan bytes.",
    ),
    "upload-exists": (
        409,
        "Another upload has this id already.",
        "Otra carga ya tiene este identificador.",
    ),
    "upload-finished": (
        409,
        "All bytes of this upload have come; it cannot be given up any more.",
        "Todos los bytes de esta carga llegaron; ya no se puede abandonar.",
    ),
    "upload-aborted": (
        410,
        "This upload was given up.",
        "Esta carga fue abandonada.",
    ),
    "upload-expired": (
        410,
        "The time for this upload is over; begin a new one.",
        "El plazo de esta carga terminó; empiece una nueva.",
    ),
    "too-many-uploads": (
        429,
        "You have too many uploads under way; finish some of them first.",
        "Usted tiene demasiadas cargas en curso; termine primero algunas.",
    ),
}

BREACHES: Words = {
    "empty": (
        422,
        "The file is empty.",
        "El archivo está vacío.",
    ),
    "hash-mismatch": (
        422,
        "The file is not the one that was announced: its SHA-256 is another.",
        "El archivo no es el anunciado: su SHA-256 es otro.",
    ),
    "length-mismatch": (
        422,
        "The file has another length than was announced.",
        "El archivo tiene otra longitud que la anunciada.",
    ),
    "type-not-accepted": (
        415,
        "Files of this type are not accepted.",
        "No se aceptan archivos de este tipo.",
    ),
    "type-mismatch": (
        422,
        "The file is of another type than it was said to be.",
        "El archivo es de otro tipo del que se dijo.",
    ),
    "unreadable": (
        422,
        "The file is damaged or cannot be read.",
        "El archivo está dañado o no se puede leer.",
    ),
    "too-many-pixels": (
        422,
        "The image has more pixels than any may have.",
        "La imagen tiene más píxeles de los permitidos.",
    ),
    "polyglot": (
        422,
        "The file is two kinds of file at once, which is not accepted.",
        "El archivo es de dos tipos a la vez, lo que no se acepta.",
    ),
    "archive-bomb": (
        422,
        "The file unpacks to far more than it should.",
        "El archivo, al descomprimirse, ocupa mucho más de lo razonable.",
    ),
    "too-heavy": (
        413,
        "The file is heavier than allowed.",
        "El archivo pesa más de lo permitido.",
    ),
}
"""Why bytes are refused for good, as the media service says it."""

MEDIA: Words = _ON_THE_WAY | BREACHES
