"""The contents of forms: kept under their hashes, read back, and made ready to judge by, once per version."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from services.forms.asking import checked
from services.forms.domain.check import Fault, check, size_faults
from services.forms.domain.form import Form, form
from services.forms.domain.form_content import FormContent, KeepFormContent, form_content, id_of
from services.forms.domain.plan import Plan
from services.forms.domain.schema import Content, canonical, content_hash
from services.kernel import offload
from services.kernel.application import Ask
from services.kernel.domain import Erased, Rejected

REMEMBERED_PLANS = 100


class Plans:
    """The forms that were judged by lately, ready for the next answers."""

    def __init__(self) -> None:
        self._plans: OrderedDict[tuple[str, str], Plan] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, ask: Ask, hash: str) -> Plan | None:
        """The plan of a published content of the caller's account; None when it was erased."""
        key = (ask.caller.tenant, hash)
        with self._lock:
            if key in self._plans:
                self._plans.move_to_end(key)
                return self._plans[key]
        content = load(ask, hash)
        if content is None:
            return None
        plan = offload.run(_plan, content)
        with self._lock:
            self._plans[key] = plan
            while len(self._plans) > REMEMBERED_PLANS:
                self._plans.popitem(last=False)
        return plan


def _plan(document: Mapping[str, Any]) -> Plan:
    return Plan(Content.model_validate(document))


PLANS = Plans()


def load(ask: Ask, hash: str) -> dict[str, Any] | None:
    """The content of this hash; None when there is none, or no more."""
    kept: FormContent = ask.state(form_content, id_of(hash))
    if kept.content is None or isinstance(kept.content, Erased):
        return None
    content: dict[str, Any] = json.loads(kept.content)
    return content


def keep(ask: Ask, content: Content) -> str:
    """Keep a content before anything names it; its hash."""
    document = content.to_json()
    hash = content_hash(document)
    command = ask.make(KeepFormContent, {"hash": hash, "content": canonical(document).decode()})
    ask.handle(form_content, id_of(hash), command, part=f"content/{id_of(hash)}")
    return hash


def parsed(document: Any) -> Content:
    """A content from JSON. Raises Rejected("invalid" with the places, or "form-too-large")."""
    content, oversized = offload.run(_parsed, document)
    if oversized:
        raise Rejected("form-too-large", faults=[fault.model_dump() for fault in oversized])
    return content


def _parsed(document: Any) -> tuple[Content, list[Fault]]:
    content = checked(Content, document, inside=("content",))
    return content, size_faults(content)


def faults_of(document: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """What keeps a draft from being published, as JSON. A large form takes a while, so the hub is spared."""
    return offload.run(_faults, document)


def _faults(document: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    found = [Fault(path="", code="form-empty")] if document is None else check(Content.model_validate(document))
    return [fault.model_dump() for fault in found]


def saving(ask: Ask) -> Mapping[str, Any]:
    """A draft's content is kept first, then the form names it."""
    content = parsed(ask.data.get("content"))
    form_id = str(ask.data.get("form_id"))
    if not ask.state(form, form_id).exists:
        raise Rejected("form-unknown", form_id=form_id)
    return {"form_id": form_id, "hash": keep(ask, content)}


def publishing(ask: Ask) -> Mapping[str, Any]:
    """The draft is published only without a fault. Raises Rejected("form-faulty" with all of them)."""
    form_id = str(ask.data.get("form_id"))
    known: Form = ask.state(form, form_id)
    if not known.exists:
        raise Rejected("form-unknown", form_id=form_id)
    document = load(ask, known.draft) if known.draft else None
    if known.draft is None or document is None:
        raise Rejected("draft-missing", form_id=form_id)
    if faults := faults_of(document):
        raise Rejected("form-faulty", faults=faults)
    return {"form_id": form_id, "hash": known.draft}
