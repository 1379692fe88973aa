"""What tasks refuses."""

from __future__ import annotations

from gateway.words import Words

TASKS: Words = {
    "still-parked": (
        409,
        "It still cannot take effect. Change what stands in its way, give it back to its author, or discard it.",
        "Todavía no puede surtir efecto. Cambie lo que lo impide, devuélvalo a su autor o descártelo.",
    ),
    "parked-work-released": (409, "It has taken effect already.", "Ya surtió efecto."),
    "parked-work-discarded": (409, "It was discarded.", "Fue descartado."),
    "device-of-another": (409, "This device is somebody else's.", "Este dispositivo es de otra persona."),
    "sequence-gap": (409, "Something before this is still missing.", "Todavía falta algo anterior a esto."),
    "assignee-not-allowed": (
        403,
        "You can only open tasks for yourself or your teams.",
        "Usted solo puede crear tareas para usted o sus equipos.",
    ),
    "not-in-team": (
        403,
        "You do not belong to the team this is assigned to.",
        "Usted no pertenece al equipo asignado.",
    ),
    "not-the-assignee": (
        403,
        "Only the person this is assigned to can do it.",
        "Solo la persona asignada puede hacerlo.",
    ),
    "assignee-not-operational": (
        409,
        "Field work can only be assigned to an operational user.",
        "El trabajo de campo solo se asigna a un usuario operativo.",
    ),
    "customer-code-taken": (
        409,
        "Another customer has this code.",
        "Otro cliente tiene este código.",
    ),
    "customer-exists": (409, "This customer exists already.", "Este cliente ya existe."),
    "equipment-elsewhere": (
        409,
        "This equipment stands at another place.",
        "Este equipo está en otro lugar.",
    ),
    "equipment-exists": (409, "This equipment exists already.", "Este equipo ya existe."),
    "equipment-retired": (409, "This equipment is out of service.", "Este equipo está fuera de servicio."),
    "field-exists": (409, "This field exists already.", "Este campo ya existe."),
    "field-type-fixed": (
        409,
        "A field keeps its type.",
        "Un campo conserva su tipo.",
    ),
    "filter-exists": (409, "This saved filter exists already.", "Este filtro guardado ya existe."),
    "import-exists": (409, "This import exists already.", "Esta importación ya existe."),
    "import-has-bad-rows": (
        409,
        "Some rows have errors.",
        "Algunas filas tienen errores.",
    ),
    "import-not-checked": (
        409,
        "This import is not ready to be applied.",
        "Esta importación no está lista para aplicarse.",
    ),
    "import-under-way": (
        409,
        "This import is being worked on.",
        "Esta importación está en curso.",
    ),
    "location-exists": (409, "This location exists already.", "Esta ubicación ya existe."),
    "location-removed": (409, "This location was removed.", "Esta ubicación fue retirada."),
    "note-exists": (409, "This note exists already.", "Esta nota ya existe."),
    "parent-cancelled": (409, "The parent task is cancelled.", "La tarea principal está cancelada."),
    "parent-completed": (409, "The parent task is completed.", "La tarea principal está completada."),
    "process-exists": (409, "This process exists already.", "Este proceso ya existe."),
    "process-inactive": (409, "This process is not in use.", "Este proceso no está en uso."),
    "recurrence-ended": (409, "This recurring work has ended.", "Este trabajo recurrente terminó."),
    "recurrence-exists": (409, "This recurring work exists already.", "Este trabajo recurrente ya existe."),
    "service-exists": (409, "This service exists already.", "Este servicio ya existe."),
    "service-inactive": (409, "This service is not in use.", "Este servicio no está en uso."),
    "stage-demands-unmet": (
        409,
        "Something this stage asks for is missing.",
        "Falta algo que esta etapa exige.",
    ),
    "stage-not-reachable": (
        409,
        "Stages are walked through one by one.",
        "Las etapas se recorren una por una.",
    ),
    "status-list-exists": (409, "This status list exists already.", "Este listado de estados ya existe."),
    "subprocess-exists": (409, "This subprocess exists already.", "Este subproceso ya existe."),
    "subprocess-inactive": (409, "This subprocess is not in use.", "Este subproceso no está en uso."),
    "subtasks-open": (
        409,
        "Subtasks that block completion are still open.",
        "Aún hay subtareas abiertas que impiden completar.",
    ),
    "too-many-filters": (
        409,
        "There are as many saved filters as there can be.",
        "Ya hay tantos filtros guardados como puede haber.",
    ),
    "track-full": (
        409,
        "This day has as many points as it can have.",
        "Este día ya tiene tantos puntos como puede tener.",
    ),
    "too-many-fields": (
        409,
        "There are as many fields as there can be.",
        "Ya hay tantos campos como puede haber.",
    ),
    "task-already-claimed": (
        409,
        "Somebody else has claimed this task.",
        "Otra persona ya tomó esta tarea.",
    ),
    "task-cancelled": (409, "This task is cancelled.", "Esta tarea está cancelada."),
    "task-completed": (409, "This task is completed.", "Esta tarea está completada."),
    "task-exists": (
        409,
        "Another task has this id already.",
        "Otra tarea ya tiene este identificador.",
    ),
    "task-not-editable": (
        409,
        "A task can only be edited while it is pending.",
        "Una tarea solo se edita mientras está pendiente.",
    ),
    "customer-erased": (
        410,
        "This customer's data has been erased.",
        "Los datos de este cliente fueron eliminados.",
    ),
    "assignee-ambiguous": (
        422,
        "Assign to a person or to a team, not to both.",
        "Asigne a una persona o a un equipo, no a ambos.",
    ),
    "assignee-required": (
        422,
        "Work in progress must be assigned to somebody.",
        "Un trabajo en progreso debe tener responsable.",
    ),
    "equipment-without-customer": (
        422,
        "Equipment needs its customer.",
        "Un equipo requiere su cliente.",
    ),
    "arrangement-ambiguous": (
        422,
        "Each field stands in one section only, and each section has its own id.",
        "Cada campo está en una sola sección y cada sección tiene su propio identificador.",
    ),
    "field-rules-invalid": (
        422,
        "The rules of this field contradict each other.",
        "Las reglas de este campo se contradicen.",
    ),
    "fields-invalid": (
        422,
        "Some of the account's own fields are missing or not valid.",
        "Algunos campos propios de la cuenta faltan o no son válidos.",
    ),
    "generic-state-missing": (
        422,
        "Pending, in progress and completed must each have a stage.",
        "Pendiente, en progreso y completada deben tener cada una su etapa.",
    ),
    "location-without-customer": (
        422,
        "A location needs its customer.",
        "Una ubicación requiere su cliente.",
    ),
    "parent-missing": (
        422,
        "Only a subtask can block a parent.",
        "Solo una subtarea puede bloquear a una tarea principal.",
    ),
    "points-too-far-apart": (
        422,
        "Points that are sent together are at most three days apart.",
        "Los puntos que se envían juntos están a lo sumo a tres días uno del otro.",
    ),
    "reason-required": (422, "A reason is required.", "Se requiere un motivo."),
    "recurrence-rule-invalid": (
        422,
        "This is not a rule of recurrence that can be followed.",
        "Esta no es una regla de recurrencia que se pueda seguir.",
    ),
    "recurrence-start-out-of-range": (
        422,
        "The beginning lies too far from today.",
        "El comienzo está demasiado lejos de hoy.",
    ),
    "recurrence-too-dense": (
        422,
        "It would come too often: at most 366 times a year.",
        "Ocurriría demasiadas veces: máximo 366 al año.",
    ),
    "recurrence-without-occurrences": (
        422,
        "By this rule it would never come.",
        "Con esta regla nunca ocurriría.",
    ),
    "stage-ids-not-unique": (
        422,
        "Two stages have the same id.",
        "Dos etapas tienen el mismo identificador.",
    ),
    "stages-out-of-order": (
        422,
        "Stages go from pending over in progress to completed.",
        "Las etapas van de pendiente, por en progreso, a completada.",
    ),
    "subprocess-without-process": (
        422,
        "Process and subprocess go together.",
        "El proceso y el subproceso van juntos.",
    ),
    "window-out-of-order": (
        422,
        "The end lies before the beginning.",
        "El final está antes del comienzo.",
    ),
}
