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

FAULT_WORDS: Mapping[str, tuple[str, str]] = {
    "arguments-wrong": (
        "The function takes another number of arguments.",
        "La función recibe otra cantidad de argumentos.",
    ),
    "choice-doubled": ("Two choices have this value.", "Dos opciones tienen este valor."),
    "choices-empty": ("The list has no choices.", "La lista no tiene opciones."),
    "choices-unknown": ("The list of choices does not exist.", "La lista de opciones no existe."),
    "circle": ("These depend on each other in a circle.", "Estos dependen unos de otros en círculo."),
    "column-unknown": ("The choices have no such property.", "Las opciones no tienen esta propiedad."),
    "current-not-here": ("`.` has no meaning here.", "`.` no aplica aquí."),
    "default-invalid": (
        "The default would not be accepted as an answer.",
        "El valor inicial no sería aceptado como respuesta.",
    ),
    "default-reads-answers": (
        "A default cannot depend on answers.",
        "Un valor inicial no puede depender de respuestas.",
    ),
    "default-twice": ("There are two defaults.", "Hay dos valores iniciales."),
    "expression-empty": ("The formula is empty.", "La fórmula está vacía."),
    "expression-syntax": ("The formula cannot be read here.", "La fórmula no se entiende aquí."),
    "expression-too-deep": ("The formula is nested too deep.", "La fórmula está demasiado anidada."),
    "expression-too-long": ("The formula is too long.", "La fórmula es demasiado larga."),
    "field-unknown": ("The form has no such question.", "El formulario no tiene esta pregunta."),
    "form-empty": ("The form asks nothing.", "El formulario no pregunta nada."),
    "form-too-large": ("The form is too large.", "El formulario es demasiado grande."),
    "function-unknown": ("There is no such function.", "Esta función no existe."),
    "group-empty": ("The group is empty.", "El grupo está vacío."),
    "label-missing": ("There is no text for people to read.", "Falta el texto que leen las personas."),
    "name-taken": ("Another item has this name.", "Otro elemento tiene este nombre."),
    "pattern-not-literal": ("The pattern must be written out.", "El patrón debe estar escrito en la fórmula."),
    "pattern-refused": ("The pattern cannot be used.", "El patrón no se puede usar."),
    "position-not-here": ("This only has a meaning inside a repeated group.", "Esto solo aplica en un grupo repetido."),
    "process-missing": ("The subprocess needs its process.", "El subproceso necesita su proceso."),
    "property-reserved": ("A property cannot have this name.", "Una propiedad no puede llamarse así."),
    "range-empty": ("The least is more than the most.", "El mínimo es mayor que el máximo."),
    "repeat-too-deep": ("Groups are repeated too deep inside each other.", "Hay demasiados grupos repetidos anidados."),
    "section-too-deep": ("Sections are nested too deep.", "Hay demasiadas secciones anidadas."),
}
"""What keeps a form from being published."""

FINDING_WORDS: Mapping[str, tuple[str, str]] = {
    "accuracy-poor": ("The place is not exact enough.", "La ubicación no es lo bastante exacta."),
    "constraint": ("This answer is not allowed.", "Esta respuesta no está permitida."),
    "email-invalid": ("This is no e-mail address.", "Esto no es un correo electrónico."),
    "field-unknown": ("The form has no such question.", "El formulario no tiene esta pregunta."),
    "location-required": ("A location is required.", "Se requiere la ubicación."),
    "location-too-far": ("This is too far from the place.", "Está demasiado lejos del lugar."),
    "media-type-not-allowed": ("Files of this type are not allowed.", "No se permiten archivos de este tipo."),
    "not-a-choice": ("This is none of the choices.", "Esta no es una de las opciones."),
    "not-whole": ("A whole number is required.", "Se requiere un número entero."),
    "out-of-range": ("This is out of range.", "Está fuera del rango."),
    "pattern-mismatch": ("This has not the right form.", "No tiene el formato correcto."),
    "phone-invalid": ("This is no phone number.", "Esto no es un número de teléfono."),
    "required": ("An answer is required.", "Se requiere una respuesta."),
    "too-few": ("There are too few.", "Son muy pocos."),
    "too-heavy": ("A file is too heavy.", "Un archivo pesa demasiado."),
    "too-large": ("A picture is too large.", "Una imagen es demasiado grande."),
    "too-long": ("The text is too long.", "El texto es demasiado largo."),
    "too-long-playing": ("The recording is too long.", "La grabación es demasiado larga."),
    "too-many": ("There are too many.", "Son demasiados."),
    "too-short": ("The text is too short.", "El texto es demasiado corto."),
    "type-wrong": ("This is no answer of the right kind.", "La respuesta no es del tipo correcto."),
}
"""What is wrong with an answer."""
