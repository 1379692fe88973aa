"""The exports of this service: tasks with their histories, customers with their locations and equipment."""

from __future__ import annotations

from services.kernel.exporting.definition import export_parts
from services.tasks.exports.customers import customers
from services.tasks.exports.tasks import tasks
from services.tasks.standing import time_zone

EXPORTS = export_parts((tasks, customers), time_zone)
