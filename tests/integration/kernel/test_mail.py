"""Mail that leaves, mail that waits for its server, and mail that will never be taken."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from services.kernel.inbox import transient
from services.kernel.mail import MailRefused, SmtpMail

LETTER = {"subject": "Invitación", "text": "Hola, señora Ñáñez", "html": "<p>Hola</p>", "message_id": "identity:7:0"}


class PostOffice:
    """Answers as it is told and keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.to_recipient = self.to_content = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return self.to_content


class OldPostOffice(Controller):
    """Speaks no letters beyond ASCII."""

    def factory(self) -> SMTP:
        return SMTP(self.handler, enable_SMTPUTF8=False)


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


@pytest.fixture
def mail(office: PostOffice, unused_tcp_port: int) -> Iterator[SmtpMail]:
    controller = OldPostOffice(office, hostname="127.0.0.1", port=unused_tcp_port)
    controller.start()
    yield SmtpMail(f"smtp://127.0.0.1:{unused_tcp_port}", "CheckOP <no-reply@checkop.co>", timeout=5)
    controller.stop()


@pytest.fixture
def unused_tcp_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_letter_arrives_whole_and_under_the_name_of_its_fact(mail: SmtpMail, office: PostOffice) -> None:
    mail.send(to="ana@example.com", **LETTER)
    (letter,) = office.taken
    assert (letter["To"], letter["Subject"]) == ("ana@example.com", "Invitación")
    assert letter["From"] == "CheckOP <no-reply@checkop.co>"
    assert letter["Message-ID"] == "<identity.7.0@mail.checkop.co>"
    assert letter.get_body(("plain",)).get_content().strip() == "Hola, señora Ñáñez"
    assert letter.get_body(("html",)).get_content().strip() == "<p>Hola</p>"


@pytest.mark.parametrize(
    ("recipient", "content"),
    [("550 no such mailbox", "250 OK"), ("553 not here", "250 OK"), ("250 OK", "554 looks like spam")],
)
def test_what_will_never_be_taken_is_told_from_what_may_be_taken_later(
    mail: SmtpMail, office: PostOffice, recipient: str, content: str
) -> None:
    office.to_recipient, office.to_content = recipient, content
    with pytest.raises(MailRefused) as refused:
        mail.send(to="nobody@example.com", **LETTER)
    assert not transient(refused.value)
    assert "nobody" not in str(refused.value), "an address stands in what is kept and logged"


@pytest.mark.parametrize(("recipient", "content"), [("450 busy", "250 OK"), ("250 OK", "451 later, please")])
def test_a_server_that_asks_to_come_back_is_asked_again(
    mail: SmtpMail, office: PostOffice, recipient: str, content: str
) -> None:
    office.to_recipient, office.to_content = recipient, content
    with pytest.raises(OSError) as busy:  # noqa: PT011  # every failure of the way is one
        mail.send(to="ana@example.com", **LETTER)
    assert transient(busy.value)


def test_a_server_that_is_away_is_waited_for(unused_tcp_port: int) -> None:
    with pytest.raises(OSError) as away:  # noqa: PT011
        SmtpMail(f"smtp://127.0.0.1:{unused_tcp_port}", "x@example.com", timeout=2).send(to="a@example.com", **LETTER)
    assert transient(away.value)


@pytest.mark.parametrize(
    "address", ["ñandú@example.com", "ana@exam\nple.com", "ana@example.com\r\nBcc: all@example.com"]
)
def test_an_address_that_the_server_cannot_serve_is_no_reason_to_wait(
    mail: SmtpMail, office: PostOffice, address: str
) -> None:
    with pytest.raises((MailRefused, ValueError)) as refused:
        mail.send(to=address, **LETTER)
    assert not transient(refused.value)
    assert office.taken == []
