"""What a provider demands besides events: that a source stops, that personal data is erased (Shopify's compliance).

Erasing replaces personal data in stored payloads and dead letters; facts (types, times, ids, what the fold reads) and
content hashes stay, so verdicts and the recognition of duplicates do not change. An event in each order says so.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.db import transaction

from e2a.postgresql.raw import raw_connection
from e2a.pulse import pulse
from orders.events import Incoming
from orders.ingest import ingest
from orders.privacy import REDACTED, redacted
from orders.providers.delivery import Delivery, Demand
from orders.providers.reading import event, identity
from orders.providers.shopify import happening
from orders.sources import Source
from orders.statements import quoted
from tenants.models import WebhookSource

logger = logging.getLogger(__name__)
CHUNK = 500
FIND = """
SELECT e.id, e.merchant, e.order_ref, e.payload::json FROM {s}.orders_event e
WHERE e.source = %(source)s AND e.id > %(after)s AND (%(orders)s::text[] IS NULL OR e.order_ref = ANY(%(orders)s))
ORDER BY e.id LIMIT %(limit)s FOR UPDATE"""
REPLACE = """
UPDATE {s}.orders_event e SET payload = u.payload
FROM json_to_recordset(%(rows)s) u(id bigint, payload jsonb) WHERE e.id = u.id"""
FIND_LETTERS = "SELECT id, body, order_ref FROM {s}.orders_deadletter WHERE source = %(source)s ORDER BY id FOR UPDATE"
REPLACE_LETTER = "UPDATE {s}.orders_deadletter SET body = %(body)s WHERE id = %(id)s"


def meet(source: Source, demand: Demand, delivery: Delivery) -> None:
    """Does what was demanded, at once; doing it twice changes nothing."""
    match demand.kind:
        case "uninstalled":
            deactivate_source(source)
        case "report_orders":
            _record(source, delivery, [("default", order) for order in demand.orders], "personal_data_requested")
        case "redact_orders":
            redact(source, delivery, orders=demand.orders, marks=demand.customer)
        case "redact_shop":
            redact(source, delivery, orders=None, marks=())


def deactivate_source(source: Source) -> None:
    WebhookSource.objects.filter(pk=source.pk, active=True).update(active=False)
    logger.warning(
        "source %s of %s was switched off: its provider says that the app was uninstalled", source.name, source.tenant
    )
    pulse.touch(source.schema)


def redact(source: Source, delivery: Delivery, *, orders: Sequence[str] | None, marks: Sequence[str]) -> int:
    """Replaces personal data of these orders of the source, or of all (None). Returns how many events it touched."""
    if orders is not None and not orders:
        return 0
    touched: set[tuple[str, str]] = set()
    count = 0
    with transaction.atomic():
        for chunk in _chunks(source, orders):
            count += len(chunk)
            touched |= {(merchant, order) for _, merchant, order, _ in chunk if order}
            rows = [{"id": key, "payload": redacted(payload)} for key, _, _, payload in chunk]
            text = REPLACE.format(s=quoted(source.schema))
            raw_connection().execute(text, {"rows": msgspec.json.encode(rows).decode()})
        _redact_letters(source, orders, marks)
    _record(source, delivery, sorted(touched), "personal_data_redacted")
    logger.info("personal data of %d events of %s/%s was redacted", count, source.tenant, source.name)
    return count


def _chunks(source: Source, orders: Sequence[str] | None) -> Iterable[list[Any]]:
    after = 0
    wanted = {"source": source.name, "orders": list(orders) if orders is not None else None, "limit": CHUNK}
    text = FIND.format(s=quoted(source.schema))
    while rows := raw_connection().execute(text, {**wanted, "after": after}).fetchall():
        yield rows
        after = rows[-1][0]


def _redact_letters(source: Source, orders: Sequence[str] | None, marks: Sequence[str]) -> None:
    """A dead letter goes by the order's id, e-mail or phone in its text; one that is no JSON is emptied."""
    name = quoted(source.schema)
    rows = raw_connection().execute(FIND_LETTERS.format(s=name), {"source": source.name}).fetchall()
    signs = [sign.encode() for sign in (*(orders or ()), *marks)]
    for key, body, _order in rows:
        if orders is None or any(sign in bytes(body) for sign in signs):
            raw_connection().execute(REPLACE_LETTER.format(s=name), {"id": key, "body": _redacted_text(bytes(body))})


def _redacted_text(body: bytes) -> bytes:
    try:
        return msgspec.json.encode(redacted(msgspec.json.decode(body)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return REDACTED.encode()


def _record(source: Source, delivery: Delivery, orders: Iterable[tuple[str, str]], kind: str) -> None:
    """An event in each order, shown in its timeline: proof that it was done, and when."""
    events: list[Incoming] = [
        event(
            delivery,
            kind,
            identity(kind, order, happening(delivery)),
            at=None,
            payload={"source": source.name},
            order_id=order,
        )
        for _, order in orders
    ]
    for start in range(0, len(events), CHUNK):
        ingest(source.schema, events[start : start + CHUNK], now=source.now)
