"""Orders and exceptions for the tests of this app. They are made in the schema that the connection stands in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from exceptions.book import Book
from exceptions.models import ExceptionRecord
from orders.models import Order
from orders.ports import Change, Finding
from tenants.models import Membership, Role, Tenant, User

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DUE = NOW - timedelta(hours=1)
LATE = Finding("active", DUE, None, None, "MEDIUM", "stage", "order_fulfillment", DUE)
FAILED = Finding("active", DUE, None, None, "HIGH", "first", None, None)


def make_order(order_id: str = "1001", merchant: str = "default") -> Order:
    return Order.objects.create(order_id=order_id, merchant=merchant)


def change_of(
    order: Order,
    now: Finding | None,
    before: Finding | None = None,
    *,
    reason: str = "FULFILLMENT_DELAY",
    cause: str = "event wms/evt-1",
    history: bool = False,
) -> Change:
    return Change(order.pk, order.order_id, order.merchant, reason, before, now, history, cause)


def apply(*changes: Change, at: datetime = NOW, schema: str = "acme") -> list[int]:
    """On the test's own connection, inside its transaction."""
    connection.ensure_connection()
    return Book().apply(connection.connection, schema=schema, changes=changes, now=at)


def make_exception(order_id: str = "1001", merchant: str = "default", **columns: Any) -> ExceptionRecord:
    """Opened by the book, then changed to what the test needs; `reason_code` and `opened_at` may be given."""
    reason = columns.pop("reason_code", "FULFILLMENT_DELAY")
    order, _ = Order.objects.get_or_create(order_id=order_id, merchant=merchant)
    opened_at = columns.pop("opened_at", DUE)
    finding = Finding("active", opened_at, None, None, "MEDIUM", "stage", "order_fulfillment", opened_at)
    (pk,) = apply(change_of(order, finding, reason=reason), schema=connection.schema_name)
    if columns:
        ExceptionRecord.objects.filter(pk=pk).update(**columns)
    return ExceptionRecord.objects.get(pk=pk)


def resolved(**columns: Any) -> dict[str, Any]:
    """The columns of an exception that a person has resolved."""
    return {"status": "RESOLVED", "resolution": "manual", "resolved_by": "person", "resolved_at": NOW} | columns


def make_member(tenant: Tenant, name: str, role: str = Role.OPERATOR) -> User:
    user = User.objects.create(username=name, email=f"{name}@example.com")
    Membership.objects.create(tenant=tenant, user=user, role=role)
    return user


def kinds(record: ExceptionRecord) -> list[str]:
    return list(record.timeline.order_by("pk").values_list("kind", flat=True))


def ids(records: Sequence[ExceptionRecord]) -> list[int]:
    return [record.pk for record in records]
