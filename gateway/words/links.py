"""What public links refuse."""

from __future__ import annotations

from gateway.words import Words

LINKS: Words = {
    "link-ended": (
        410,
        "This link has ended. Ask the company that sent it to you for a new one.",
        "Este enlace ya no está disponible. Pida uno nuevo a la empresa que se lo envió.",
    ),
    "link-exists": (
        409,
        "A link with this id shows something else.",
        "Un enlace con este identificador muestra otra cosa.",
    ),
}
