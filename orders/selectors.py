"""Every shaped read of orders. All of it reads the schema that the connection stands in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from e2a.errors import Conflict, NotFound
from orders.cursors import Page, newest_first, page_of
from orders.models import Event, Order, Parcel, Stage, StageState
from tenants.weights import LOW

STAGE_NAMES = ("payment_processing", "inventory_check", "shipping_preparation", "order_fulfillment", "delivery")


class NoSuchOrder(NotFound):
    """There is no order with this id."""


class AmbiguousOrder(Conflict):
    """Several merchants have an order with this id: name one with `merchant`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilters:
    """Empty means any."""

    status: tuple[str, ...] = ()
    merchant: tuple[str, ...] = ()
    held: bool | None = None
    search: str = ""


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage as it is shown, the pending ones included. `severity`: of a breach.

    `at_risk`: it runs past its warning point and is not late; `saved`: it did, and ended in time.
    """

    name: str
    state: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    due_at: datetime | None = None
    breached: bool = False
    severity: str | None = None
    at_risk_at: datetime | None = None
    at_risk: bool = False
    saved: bool = False


@dataclass(frozen=True, slots=True)
class OrderHistory:
    """An order with its five stages, its events in the order in which they took effect, and its parcels."""

    order: Order
    stages: list[StageView]
    events: list[Event]
    parcels: list[Parcel]


def filter_orders(filters: OrderFilters) -> QuerySet[Order]:
    chosen = Order.objects.all()
    if filters.status:
        chosen = chosen.filter(status__in=filters.status)
    if filters.merchant:
        chosen = chosen.filter(merchant__in=filters.merchant)
    if filters.held is not None:
        chosen = chosen.filter(held=filters.held)
    return chosen.filter(matches(filters.search)) if filters.search else chosen


def matches(search: str) -> Q:
    """A part of the order's id or the merchant's name, or a parcel's whole tracking number."""
    return (
        Q(order_id__icontains=search)
        | Q(merchant__icontains=search)
        | Q(pk__in=Parcel.objects.filter(tracking_number=search).values("order_id"))
    )


def list_orders(filters: OrderFilters) -> QuerySet[Order]:
    """Latest receipt first, with stages and exceptions at hand."""
    return newest_first(with_verdicts(filter_orders(filters)), "last_received_at", after=None)


def page_orders(filters: OrderFilters, *, cursor: str, size: int) -> Page[Order]:
    return page_of(with_verdicts(filter_orders(filters)), "last_received_at", cursor=cursor, size=size)


def with_verdicts(chosen: QuerySet[Order]) -> QuerySet[Order]:
    return chosen.prefetch_related("stages", "exceptions")


def find_order(order_id: str, *, merchant: str = "") -> Order:
    """Raises: NoSuchOrder, AmbiguousOrder (without `merchant`, when several have that id)."""
    if "\0" in order_id + merchant:
        raise NoSuchOrder
    chosen = with_verdicts(Order.objects.filter(order_id=order_id))
    found = list((chosen.filter(merchant=merchant) if merchant else chosen).order_by("merchant")[:20])
    if not found:
        raise NoSuchOrder
    if len(found) > 1:
        merchants = ", ".join(order.merchant for order in found)
        raise AmbiguousOrder(f"Several merchants have an order {order_id}: add ?merchant= with one of {merchants}.")
    return found[0]


def get_order(pk: int) -> Order:
    """Raises: NoSuchOrder."""
    order = with_verdicts(Order.objects.filter(pk=pk)).first()
    if order is None:
        raise NoSuchOrder
    return order


def history_of(order: Order) -> OrderHistory:
    events = order.events.order_by("effective_at", "source", "event_id")
    parcels = order.parcels.order_by("pk")
    return OrderHistory(order, stages_of(order.stages.all()), list(events), list(parcels))


def stages_of(stored: Iterable[Stage]) -> list[StageView]:
    known = {stage.name: stage for stage in stored}
    return [stage_view(name, known.get(name)) for name in STAGE_NAMES]


def stage_view(name: str, stage: Stage | None) -> StageView:
    if stage is None:
        return StageView(name, StageState.PENDING)
    warned = stage.severity == LOW and not stage.breached
    return StageView(
        name,
        stage.state,
        started_at=stage.started_at,
        ended_at=stage.ended_at,
        due_at=stage.due_at,
        breached=stage.breached,
        severity=stage.severity if stage.breached else None,
        at_risk_at=stage.at_risk_at,
        at_risk=warned and stage.state == StageState.RUNNING,
        saved=warned and stage.state == StageState.COMPLETED,
    )


def merchants_seen() -> list[str]:
    """The merchants that have orders, by name, a hundred at most: a walk from one to the next along an index."""
    text = """
    WITH RECURSIVE seen(merchant) AS (
      (SELECT min(merchant) FROM orders_order)
      UNION ALL
      SELECT (SELECT min(o.merchant) FROM orders_order o WHERE o.merchant > s.merchant) FROM seen s
      WHERE s.merchant IS NOT NULL)
    SELECT merchant FROM seen WHERE merchant IS NOT NULL LIMIT 100"""
    with connection.cursor() as cursor:
        cursor.execute(text)
        return [row[0] for row in cursor.fetchall()]
