"""E-mails as rows: queued with the change they belong to, sent later by a worker (tenants.tasks)."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from tenants.models import Mail

LEASE = timedelta(minutes=5)
FIRST_WAIT = timedelta(seconds=30)
KEPT = timedelta(days=30)
MOST_ATTEMPTS = 8  # the last about an hour after the first


def queue_mail(*, recipient: str, subject: str, text: str) -> Mail:
    """Call it in the transaction of what the mail tells: then neither is there without the other."""
    one_line = " ".join(subject.split())[:200]
    return Mail.objects.create(recipient=recipient, subject=one_line, text=text)


def claim_mail() -> Mail | None:
    """The mail that has been due the longest, leased to the caller; None when nothing is due."""
    with transaction.atomic():
        mail = Mail.objects.select_for_update(skip_locked=True).filter(due_at__lte=Now()).order_by("due_at").first()
        if mail is not None:
            Mail.objects.filter(pk=mail.pk).update(due_at=Now() + LEASE, attempts=F("attempts") + 1)
            mail.attempts += 1
    return mail


def record_sent(*, mail: Mail) -> None:
    Mail.objects.filter(pk=mail.pk).update(sent_at=Now(), due_at=None, text="", trouble="")


def record_failure(*, mail: Mail, trouble: str, retryable: bool) -> None:
    """Waits twice as long after each failure; after the last one, or when no retry can help, the mail is given up."""
    if retryable and mail.attempts < MOST_ATTEMPTS:
        wait = FIRST_WAIT * 2 ** (mail.attempts - 1)
        Mail.objects.filter(pk=mail.pk).update(due_at=Now() + wait, trouble=trouble[:200])
    else:
        Mail.objects.filter(pk=mail.pk).update(due_at=None, text="", trouble=trouble[:200])


def remove_old_mails() -> None:
    Mail.objects.filter(due_at=None, created_at__lt=Now() - KEPT).delete()
