"""What offline work adds to the tasks service: its aggregates, requests, questions and read models."""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.application import Answers, Do, On, Subscription
from services.tasks.domain.device_log import device_log
from services.tasks.domain.field_command import DiscardParkedWork, field_command
from services.tasks.readmodels import parked_work
from services.tasks.readmodels.field_feed import FieldFeed
from services.tasks.readmodels.known_forms import FORMS, KnownForms
from services.tasks.readmodels.parked_work import ParkedWork
from services.tasks.sync import pull
from services.tasks.sync.parked import discard, release
from services.tasks.sync.push import ContextQuery, sync_context, take_commands

DECIDERS = (device_log, field_command)
COMMANDS: Mapping[str, On | Do] = {
    "take_commands": Do(take_commands),
    "release_parked_work": Do(release),
    "discard_parked_work": On(field_command, DiscardParkedWork, id="work_id", prepare=discard),
}
QUERIES: Mapping[str, Answers] = {**pull.QUERIES, **parked_work.QUERIES, "sync_context": (ContextQuery, sync_context)}
READ_MODELS = (FieldFeed(), ParkedWork())
SUBSCRIPTIONS = (Subscription("tasks.forms", source="forms", categories=("form",), models=FORMS, into=KnownForms()),)
