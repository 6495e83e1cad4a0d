"""What is kept of actions that are long over: everything but the person."""

from datetime import datetime, timedelta

from django.db.models import Q

from exceptions.deliveries.models import Delivery
from exceptions.playbooks.models import Attempt, DryRun
from orders.models import Event

KEPT = timedelta(days=30)
LOGGED = timedelta(days=90)
ERASED = "personal_data_redacted"
REDACTED = {"redacted": True}
PERSONAL = ("shopify_address",)  # whose parameters and calls hold an address


def tidy_actions(*, now: datetime) -> int:
    """Addresses leave actions that ended 30 days ago, or whose order's personal data was erased; old logs go. Returns how many."""
    erased = Event.objects.filter(event_type=ERASED).values("order_id")
    ended = Attempt.objects.filter(kind__in=PERSONAL, ended_at__isnull=False).exclude(parameters=REDACTED)
    gone = ended.filter(Q(ended_at__lt=now - KEPT) | Q(order_id__in=erased)).update(
        parameters=REDACTED, request=REDACTED
    )
    gone += DryRun.objects.filter(asked_at__lt=now - KEPT).delete()[0]
    return gone + Delivery.objects.filter(ended_at__lt=now - LOGGED).delete()[0]
