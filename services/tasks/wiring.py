"""Puts the tasks service together."""

from __future__ import annotations

from services.kernel.application import ServiceDefinition, Subscription
from services.tasks import sites
from services.tasks.commands import COMMANDS
from services.tasks.domain.customer import customer
from services.tasks.domain.customer_code import customer_code
from services.tasks.domain.equipment import equipment
from services.tasks.domain.field_set import field_set
from services.tasks.domain.import_job import import_job
from services.tasks.domain.process import process
from services.tasks.domain.saved_filters import saved_filters
from services.tasks.domain.service import service
from services.tasks.domain.status_list import status_list
from services.tasks.domain.task import task
from services.tasks.exports import EXPORTS
from services.tasks.incoming import DIRECTORY, SUBMISSIONS
from services.tasks.processes import follow_submissions
from services.tasks.processes.apply_rows_when_import_applied import apply_rows_when_import_applied
from services.tasks.processes.check_import_when_requested import check_import_when_requested
from services.tasks.processes.remove_file_when_import_ended import remove_file_when_import_ended
from services.tasks.readmodels import (
    customers,
    field_sets,
    filters,
    imports,
    processes,
    register,
    service_catalogue,
    status_lists,
    task_board,
    task_detail,
)
from services.tasks.readmodels.customers import Customers
from services.tasks.readmodels.directory import Directory
from services.tasks.readmodels.field_sets import FieldSets
from services.tasks.readmodels.filters import Filters
from services.tasks.readmodels.imports import Imports
from services.tasks.readmodels.processes import Processes
from services.tasks.readmodels.register import EquipmentRegister
from services.tasks.readmodels.service_catalogue import ServiceCatalogue
from services.tasks.readmodels.status_lists import StatusLists
from services.tasks.readmodels.task_board import TaskBoard
from services.tasks.readmodels.task_detail import TaskDetail
from services.tasks.recurring import parts as recurring
from services.tasks.sync import parts as sync
from services.tasks.whereabouts import parts as whereabouts


def define() -> ServiceDefinition:
    """Everything the tasks service is."""
    return ServiceDefinition(
        name="tasks",
        deciders=(
            task,
            process,
            status_list,
            customer,
            customer_code,
            equipment,
            service,
            field_set,
            saved_filters,
            import_job,
            *EXPORTS.deciders,
            *recurring.DECIDERS,
            *whereabouts.DECIDERS,
            *sync.DECIDERS,
        ),
        commands={**COMMANDS, **recurring.COMMANDS, **whereabouts.COMMANDS, **sync.COMMANDS},
        queries={
            **recurring.QUERIES,
            **whereabouts.QUERIES,
            **sync.QUERIES,
            **sites.QUERIES,
            **status_lists.QUERIES,
            **processes.QUERIES,
            **customers.QUERIES,
            **register.QUERIES,
            **service_catalogue.QUERIES,
            **field_sets.QUERIES,
            **filters.QUERIES,
            **task_board.QUERIES,
            **task_detail.QUERIES,
            **imports.QUERIES,
            **EXPORTS.queries,
        },
        read_models=(
            StatusLists(),
            Processes(),
            Customers(),
            EquipmentRegister(),
            ServiceCatalogue(),
            FieldSets(),
            Filters(),
            TaskBoard(),
            TaskDetail(),
            Imports(),
            *EXPORTS.read_models,
            *recurring.READ_MODELS,
            *whereabouts.READ_MODELS,
            *sync.READ_MODELS,
        ),
        reactions=(
            check_import_when_requested,
            apply_rows_when_import_applied,
            remove_file_when_import_ended,
            *recurring.REACTIONS,
            *EXPORTS.reactions,
        ),
        subscriptions=(
            Subscription(
                "tasks.directory",
                source="identity",
                categories=("user", "team", "account"),
                models=DIRECTORY,
                into=Directory(),
            ),
            Subscription(
                "tasks.submissions",
                source="forms",
                categories=("submission",),
                models=SUBMISSIONS,
                react=follow_submissions.react,
            ),
            *sync.SUBSCRIPTIONS,
        ),
    )
