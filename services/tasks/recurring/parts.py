"""What recurring work adds to the tasks service: its aggregate, requests, questions, read model and policy."""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.application import Do, On
from services.tasks.domain.recurrence import ChangeRecurrence, EndRecurrence, StartRecurrence, recurrence
from services.tasks.processes.open_occurrences_ahead import open_occurrences_ahead
from services.tasks.readmodels import recurrences
from services.tasks.readmodels.recurrences import Recurrences
from services.tasks.recurring.opening import open_occurrences
from services.tasks.recurring.planning import changing, ending, skip_occurrence, starting

DECIDERS = (recurrence,)
COMMANDS: Mapping[str, On | Do] = {
    "start_recurrence": On(recurrence, StartRecurrence, id="recurrence_id", prepare=starting),
    "change_recurrence": On(recurrence, ChangeRecurrence, id="recurrence_id", prepare=changing),
    "end_recurrence": On(recurrence, EndRecurrence, id="recurrence_id", prepare=ending),
    "skip_occurrence": Do(skip_occurrence),
    # The service's own: its policies and timers ask for it, nobody else may.
    "open_occurrences": Do(open_occurrences),
}
QUERIES = recurrences.QUERIES
READ_MODELS = (Recurrences(),)
REACTIONS = (open_occurrences_ahead,)
