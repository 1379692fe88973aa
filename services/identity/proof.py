"""Whoever is logged in already proves the password anew before what matters most; guessing is slowed here too."""

from __future__ import annotations

from services.identity import ids, passwords
from services.identity.domain.login_name import LoginName, NoteFailure, NoteSuccess, login_name
from services.identity.domain.user import User, user
from services.kernel.application import Ask
from services.kernel.commit import PLATFORM
from services.kernel.domain import Rejected


def demand_password(ask: Ask, password: str) -> User:
    """The caller as a person. Raises Rejected("credentials-invalid" or "login-delayed")."""
    user_id = ask.caller.actor
    person: User = ask.state(user, user_id)
    name_id = ids.of_login_name(ask, str(person.member.email))
    name: LoginName = ask.state(login_name, name_id, tenant=PLATFORM)
    # Counted under the person's own id, apart from strangers' attempts: those must not slow this one down.
    attempt = {"name_id": name_id, "device_id": user_id}
    if wait := name.retry_after(user_id, ask.now):
        raise Rejected("login-delayed", retry_after=wait)
    if not passwords.matches(person.credentials.password_hash, password):
        ask.handle(login_name, name_id, ask.make(NoteFailure, attempt), part="failure", tenant=PLATFORM)
        raise Rejected("credentials-invalid")
    if user_id in name.failures:
        ask.handle(login_name, name_id, ask.make(NoteSuccess, attempt), part="proven", tenant=PLATFORM)
    return person
