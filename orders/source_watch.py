"""Watching the sources: silence and missing order numbers become events of our own, and so problems like any other.

They belong to an order that stands for the source (`source:NAME`): one exception per source and reason, opened and
resolved by the fold, with the same timeline, list and page as every exception.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Any

from e2a.postgresql.raw import database_now, raw_connection
from orders.events import ADAPTER_MARK, OWN_SOURCE, Incoming, incoming
from orders.ingest import ingest
from orders.source_health import SourceHealth, source_health
from orders.statements import quoted
from tenants.models import Tenant

MARK = "source:"
SILENT, HEARD = "source_silent", "source_heard"
MISSING, COMPLETE = "order_numbers_missing", "order_numbers_complete"
LATEST = """
SELECT DISTINCT ON (o.order_id, left(e.event_type, 6)) o.order_id, e.event_type
FROM {s}.orders_order o JOIN {s}.orders_event e ON e.order_id = o.id
WHERE o.order_id = ANY(%(orders)s) AND e.source = 'e2a' AND e.event_type = ANY(%(types)s)
ORDER BY o.order_id, left(e.event_type, 6), e.id DESC"""


def watch_sources(schema: str) -> int:
    """Tells what has changed since the last look. Returns how many events that took."""
    tenant = Tenant.objects.get(schema_name=schema)
    now = database_now(raw_connection())
    found = source_health(schema, tenant.slug)
    told = _told(schema, [source.name for source in found])
    events = [event for source in found for event in _news(source, told, now)]
    if events:
        ingest(schema, events, now=now)
    return len(events)


def _told(schema: str, names: list[str]) -> set[tuple[str, str]]:
    """(order, type) of the last thing that was told of each source: the trouble, or that it is over."""
    wanted = {"orders": [MARK + name for name in names], "types": [SILENT, HEARD, MISSING, COMPLETE]}
    rows = raw_connection().execute(LATEST.format(s=quoted(schema)), wanted).fetchall()
    return {(order, kind) for order, kind in rows}


def _news(source: SourceHealth, told: set[tuple[str, str]], now: datetime) -> list[Incoming]:
    order = MARK + source.name
    was_silent, was_missing = (order, SILENT) in told, (order, MISSING) in told
    news: list[Incoming] = []
    if source.silent_since and not was_silent:
        since = source.silent_since.isoformat()
        news.append(_event(source, SILENT, since, now, {"silent_since": since}))
    if was_silent and not source.silent_since:
        news.append(_event(source, HEARD, str(source.last_received_at), now, {}))
    ranges = [list(gap) for gap in source.gaps]
    if ranges and not was_missing:
        news.append(_event(source, MISSING, str(ranges), now, {"missing": ranges, "orders": source.missing_orders}))
    if was_missing and not ranges:
        news.append(_event(source, COMPLETE, now.isoformat(), now, {}))
    return news


def _event(source: SourceHealth, kind: str, key: str, now: datetime, payload: dict[str, Any]) -> Incoming:
    digest = blake2b(key.encode(), digest_size=8).hexdigest()
    return incoming(
        source=OWN_SOURCE,
        event_type=kind,
        event_id=f"{ADAPTER_MARK}{kind}:{source.name}:{digest}:{now:%Y%m%dT%H%M%S}",
        order_id=MARK + source.name,
        occurred_at=now,
        payload=payload,
        merchant="default",
        detail=None,
        raw=b"",
    )
