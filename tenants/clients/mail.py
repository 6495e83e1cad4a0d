"""Sends e-mail by Django's backend (`EMAIL_URL`). A mail whose fate is unsure is not repeated: nobody gets it twice."""

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from tenants.clients.errors import Busy, CallError, Refused, Unsure


@dataclass(frozen=True, slots=True)
class Letter:
    """`identity` becomes the Message-ID's first half; `domain` its second."""

    to: Sequence[str]
    subject: str
    text: str
    identity: str
    domain: str
    reply_to: str = ""


def send_mail(letter: Letter, *, backend: BaseEmailBackend | None = None) -> str:
    """Raises: Busy, Refused, Unsure."""
    connection = backend or get_connection()
    message = EmailMessage(
        subject=" ".join(letter.subject.split()),
        body=letter.text,
        to=list(letter.to),
        reply_to=[letter.reply_to] if letter.reply_to else None,
        headers={"Message-ID": f"<{letter.identity}@{letter.domain}>", "Auto-Submitted": "auto-generated"},
        connection=connection,
    )
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        raise Busy(f"The mail server cannot be reached ({type(error).__name__}).") from None
    try:
        sent = connection.send_messages([message])
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise meaning_of(error) from None
    finally:
        connection.close()
    if not sent:
        raise Refused("The mail has no recipient.")
    return "The mail server took it."


def meaning_of(error: Exception) -> CallError:
    """A code of 4xx asks to try again, one of 5xx does not; a line that breaks leaves it open."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return Refused("No recipient is taken.") if max(codes) >= 500 else Busy("The mail server asks to wait.")
    if isinstance(error, smtplib.SMTPResponseException):
        text = f"The mail server answered {error.smtp_code}."
        return Refused(text) if error.smtp_code >= 500 else Busy(text)
    if isinstance(error, ValueError):
        return Refused("The mail cannot be written: an address or the subject holds what they must not.")
    return Unsure(f"The mail server went away ({type(error).__name__}); whether it took the mail is not known.")
