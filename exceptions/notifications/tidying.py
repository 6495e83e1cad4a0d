"""What is kept of notifications."""

from datetime import datetime, timedelta

from exceptions.notifications.models import Notification

KEPT = timedelta(days=90)


def tidy_notifications(*, now: datetime) -> int:
    """Those older than 90 days go, read or not, unless they still wait to be sent. Returns how many."""
    return Notification.objects.filter(created_at__lt=now - KEPT, due_at=None).delete()[0]
