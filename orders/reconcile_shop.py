"""Reconciliation: asks the shop what its orders are, and puts through the door what its webhooks never told.

1. the orders that changed since the last time, with some overlap, a page at a time (network, no transaction open);
2. the events that each state implies, less what is stored: the same identity, or the same fact (type, parcel, instant);
3. the rest through the door; then `reconciled_until` moves to the last order of the page, so that a cut costs a page.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from e2a.postgresql.raw import database_now, raw_connection
from e2a.pulse import pulse
from orders.events import Incoming
from orders.ingest import NEW, ingest
from orders.judge import as_json
from orders.providers.delivery import Delivery
from orders.providers.reading import instant, objects
from orders.providers.shopify_body import waiting_number
from orders.providers.shopify_state import ShopOrder, implied_events, order_id_of
from orders.sources import Source, source_of_schema
from orders.statements import quoted, statements_of
from tenants.clients import CallError, ShopClient
from tenants.models import WebhookSource

logger = logging.getLogger(__name__)
OVERLAP = timedelta(minutes=10)
FIRST_LOOK = timedelta(days=30)
EVERY = timedelta(minutes=10)
AGAIN_AFTER_A_FAILURE = timedelta(minutes=2)
LOCK = 20_62  # the class of the advisory locks that a running reconciliation holds, one a source
ONCE = frozenset(
    {"order_created", "payment_confirmed", "order_cancelled"}
)  # one of a kind: whichever came first tells it
STORED = """
SELECT e.event_id, e.event_type, o.order_id, coalesce(e.detail->>'shipment', ''), e.occurred_at
FROM {s}.orders_order o JOIN {s}.orders_event e ON e.order_id = o.id
WHERE o.merchant = %(merchant)s AND o.order_id = ANY(%(orders)s) AND e.source = %(source)s"""
WAITING = """
SELECT DISTINCT tracking_number FROM {s}.orders_event
WHERE order_id IS NULL AND source = %(source)s AND tracking_number LIKE 'gid://%%'"""
ClientOf = Callable[[WebhookSource], ShopClient]
Fact = tuple[str, str, str, datetime | None]


class CannotReconcile(Exception):
    """The source has no shop to ask."""


@dataclass(slots=True)
class Reconciled:
    """What one run found. Not `whole`: its time was up, and the next run goes on."""

    orders: int = 0
    implied: int = 0
    missing: int = 0  # put through the door for the first time
    whole: bool = True


def client_of(row: WebhookSource) -> ShopClient:
    return ShopClient(row.api_url, row.api_token, allow_private=settings.E2A_ALLOW_PRIVATE_OUTGOING)


def due_sources(now: datetime) -> list[tuple[str, str]]:
    """(schema, source) of the shops that were not asked for a while, or that a person wants asked."""
    rows = WebhookSource.objects.filter(provider="shopify", active=True, tenant__active=True).exclude(api_url="")
    rested = Q(reconcile_tried_at=None) | Q(reconcile_tried_at__lt=now - AGAIN_AFTER_A_FAILURE)
    late = (Q(reconciled_until=None) | Q(reconciled_until__lte=now - EVERY)) & rested
    due = rows.filter(late | Q(reconcile_asked_at__isnull=False))
    return list(due.order_by("reconciled_until").values_list("tenant__schema_name", "name"))


def reconcile_source(
    schema: str, name: str, *, client_of: ClientOf = client_of, seconds: float | None = None
) -> Reconciled | None:
    """Stops after the page in which `seconds` have passed; the next run goes on from there.

    None if another process is at it. Raises: CannotReconcile, tenants.clients.CallError.
    """
    source = source_of_schema(schema, name)
    rows = WebhookSource.objects.select_related("tenant").filter(active=True)
    row = rows.filter(pk=source.pk).first() if source else None
    if source is None or row is None or row.provider != "shopify" or not row.api_url:
        raise CannotReconcile(f"“{name}” is no active Shopify source with the address of an Admin API.")
    key = {"class": LOCK, "key": row.pk}
    taken = raw_connection().execute("SELECT pg_try_advisory_lock(%(class)s, %(key)s::int)", key).fetchone()
    if not taken or not taken[0]:
        return None
    try:
        done = _reconcile(source, row, client_of(row), seconds)
        _note(row, missing=done.missing, whole=done.whole)
        return done
    except CallError as error:
        _note(row, error=str(error.args[0]))
        raise
    finally:
        raw_connection().execute("SELECT pg_advisory_unlock(%(class)s, %(key)s::int)", key)


def _reconcile(source: Source, row: WebhookSource, client: ShopClient, seconds: float | None) -> Reconciled:
    done, clock = Reconciled(), time.monotonic()
    began = database_now(raw_connection())
    since = (row.reconciled_until or began - FIRST_LOOK) - OVERLAP
    for page in client.orders_updated_since(since):
        states = [_state_of(client, order) for order in page if order.get("test") is not True]
        implied = [event for state in states for event in implied_events(_teller(source), state)]
        missing = list(without_stored(source, implied))
        done.orders += len(page)
        done.implied += len(implied)
        done.missing += _feed(source, missing)
        introduce(source, states)
        _remember(row, min(_last_update(page, began) + OVERLAP, began))
        if seconds is not None and time.monotonic() - clock > seconds:
            done.whole = False
            break
    else:
        _remember(row, began)
    if done.missing:
        logger.warning("%d events of %s/%s had never arrived", done.missing, source.tenant, source.name)
    return done


def _teller(source: Source) -> Delivery:
    return source.delivery(b"", {})


def _state_of(client: ShopClient, order: dict[str, Any]) -> ShopOrder:
    """The order and what hangs on it: as many calls as it has fulfillments, and two."""
    key = order_id_of(order)
    steps = [
        {"fulfillment_id": fulfillment["id"], **step}
        for fulfillment in objects(order.get("fulfillments"))
        if fulfillment.get("id")
        for step in client.fulfillment_events(key, str(fulfillment["id"]))
    ]
    return ShopOrder(order, client.transactions(key), client.fulfillment_orders(key), steps)


def without_stored(source: Source, implied: Sequence[Incoming]) -> Iterator[Incoming]:
    """Those that tell something new. Each fact once, too: the state may tell it in several ways."""
    ids, facts = stored_facts(source, sorted({event.order_id for event in implied}))
    for event in implied:
        fact = fact_of(event.event_type, event.order_id, (event.detail or {}).get("shipment", ""), event.occurred_at)
        if event.event_id not in ids and fact not in facts and is_news(fact, facts):
            ids.add(event.event_id)
            facts.add(fact)
            yield event


def is_news(fact: Fact, facts: set[Fact]) -> bool:
    """A release is news only to an order that is held, a corrected address only with a release."""
    kind, order, _, at = fact
    if kind == "address_corrected":
        return ("order_released", order, "", at) in facts
    kinds = [known[0] for known in facts if known[1] == order] if kind == "order_released" else []
    return kind != "order_released" or kinds.count("order_held") > kinds.count("order_released")


def stored_facts(source: Source, orders: Sequence[str]) -> tuple[set[str], set[Fact]]:
    wanted = {"merchant": source.merchant or "default", "orders": list(orders), "source": source.name}
    rows = raw_connection().execute(STORED.format(s=quoted(source.schema)), wanted).fetchall()
    return {row[0] for row in rows}, {fact_of(*row[1:]) for row in rows}


def fact_of(event_type: str, order: str, shipment: str, at: datetime) -> Fact:
    return event_type, order, shipment, None if event_type in ONCE else at.astimezone(UTC)


def _feed(source: Source, events: Sequence[Incoming]) -> int:
    fed = 0
    for start in range(0, len(events), 1_000):
        receipts = ingest(source.schema, events[start : start + 1_000], now=database_now(raw_connection()))
        fed += sum(receipt.status == NEW for receipt in receipts)
    return fed


def introduce(source: Source, states: Iterable[ShopOrder]) -> None:
    """Webhooks of fulfillment orders seldom name their order: those that wait by its id get to know it.

    They are given a parcel of that number, and the radar adopts them.
    """
    texts = statements_of(source.schema)
    text = WAITING.format(s=quoted(source.schema))
    waiting = {row[0] for row in raw_connection().execute(text, {"source": source.name}).fetchall()}
    merchant = source.merchant or "default"
    rows = [
        {"m": merchant, "o": order_id_of(state.order), "shipment": "", "carrier": "", "number": number}
        for state in states
        for found in state.fulfillment_orders
        if (number := waiting_number(str(found.get("id")))) in waiting
    ]
    if rows:
        raw_connection().execute(texts.write_parcels, {"parcels": as_json(rows)})


def _last_update(page: Iterable[dict[str, Any]], began: datetime) -> datetime:
    times = [instant(order["updated_at"], "UTC", "updated_at") for order in page if order.get("updated_at")]
    return min(max(times, default=began), began)


def _remember(row: WebhookSource, until: datetime) -> None:
    WebhookSource.objects.filter(pk=row.pk).update(reconciled_until=until)


def _note(row: WebhookSource, *, missing: int | None = None, whole: bool = True, error: str = "") -> None:
    """For the source's page. What a person asks for while a run is on is done by the next one."""
    same = WebhookSource.objects.filter(pk=row.pk)
    if whole:
        same.update(reconcile_tried_at=Now(), reconcile_missing=missing, reconcile_error=error[:300])
        same.filter(reconcile_asked_at=row.reconcile_asked_at).update(reconcile_asked_at=None)
    pulse.touch(row.tenant.schema_name)


def ask_to_reconcile(row: WebhookSource) -> None:
    """In the background, within seconds. Raises: CannotReconcile."""
    if row.provider != "shopify" or not row.api_url or not row.active:
        raise CannotReconcile(
            "Only an active Shopify source with the address of its Admin API can be compared with its shop."
        )
    WebhookSource.objects.filter(pk=row.pk, reconcile_asked_at=None).update(reconcile_asked_at=Now())
