"""The way out for mail: an SMTP port with a message id of our own, so that a repeat is recognisable."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit


class Mail(Protocol):
    """Sends one message."""

    def send(self, *, to: str, subject: str, text: str, html: str, message_id: str) -> None:
        """Hand the message to the mail system. Raises MailRefused when it will never take it, OSError when not now."""


class MailRefused(Exception):
    """The mail system will not take this message however often it is tried; names the reply, never the address."""

    def __init__(self, reply: int) -> None:
        super().__init__(f"the mail server answered {reply}")


class SmtpMail:
    """Sends through the server of an `smtp://` (plain, local) or `smtps://` / `smtp+starttls://` address."""

    def __init__(self, url: str, sender: str, timeout: float = 15.0) -> None:
        self._url = urlsplit(url)
        self._sender = sender
        self._timeout = timeout

    def send(self, *, to: str, subject: str, text: str, html: str, message_id: str) -> None:
        """See `Mail.send`. `message_id` is the fact's id; the receiving side can drop a repeat by it."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message["Message-ID"] = f"<{message_id.replace(':', '.')}@mail.checkop.co>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        with self._connect() as server:
            if self._url.scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if self._url.username:
                server.login(unquote(self._url.username), unquote(self._url.password or ""))
            try:
                server.send_message(message)
            except smtplib.SMTPRecipientsRefused as refused:
                replies = [reply for reply, _ in refused.recipients.values()]
                if min(replies) < 500:
                    raise  # come back later
                raise MailRefused(replies[0]) from None
            except smtplib.SMTPDataError as refused:
                if refused.smtp_code < 500:
                    raise
                raise MailRefused(refused.smtp_code) from None
            except smtplib.SMTPNotSupportedError:
                raise MailRefused(553) from None  # letters in the address that this server does not speak

    def _connect(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "127.0.0.1", self._url.port or 25
        if self._url.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=self._timeout, context=ssl.create_default_context())
        return smtplib.SMTP(host, port, timeout=self._timeout)
