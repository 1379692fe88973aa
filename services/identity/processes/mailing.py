"""Finds out where a person is written to and in which language, and sends one composed mail."""

from __future__ import annotations

from urllib.parse import quote

from services.identity import tokens
from services.identity.domain.account import Account, account
from services.identity.domain.user import User, user
from services.identity.mails import Kind, compose
from services.kernel.application import Reacting
from services.kernel.commit import Recorded
from services.kernel.domain import Erased


def send(fact: Recorded, app: Reacting, user_id: str, kind: Kind, link: str = "") -> None:
    """Mail this person; nothing is sent to somebody whose address has been erased."""
    person: User = app.state(user, fact.tenant, user_id)
    company: Account = app.state(account, fact.tenant, fact.tenant)
    if isinstance(person.member.email, Erased) or not person.member.email:
        return
    letter = compose(kind, person.member.language, name=str(person.member.name), company=str(company.name), link=link)
    app.mail.send(to=person.member.email, message_id=f"{fact.id}:{kind}", **letter)


def link(app: Reacting, page: str, purpose: tokens.Purpose, tenant: str, user_id: str, number: int) -> str:
    """The address of a page of the web application with a token in it."""
    token = tokens.derive(app.secrets, purpose, tenant, user_id, number)
    return f"{app.settings.app_url}/{page}?token={quote(token)}"
