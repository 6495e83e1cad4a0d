"""What a person reads of notifications. In the schema that the connection stands in."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from exceptions.deliveries.models import Delivery
from exceptions.notifications.models import Notification
from exceptions.notifications.words import Way
from tenants.models import Membership, User

MOST_COUNTED = 99
MOST_OFFERED = 8


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Newest first. `before`: the id that the next page begins under; None on the last."""

    rows: Sequence[Notification]
    before: int | None


def count_unread(user_id: int) -> int:
    """Up to MOST_COUNTED + 1."""
    unread = Notification.objects.filter(user_id=user_id, way=Way.PAGE, read_at=None)
    return len(unread.values_list("pk", flat=True)[: MOST_COUNTED + 1])


def page_inbox(user_id: int, *, unread: bool, before: int | None, size: int) -> InboxPage:
    """With the exceptions and the rows of the timeline that tell of them."""
    mine = Notification.objects.filter(user_id=user_id, way=Way.PAGE).select_related("exception", "entry")
    mine = mine.filter(read_at=None) if unread else mine
    mine = mine.filter(pk__lt=before) if before else mine
    rows = list(mine.order_by("-pk")[: size + 1])
    return InboxPage(rows[:size], rows[size - 1].pk if len(rows) > size else None)


def last_messages(user_id: int, *, most: int = 10) -> Sequence[Delivery]:
    """What was sent to this person alone, newest first, with what became of it."""
    return list(Delivery.objects.filter(user_id=user_id).order_by("-created_at", "-pk")[:most])


def find_notification(user_id: int, notification_id: int) -> Notification | None:
    """Of this person's own only."""
    mine = Notification.objects.filter(user_id=user_id, way=Way.PAGE, pk=notification_id)
    return mine.select_related("exception").first()


def members_like(text: str) -> list[User]:
    """Members of this tenant whose name begins so, for a field that completes it."""
    schema = connection.schema_name  # type: ignore[attr-defined]
    members = Membership.objects.filter(tenant__schema_name=schema, user__is_active=True).select_related("user")
    if text:
        members = members.filter(
            Q(user__username__istartswith=text)
            | Q(user__first_name__istartswith=text)
            | Q(user__last_name__istartswith=text)
        )
    return [member.user for member in members.order_by("user__username")[:MOST_OFFERED]]
