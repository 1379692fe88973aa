"""What forms refuses, and what it says about rows of a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.words import Words

FORMS: Words = {
    "answers-invalid": (422, "Some answers are not right.", "Algunas respuestas no son correctas."),
    "answers-too-large": (413, "The answers are too large.", "Las respuestas son demasiado grandes."),
    "draft-changed": (409, "The draft has changed meanwhile.", "El borrador cambió entretanto."),
    "draft-missing": (409, "This form has no draft.", "Este formulario no tiene borrador."),
    "form-exists": (409, "This form exists already.", "Este formulario ya existe."),
    "form-faulty": (422, "The form still has faults.", "El formulario todavía tiene errores."),
    "form-hash-wrong": (409, "The content does not fit its hash.", "El contenido no corresponde a su huella."),
    "form-inactive": (409, "This form is not in use.", "Este formulario no está en uso."),
    "form-not-published": (409, "This form has no version yet.", "Este formulario aún no tiene una versión."),
    "form-too-large": (413, "The form is too large.", "El formulario es demasiado grande."),
    "form-version-closed": (
        409,
        "This version of the form is closed.",
        "Esta versión del formulario está cerrada.",
    ),
    "seat-inactive": (403, "This needs an active operational licence.", "Esto requiere una licencia operativa activa."),
    "submission-discarded": (409, "This submission was discarded.", "Este envío fue descartado."),
    "submission-exists": (
        409,
        "Other answers were handed in under this id.",
        "Con este identificador se enviaron otras respuestas.",
    ),
    "submission-not-parked": (
        409,
        "There is nothing to decide about this submission.",
        "No hay nada que decidir sobre este envío.",
    ),
    "xlsform-unreadable": (422, "This is no XLSForm.", "Este archivo no es un XLSForm."),
}

SHEET_WORDS: Mapping[str, tuple[str, str]] = {
    "appearance-ignored": (
        "This appearance is unknown; it was left out.",
        "Apariencia desconocida; se omitió.",
    ),
    "attribute-ignored": (
        "This column means nothing here; it was left out.",
        "Esta columna no aplica aquí; se omitió.",
    ),
    "choice-invalid": ("This choice was left out.", "Esta opción se omitió."),
    "choice-list-missing": ("The list of choices does not exist.", "La lista de opciones no existe."),
    "group-unfinished": ("This group has no end or no beginning.", "Este grupo no tiene fin o no tiene inicio."),
    "item-invalid": ("This row could not be taken over.", "Esta fila no se pudo importar."),
    "name-changed": ("The name was changed to a valid one.", "El nombre se cambió por uno válido."),
    "parameter-ignored": ("This parameter is not known; it was left out.", "Este parámetro no se conoce; se omitió."),
    "settings-ignored": ("This setting has no meaning here.", "Esta configuración no aplica aquí."),
    "sheet-ignored": ("This sheet has no meaning here.", "Esta hoja no aplica aquí."),
    "type-unsupported": ("This type of question is not supported.", "Este tipo de pregunta no está soportado."),
}
