"""What reports add to the media service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.kernel.application import Ask, Do, On, Subscription
from services.kernel.commands import Receipt
from services.media.domain.report import DeleteReport, Report, RequestReport, report
from services.media.reports import following, printing, showing
from services.media.reports.showing import Reports


def _standing(ask: Ask, receipt: Receipt, state: Report) -> Mapping[str, Any]:
    return {"status": state.status, "edition": state.edition}


DECIDERS = (report,)
COMMANDS: Mapping[str, On | Do] = {
    "request_report": On(report, RequestReport, id="report_id", prepare=printing.requesting, answer=_standing),
    "delete_report": On(report, DeleteReport, id="report_id", prepare=printing.deleting),
    # The service's own: its timers ask for it, nobody else may.
    "render_report": Do(printing.render_report),
}
QUERIES = showing.QUERIES
READ_MODELS = (Reports(),)
REACTIONS = (following.look_after_reports,)
SUBSCRIPTIONS = (
    Subscription("media.reported_tasks", "tasks", ("task",), models=following.TASKS, react=following.follow_tasks),
    Subscription(
        "media.reported_answers", "forms", ("submission",), models=following.ANSWERS, react=following.follow_answers
    ),
)
