"""The headings by which people call the columns of an import, in English and Spanish."""

from __future__ import annotations

from services.tasks.sheets.reader import Columns

CUSTOMER_COLUMNS = Columns(
    headings={
        "code": ("customer code", "tax id", "código", "código del cliente", "NIT", "identificación"),
        "name": ("customer", "nombre", "cliente", "razón social"),
        "country": ("país",),
        "department": ("state", "departamento", "department/state"),
        "city": ("ciudad", "municipio"),
        "address": ("dirección",),
        "phone": ("telephone", "teléfono", "celular"),
        "email": ("e-mail", "correo", "correo electrónico"),
        "location_name": ("location", "site", "sede", "ubicación", "punto"),
        "location_address": ("site address", "dirección de la sede", "dirección de la ubicación"),
        "lat": ("latitude", "latitud"),
        "lon": ("lng", "longitude", "longitud"),
    },
    required=("code", "name"),
)
TASK_COLUMNS = Columns(
    headings={
        "title": ("task", "título", "tarea"),
        "description": ("descripción", "detalle"),
        "process": ("proceso",),
        "subprocess": ("subproceso", "sub-proceso", "tipo de tarea"),
        "customer_code": ("customer", "código del cliente", "cliente", "NIT"),
        "location_name": ("location", "site", "sede", "ubicación", "punto"),
        "assignee": ("user", "user id", "asignado", "asignado a", "responsable"),
        "team": ("team id", "equipo", "equipo de trabajo"),
        "start": ("inicio", "fecha de inicio", "start time"),
        "end": ("fin", "fecha de fin", "end time", "vence"),
        "time_zone": ("zona horaria", "zona"),
        "priority": ("prioridad",),
    },
    required=("title", "subprocess"),
)
PRIORITIES = {
    "low": ("low", "baja"),
    "normal": ("normal", "medium", "media"),
    "high": ("high", "alta"),
    "urgent": ("urgent", "urgente"),
}
