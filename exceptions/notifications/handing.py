"""Hands what is due over to the deliveries, which send it: what is due together to one person goes out as one message.

In quiet hours it waits for their end, but for escalations of who wants those always. The rows are locked and the message queued in the same transaction, so that each is
part of one message and no more, however many workers look.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from exceptions.deliveries.models import Delivery
from exceptions.deliveries.services import queue_delivery
from exceptions.notifications.choosing import Chosen, chosen_of
from exceptions.notifications.letters import Whom, hook_of, letter_of, post_of
from exceptions.notifications.models import Notification
from exceptions.notifications.quiet import quiet_until
from exceptions.notifications.words import Matter, Way
from tenants.models import Membership, Tenant, User
from tenants.selectors import page_address

MOST_TOGETHER = 1000
WRITTEN = {Way.EMAIL: letter_of, Way.SLACK: post_of, Way.WEBHOOK: hook_of}
LEFT = "Has left the team."
NOWHERE = "No target is chosen for this way any more."


def hand_over(tenant: Tenant, *, now: datetime) -> int:
    """Returns how many messages were queued."""
    due = Notification.objects.filter(due_at__lte=now).order_by("user_id", "way")
    pairs = due.values_list("user_id", "way").distinct()
    return sum(hand_over_to(tenant, user_id, Way(way), now) for user_id, way in pairs)


def hand_over_to(tenant: Tenant, user_id: int, way: Way, now: datetime) -> bool:
    """Whether a message was queued."""
    with transaction.atomic():
        mine = Notification.objects.filter(user_id=user_id, way=way, due_at__lte=now)
        rows = list(mine.select_for_update(skip_locked=True).order_by("pk")[:MOST_TOGETHER])
        if not rows:
            return False
        chosen = chosen_of(user_id, tenant)
        member = Membership.objects.filter(tenant=tenant, user_id=user_id, user__is_active=True).first()
        ids = [row.pk for row in rows]
        locked = Notification.objects.filter(pk__in=ids)
        if member is None or (way != Way.EMAIL and not chosen.target_of(way)):
            locked.update(due_at=None, dropped=NOWHERE if member else LEFT)
            return False
        if later := quiet_until(now, chosen.quiet):
            ids = [row.pk for row in rows if chosen.escalations_always and row.matter == Matter.ESCALATED]
            locked.exclude(pk__in=ids).update(due_at=later)
            if not ids:
                return False
        delivery = queue(tenant, member.user, way, ids, chosen, now)
        locked.filter(pk__in=ids).update(due_at=None, delivery=delivery)
    return True


def queue(tenant: Tenant, user: User, way: Way, ids: Sequence[int], chosen: Chosen, now: datetime) -> Delivery:
    rows = list(Notification.objects.filter(pk__in=ids).select_related("exception").order_by("pk"))
    whom = Whom(user.username, tenant.name, page_address(tenant, "/").removesuffix("/"))
    exceptions = {row.exception_id for row in rows}
    return queue_delivery(
        key=f"{connection.schema_name}-notice-{ids[0]}",  # type: ignore[attr-defined]
        channel=way.value,
        content=WRITTEN[way](rows, whom),
        now=now,
        target=chosen.target_of(way),
        user_id=user.pk,
        exception_id=rows[0].exception_id if len(exceptions) == 1 else None,
    )
