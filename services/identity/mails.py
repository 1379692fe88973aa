"""The mails identity sends, in Spanish and English, as plain text and as simple HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal

from services.identity.domain.values import Language

Kind = Literal["invitation", "password-reset", "refresh-reused", "password-changed", "totp-confirmed", "totp-disabled"]


@dataclass(frozen=True, slots=True)
class Letter:
    """What is said: a subject, paragraphs, and the label of the link if there is one."""

    subject: str
    paragraphs: tuple[str, ...]
    action: str = ""


_GREETING: Mapping[Language, str] = {"es": "Hola, {name}:", "en": "Hello {name},"}
_CLOSING: Mapping[Language, str] = {"es": "El equipo de CheckOP", "en": "The CheckOP team"}
_NOT_YOU: Mapping[Language, str] = {
    "es": "Si no fuiste tú, cambia tu contraseña ahora y avisa al administrador de tu cuenta.",
    "en": "If this was not you, change your password now and tell your account's administrator.",
}

_LETTERS: Mapping[tuple[Kind, Language], Letter] = {
    ("invitation", "es"): Letter(
        "{company} te invita a CheckOP",
        (
            "{company} te invita a trabajar en CheckOP.",
            "El enlace sirve una sola vez y vence en 72 horas.",
        ),
        "Aceptar la invitación",
    ),
    ("invitation", "en"): Letter(
        "{company} invites you to CheckOP",
        ("{company} invites you to work in CheckOP.", "The link works once and expires in 72 hours."),
        "Accept the invitation",
    ),
    ("password-reset", "es"): Letter(
        "Restablece tu contraseña de CheckOP",
        (
            "Recibimos una solicitud para restablecer tu contraseña.",
            "El enlace sirve una sola vez y vence en una hora. Si no lo pediste, ignora este mensaje.",
        ),
        "Elegir una contraseña nueva",
    ),
    ("password-reset", "en"): Letter(
        "Reset your CheckOP password",
        (
            "We received a request to reset your password.",
            "The link works once and expires in one hour. If you did not ask for it, ignore this message.",
        ),
        "Choose a new password",
    ),
    ("refresh-reused", "es"): Letter(
        "Cerramos una sesión tuya en CheckOP",
        (
            "Una credencial antigua de una de tus sesiones se usó otra vez, y cerramos esa sesión por seguridad.",
            "Inicia sesión de nuevo y cambia tu contraseña si no reconoces esta actividad.",
        ),
    ),
    ("refresh-reused", "en"): Letter(
        "We closed one of your CheckOP sessions",
        (
            "An old credential of one of your sessions was used again, so we closed that session to be safe.",
            "Log in again, and change your password if you do not recognise this activity.",
        ),
    ),
    ("password-changed", "es"): Letter(
        "Tu contraseña de CheckOP cambió",
        ("Tu contraseña cambió y las demás sesiones se cerraron.", _NOT_YOU["es"]),
    ),
    ("password-changed", "en"): Letter(
        "Your CheckOP password has changed",
        ("Your password has changed and your other sessions were closed.", _NOT_YOU["en"]),
    ),
    ("totp-confirmed", "es"): Letter(
        "Verificación en dos pasos activada",
        ("Desde ahora CheckOP te pedirá un código al iniciar sesión.", _NOT_YOU["es"]),
    ),
    ("totp-confirmed", "en"): Letter(
        "Two-step verification is on",
        ("From now on CheckOP asks you for a code when you log in.", _NOT_YOU["en"]),
    ),
    ("totp-disabled", "es"): Letter(
        "Verificación en dos pasos desactivada",
        ("CheckOP ya no te pedirá un código al iniciar sesión.", _NOT_YOU["es"]),
    ),
    ("totp-disabled", "en"): Letter(
        "Two-step verification is off",
        ("CheckOP no longer asks you for a code when you log in.", _NOT_YOU["en"]),
    ),
}


def compose(kind: Kind, language: Language, *, name: str, company: str, link: str = "") -> dict[str, str]:
    """Subject, text and HTML of one mail; what people typed is escaped in the HTML and kept to one line."""
    letter = _LETTERS[kind, language]
    words = {"name": _one_line(name), "company": _one_line(company)}
    lines = [_GREETING[language].format(**words), *(p.format(**words) for p in letter.paragraphs)]
    text = [*lines, f"{letter.action}:\n{link}"] if link else lines
    button = f'<p><a href="{escape(link)}">{escape(letter.action)}</a></p>' if link else ""
    html = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return {
        "subject": letter.subject.format(**words),
        "text": "\n\n".join([*text, _CLOSING[language]]) + "\n",
        "html": f'<html lang="{language}"><body>{html}{button}<p>{_CLOSING[language]}</p></body></html>',
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())
