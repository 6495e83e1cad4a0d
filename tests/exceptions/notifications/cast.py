"""People who are told something."""

from django_tenants.utils import schema_context

from exceptions.models import Notification
from exceptions.notifications.services import Notice, notify
from tenants.models import Tenant, User
from tenants.outgoing.models import OutgoingTarget
from tenants.outgoing.services import create_target
from tests.exceptions.cast import NOW, make_exception


def tell(user: User, *orders: str, schema: str = "acme") -> list[int]:
    """One assignment for each order; the ids of its rows on the page."""
    with schema_context(schema):
        notices = [
            Notice(user_id=user.pk, matter="assigned", subject=order, exception_id=make_exception(order).pk)
            for order in orders
        ]
        notify(notices, now=NOW)
        mine = Notification.objects.filter(user_id=user.pk, way="page", subject__in=orders)
        return list(mine.order_by("pk").values_list("pk", flat=True))


def make_target(tenant: Tenant, channel: str, name: str = "ops") -> OutgoingTarget:
    return create_target(
        tenant=tenant,
        name=name,
        channel=channel,
        address="https://hooks.example/x",
        actor="user:max",
        resolve=lambda host, port: ["8.8.8.8"],
    ).row
