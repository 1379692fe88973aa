"""The commands of this service: their names, the aggregate that decides, and what it must know first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.kernel.application import Ask, Do, On
from services.kernel.domain import Rejected
from services.tasks import customers, importing, register, work
from services.tasks.bulk import decide_over_tasks
from services.tasks.domain.customer import (
    AddLocation,
    CreateCustomer,
    EditCustomer,
    EditLocation,
    RemoveLocation,
    customer,
)
from services.tasks.domain.equipment import (
    EditEquipment,
    InstallEquipment,
    MoveEquipment,
    RetireEquipment,
    ReturnEquipment,
    equipment,
)
from services.tasks.domain.field_set import (
    ActivateField,
    ArrangeFields,
    ChangeField,
    DeactivateField,
    DefineField,
    field_set,
)
from services.tasks.domain.import_job import ApplyImport, DiscardImport, RequestImport, import_job
from services.tasks.domain.process import (
    ActivateProcess,
    ActivateSubprocess,
    AddSubprocess,
    AttachStatusList,
    CreateProcess,
    DeactivateProcess,
    DeactivateSubprocess,
    LinkTeams,
    Process,
    RenameProcess,
    RenameSubprocess,
    SetProcessFields,
    process,
)
from services.tasks.domain.saved_filters import ChangeFilter, RemoveFilter, SaveFilter, saved_filters
from services.tasks.domain.service import (
    ActivateService,
    AddService,
    DeactivateService,
    RenameService,
    service,
)
from services.tasks.domain.status_list import ChangeStatusList, DefineStatusList, status_list
from services.tasks.domain.task import task
from services.tasks.domain.task_evidence import AnswerForm, CompleteAnswer, DiscardAnswer, NoteTask, ReleaseAnswer
from services.tasks.domain.task_execution import AdvanceTask, CancelTask, ClaimTask, ReopenTask, StartTask
from services.tasks.domain.task_planning import AssignTask, EditTask, OpenTask
from services.tasks.exports import EXPORTS
from services.tasks.following_up import following_up
from services.tasks.own_fields import with_own_fields
from services.tasks.standing import check_team, demand, demand_system


def _permitted(permission: str) -> Callable[[Ask], Mapping[str, Any]]:
    def prepare(ask: Ask) -> Mapping[str, Any]:
        demand(ask.caller, permission)
        return ask.data

    return prepare


def _own(ask: Ask) -> Mapping[str, Any]:
    demand_system(ask.caller)
    return ask.data


def _attaching(ask: Ask) -> Mapping[str, Any]:
    demand(ask.caller, "processes:edit")
    wanted = ask.make(AttachStatusList, ask.data)
    assert isinstance(wanted, AttachStatusList)
    if wanted.list_id is not None and not ask.state(status_list, wanted.list_id).exists:
        raise Rejected("status-list-unknown", list_id=wanted.list_id)
    return ask.data


def _linking(ask: Ask) -> Mapping[str, Any]:
    demand(ask.caller, "processes:edit")
    wanted = ask.make(LinkTeams, ask.data)
    assert isinstance(wanted, LinkTeams)
    for team_id in set(wanted.team_ids) - set(ask.state(process, wanted.process_id).team_ids):
        check_team(ask, team_id, "team-unknown")
    return ask.data


def _setting_fields(ask: Ask) -> Mapping[str, Any]:
    demand(ask.caller, "processes:edit")
    wanted = ask.make(SetProcessFields, ask.data)
    assert isinstance(wanted, SetProcessFields)
    known: Process = ask.state(process, wanted.process_id)
    if not known.exists:
        return ask.data  # the decision itself says that there is no such process
    if wanted.subprocess_id is None:
        return with_own_fields(ask, "process", known.fields, ask.data)
    return with_own_fields(ask, "subprocess", known.subprocess(wanted.subprocess_id).fields, ask.data)


def _own_filters(ask: Ask) -> Mapping[str, Any]:
    demand(ask.caller, "tasks:read")
    if "user_id" in ask.data:
        raise Rejected("invalid", errors=[{"loc": ["user_id"], "msg": "not yours to set", "type": "forbidden"}])
    return {**ask.data, "user_id": ask.caller.actor}


_processes = _permitted("processes:edit")
_customers = _permitted("customers:edit")

COMMANDS: Mapping[str, On | Do] = {
    "define_status_list": On(status_list, DefineStatusList, id="list_id", prepare=_processes, creates=True),
    "change_status_list": On(status_list, ChangeStatusList, id="list_id", prepare=_processes),
    "create_process": On(process, CreateProcess, id="process_id", prepare=_processes, creates=True),
    "rename_process": On(process, RenameProcess, id="process_id", prepare=_processes),
    "activate_process": On(process, ActivateProcess, id="process_id", prepare=_processes),
    "deactivate_process": On(process, DeactivateProcess, id="process_id", prepare=_processes),
    "attach_status_list": On(process, AttachStatusList, id="process_id", prepare=_attaching),
    "link_teams": On(process, LinkTeams, id="process_id", prepare=_linking),
    "add_subprocess": On(process, AddSubprocess, id="process_id", prepare=_processes),
    "rename_subprocess": On(process, RenameSubprocess, id="process_id", prepare=_processes),
    "activate_subprocess": On(process, ActivateSubprocess, id="process_id", prepare=_processes),
    "deactivate_subprocess": On(process, DeactivateSubprocess, id="process_id", prepare=_processes),
    "set_process_fields": On(process, SetProcessFields, id="process_id", prepare=_setting_fields),
    "define_field": On(field_set, DefineField, id="entity", prepare=_processes),
    "change_field": On(field_set, ChangeField, id="entity", prepare=_processes),
    "activate_field": On(field_set, ActivateField, id="entity", prepare=_processes),
    "deactivate_field": On(field_set, DeactivateField, id="entity", prepare=_processes),
    "arrange_fields": On(field_set, ArrangeFields, id="entity", prepare=_processes),
    "create_customer": On(customer, CreateCustomer, id="customer_id", prepare=customers.creating, creates=True),
    "edit_customer": On(customer, EditCustomer, id="customer_id", prepare=customers.editing),
    "add_location": On(customer, AddLocation, id="customer_id", prepare=customers.placing),
    "edit_location": On(customer, EditLocation, id="customer_id", prepare=customers.moving),
    "remove_location": On(customer, RemoveLocation, id="customer_id", prepare=_customers),
    "install_equipment": On(equipment, InstallEquipment, id="equipment_id", prepare=register.installing, creates=True),
    "edit_equipment": On(equipment, EditEquipment, id="equipment_id", prepare=register.editing),
    "move_equipment": On(equipment, MoveEquipment, id="equipment_id", prepare=register.moving),
    "retire_equipment": On(equipment, RetireEquipment, id="equipment_id", prepare=_customers),
    "return_equipment": On(equipment, ReturnEquipment, id="equipment_id", prepare=_customers),
    "add_service": On(service, AddService, id="service_id", prepare=_processes, creates=True),
    "rename_service": On(service, RenameService, id="service_id", prepare=_processes),
    "activate_service": On(service, ActivateService, id="service_id", prepare=_processes),
    "deactivate_service": On(service, DeactivateService, id="service_id", prepare=_processes),
    "open_task": On(task, OpenTask, id="task_id", prepare=work.opening, creates=True),
    "edit_task": On(task, EditTask, id="task_id", prepare=work.editing),
    "assign_task": On(task, AssignTask, id="task_id", prepare=work.assigning),
    "claim_task": On(task, ClaimTask, id="task_id", prepare=work.claiming),
    "start_task": On(task, StartTask, id="task_id", prepare=work.starting),
    "advance_task": On(task, AdvanceTask, id="task_id", prepare=work.advancing),
    "cancel_task": On(task, CancelTask, id="task_id", prepare=work.cancelling),
    "reopen_task": On(task, ReopenTask, id="task_id", prepare=work.reopening),
    "decide_over_tasks": Do(decide_over_tasks),
    "save_filter": On(saved_filters, SaveFilter, id="user_id", prepare=_own_filters),
    "change_filter": On(saved_filters, ChangeFilter, id="user_id", prepare=_own_filters),
    "remove_filter": On(saved_filters, RemoveFilter, id="user_id", prepare=_own_filters),
    "note_task": On(task, NoteTask, id="task_id", prepare=work.noting),
    "request_import": On(import_job, RequestImport, id="import_id", prepare=importing.requesting, creates=True),
    "apply_import": On(import_job, ApplyImport, id="import_id", prepare=importing.deciding),
    "discard_import": On(import_job, DiscardImport, id="import_id", prepare=importing.deciding),
    # The service's own: its reactions and timers ask for these, nobody else may.
    "answer_form": On(task, AnswerForm, id="task_id", prepare=_own),
    "complete_answer": On(task, CompleteAnswer, id="task_id", prepare=_own),
    "release_answer": On(task, ReleaseAnswer, id="task_id", prepare=_own),
    "discard_answer": On(task, DiscardAnswer, id="task_id", prepare=_own),
    "open_follow_up": On(task, OpenTask, id="task_id", prepare=following_up),
    "check_import": Do(importing.check_import),
    "apply_rows": Do(importing.apply_rows),
    "expire_import": Do(importing.expire_import),
    **EXPORTS.commands,
}
