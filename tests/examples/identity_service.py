"""The identity service in memory, and people who use it as they would through the gateway."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import jwt
import pytest

from services.identity.wiring import define
from services.kernel.commit import PLATFORM, Caller
from services.kernel.domain import Rejected
from services.kernel.testing.app import MemoryApp, memory_app

ANONYMOUS = Caller(tenant=PLATFORM, actor="anonymous", correlation_id="c-1")
OFFICE_IP = "190.24.1.10"
GOOD, BETTER = "corral de piedra 42", "ventana abierta 77"


@dataclass
class Person:
    """Somebody with an account: how the gateway would see a request of theirs."""

    user_id: str
    account_id: str
    email: str
    password: str = GOOD


class Identity:
    """The service, spoken to as the gateway does."""

    def __init__(self) -> None:
        self.app: MemoryApp = memory_app(define())

    def anonymous(self, command: str, command_id: str | None = None, **data: Any) -> dict[str, Any]:
        """A request of somebody not logged in."""
        return self.app.execute(command, data, ANONYMOUS, command_id)

    def register(self, email: str = "ana@andes.co", company: str = "Andes Service") -> Person:
        """A company with its owner."""
        made = self.anonymous("register_account", name=company, owner_name="Ana Ruiz", email=email, password=GOOD)
        return Person(made["user_id"], made["account_id"], email)

    def caller(self, person: Person, session: str | None = None, origin: str | None = None) -> Caller:
        """How the gateway describes this person's request, with the permissions of this moment."""
        plain = Caller(tenant=person.account_id, actor=person.user_id)
        known = self.app.query("me", {}, plain)
        return replace(
            plain,
            role=known["role"],
            permissions=frozenset(known["permissions"]),
            session=session,
            origin=origin,
        )

    def by(self, person: Person, command: str, command_id: str | None = None, **data: Any) -> dict[str, Any]:
        """A request of this person."""
        return self.app.execute(command, data, self.caller(person), command_id)

    def ask(self, person: Person, query: str, **params: Any) -> dict[str, Any]:
        """A question of this person."""
        return self.app.query(query, params, self.caller(person))

    def hire(self, by: Person, email: str, role: str = "technician", name: str = "Teo Paz") -> Person:
        """Invite, and accept through the mailed link."""
        self.by(by, "invite_user", email=email, name=name, role=role)
        made = self.anonymous("accept_invitation", token=self.mailed_token(email), name=name, password=GOOD)
        return Person(made["user_id"], made["account_id"], email)

    def login(self, person: Person, **more: Any) -> dict[str, Any]:
        """Log in from the office."""
        typed = {"email": person.email, "password": person.password, "ip": OFFICE_IP}
        return self.anonymous("login", **typed | more)

    def mailed_token(self, email: str) -> str:
        """The token in the latest mail to this address."""
        latest = next(mail for mail in reversed(self.app.mails.sent) if mail["to"] == email)
        return latest["text"].split("token=")[1].split()[0]

    def claims(self, access_token: str) -> dict[str, Any]:
        """What the access token says, checked with the published key as the gateway does."""
        (key,) = self.app.query("signing_keys", {}, ANONYMOUS)["keys"]
        assert jwt.get_unverified_header(access_token) == {"alg": "EdDSA", "typ": "at+jwt", "kid": key["kid"]}
        options: Any = {"verify_exp": False, "verify_iat": False}
        return jwt.decode(
            access_token,
            jwt.PyJWK(key),
            algorithms=["EdDSA"],
            audience="checkop",
            issuer="checkop",
            options=options,
        )

    def wait(self, **time: float) -> None:
        """Time passes."""
        self.app.advance(timedelta(**time))

    def types(self) -> list[str]:
        """The names of all facts so far."""
        return [fact.type for fact in self.app.facts()]


def refused(run: Any, *args: Any, **kwargs: Any) -> Rejected:
    """The refusal that this must lead to."""
    with pytest.raises(Rejected) as refusal:
        run(*args, **kwargs)
    return refusal.value
