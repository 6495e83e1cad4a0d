"""Work of the tenants' app outside requests: e-mails that wait."""

import smtplib
import time

import structlog
from celery import shared_task
from django.core.mail import send_mail
from django.core.management import call_command

from tenants.models import Mail
from tenants.services.mail import claim_mail, record_failure, record_sent, remove_old_mails
from tenants.services.sources import remove_ended_secrets

logger = structlog.get_logger("tenants.mail")
SECONDS_A_RUN = 50


@shared_task(name="tenants.send_mails", ignore_result=True)
def send_mails(**kwargs: object) -> None:
    """Sends what is due until nothing is, or the time of a run is up. Two at once share the work by their claims."""
    ends = time.monotonic() + SECONDS_A_RUN
    while time.monotonic() < ends and (mail := claim_mail()):
        deliver(mail)


@shared_task(name="tenants.housekeeping", ignore_result=True)
def housekeeping(**kwargs: object) -> None:
    """Removes ended secrets, e-mails older than 30 days, and the log of sign-ins older than 90."""
    remove_ended_secrets()
    remove_old_mails()
    call_command("axes_reset_logs", age=90, verbosity=0)


def deliver(mail: Mail) -> None:
    """Outside any transaction. Killed after sending and before recording, the mail is sent once more."""
    try:
        send_mail(mail.subject, mail.text, None, [mail.recipient])
    except (smtplib.SMTPException, OSError, ValueError) as error:
        record_failure(mail=mail, trouble=trouble_of(error), retryable=can_retry(error))
        logger.warning("mail not sent", mail=mail.pk, attempt=mail.attempts, error=type(error).__name__)
        return
    record_sent(mail=mail)
    logger.info("mail sent", mail=mail.pk, attempt=mail.attempts)


def can_retry(error: Exception) -> bool:
    """Not when the address itself was refused for good (SMTP 5xx), or when it is no address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code < 500 for code, _ in error.recipients.values())
    return not isinstance(error, ValueError)


def trouble_of(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "The mail server refused the address."
    return f"The mail server could not take it ({type(error).__name__})."
