"""E-mails as rows: sent once, retried when a retry can help, given up with a reason."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.db import connection
from django.db.models.functions import Now

from tenants.models import Mail
from tenants.services.mail import MOST_ATTEMPTS, claim_mail, queue_mail, remove_old_mails
from tenants.tasks import housekeeping, send_mails


@pytest.fixture
def waiting(db: None) -> Mail:
    return queue_mail(recipient="a@example.com", subject="Hello\nBcc: x@example.com", text="a secret link")


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*args: Any) -> None:
        raise error

    monkeypatch.setattr("tenants.tasks.send_mail", fail)


def seconds_until_due(mail: Mail) -> float:
    mail.refresh_from_db()
    assert mail.due_at is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return float((mail.due_at - cursor.fetchone()[0]).total_seconds())


def test_subject_cannot_carry_a_header(waiting: Mail) -> None:
    send_mails()
    assert outbox.outbox[0].subject == "Hello Bcc: x@example.com"


def test_claimed_mail_is_leased(waiting: Mail) -> None:
    assert claim_mail() == waiting
    assert claim_mail() is None
    Mail.objects.update(due_at=Now())
    again = claim_mail()
    assert again is not None
    assert again.attempts == 2


def test_lost_server_is_tried_again_ever_later_and_given_up_in_the_end(
    waiting: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, ConnectionRefusedError())
    send_mails()
    assert seconds_until_due(waiting) == pytest.approx(30, abs=5)
    assert waiting.trouble == "The mail server could not take it (ConnectionRefusedError)."
    for _ in range(MOST_ATTEMPTS - 1):
        Mail.objects.update(due_at=Now())
        send_mails()
    waiting.refresh_from_db()
    assert (waiting.due_at, waiting.text, waiting.sent_at, waiting.attempts) == (None, "", None, MOST_ATTEMPTS)


@pytest.mark.parametrize(("code", "given_up"), [(550, True), (451, False)])
def test_refused_address_is_given_up_only_for_good_reason(
    waiting: Mail, monkeypatch: pytest.MonkeyPatch, code: int, given_up: bool
) -> None:
    fail_with(monkeypatch, smtplib.SMTPRecipientsRefused({"a@example.com": (code, b"no")}))
    send_mails()
    waiting.refresh_from_db()
    assert (waiting.due_at is None, waiting.trouble) == (given_up, "The mail server refused the address.")


def test_housekeeping_removes_what_is_old_and_done_only(waiting: Mail) -> None:
    done = queue_mail(recipient="b@example.com", subject="Old", text="x")
    Mail.objects.update(created_at=Now() - timedelta(days=31))
    Mail.objects.filter(pk=done.pk).update(due_at=None)
    housekeeping()
    remove_old_mails()
    assert list(Mail.objects.all()) == [waiting]
