"""The exports of this service: what was answered to a form, in all its versions."""

from __future__ import annotations

from services.forms.exports.submissions import submissions
from services.forms.standing import zone_of
from services.kernel.exporting.definition import export_parts

EXPORTS = export_parts((submissions,), lambda ask: str(zone_of(ask)))
