"""What can happen to a task, in the words of whoever reads its history outside of the platform."""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.exporting.job import Language

WORDS: Mapping[str, tuple[str, str]] = {
    "FormAnswerCompleted": ("Archivos del formulario recibidos", "Media of the form arrived"),
    "FormAnswerDiscarded": ("Respuestas descartadas", "Answers discarded"),
    "FormAnswerReleased": ("Respuestas liberadas", "Answers released"),
    "FormAnswered": ("Formulario diligenciado", "Form filled in"),
    "OpeningAbandoned": ("Creación abandonada", "Opening abandoned"),
    "PresenceConfirmed": ("Presencia confirmada", "Presence confirmed"),
    "StagesInherited": ("Etapas del nuevo proceso", "Stages of the new process"),
    "SubtaskExpected": ("Subtarea por crear", "Subtask about to be opened"),
    "TaskAdvanced": ("Cambio de etapa", "Stage changed"),
    "TaskAssigned": ("Asignada", "Assigned"),
    "TaskCancelled": ("Cancelada", "Cancelled"),
    "TaskClaimed": ("Tomada", "Claimed"),
    "TaskCustomerChanged": ("Cambio de cliente", "Customer changed"),
    "TaskDescribed": ("Cambio de descripción", "Description changed"),
    "TaskEquipmentChanged": ("Cambio de equipo", "Equipment changed"),
    "TaskFieldsChanged": ("Cambio de campos", "Fields changed"),
    "TaskFollowsUp": ("Creada por una respuesta", "Opened by an answer"),
    "TaskFormsChanged": ("Cambio de formularios", "Forms changed"),
    "TaskNoted": ("Nota", "Note"),
    "TaskOpened": ("Creada", "Opened"),
    "TaskReclassified": ("Cambio de subproceso", "Subprocess changed"),
    "TaskReopened": ("Reabierta", "Reopened"),
    "TaskReprioritised": ("Cambio de prioridad", "Priority changed"),
    "TaskRescheduled": ("Reprogramada", "Rescheduled"),
    "TaskRetitled": ("Cambio de título", "Title changed"),
    "TaskServicesChanged": ("Cambio de servicios", "Services changed"),
}


def called(what: str, language: Language) -> str:
    """What happened, in words."""
    spanish, english = WORDS.get(what, (what, what))
    return spanish if language == "es" else english
