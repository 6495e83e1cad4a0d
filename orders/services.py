"""What people and E²A itself add to an order's course: an event of the source `e2a` that names its actor (CONTRACT 4).

It goes through the same door as every other event, so the fold judges it and the timeline shows it. `key` makes a call safe to
repeat: the same key again changes nothing.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from e2a.errors import Conflict, NotFound
from e2a.postgresql.raw import raw_connection
from orders.events import OWN_SOURCE, Incoming, incoming
from orders.facts import HELD, RELEASED, RETRACTED, Fact, standing
from orders.holds import open_holds
from orders.ingest import DUPLICATE, Receipt, ingest
from orders.selectors import NoSuchOrder
from orders.statements import quoted, statements_of

FIND_ORDER = "SELECT id FROM {s}.orders_order WHERE merchant = %(merchant)s AND order_id = %(order_id)s"
FIND_EVENT = """
SELECT o.merchant, o.order_id FROM {s}.orders_event e JOIN {s}.orders_order o ON o.id = e.order_id
WHERE e.source = %(source)s AND e.event_id = %(event_id)s AND NOT e.quarantined"""


class NoSuchEvent(NotFound):
    """There is no such event in any order."""


class NoSuchHold(Conflict):
    """The order has no open hold of this id; nothing was changed."""


class AlreadyRetracted(Conflict):
    """This event was retracted before; nothing was changed."""


def hold_order(
    *, schema: str, merchant: str, order_id: str, actor: str, now: datetime, reason: str = "", key: str = ""
) -> str:
    """Stops the order's clocks until the hold is released. Returns its hold id. Raises: NoSuchOrder."""
    find_order(schema, merchant, order_id)
    hold_id = f"e2a-{key or secrets.token_hex(8)}"[:128]
    said = {"hold_id": hold_id, "reason": reason[:200], "actor": actor}
    detail = dict(said)
    put(schema, own_event(HELD, f"held:{hold_id}", merchant, order_id, said, detail, now), now)
    return hold_id


def release_order(
    *,
    schema: str,
    merchant: str,
    order_id: str,
    hold_id: str,
    actor: str,
    now: datetime,
    reason: str = "",
    key: str = "",
) -> Receipt:
    """Ends a hold, whoever made it. Raises: NoSuchOrder, NoSuchHold."""
    facts = facts_of(schema, find_order(schema, merchant, order_id))
    event_id = short_id("released", key or f"{hold_id}:{secrets.token_hex(8)}")
    known = any((fact.source, fact.event_id) == (OWN_SOURCE, event_id) for fact in facts)
    if not known and hold_id not in open_holds(standing(facts)):
        raise NoSuchHold
    said = {"hold_id": hold_id, "reason": reason[:200], "actor": actor}
    detail = dict(said)
    return put(schema, own_event(RELEASED, event_id, merchant, order_id, said, detail, now), now)


def retract_event(*, schema: str, source: str, event_id: str, actor: str, now: datetime, reason: str = "") -> Receipt:
    """Has an event of any source judged as if it had never come. Raises: NoSuchEvent, AlreadyRetracted."""
    wanted = {"source": source, "event_id": event_id}
    row = raw_connection().execute(FIND_EVENT.format(s=quoted(schema)), wanted).fetchone()
    if row is None:
        raise NoSuchEvent
    merchant, order_id = row
    said = {"source": source, "event_id": event_id, "reason": reason[:200], "actor": actor}
    identity = short_id("retracted", f"{source}:{event_id}")
    if any(
        (fact.source, fact.event_id) == (OWN_SOURCE, identity) for fact in facts_of_order(schema, merchant, order_id)
    ):
        raise AlreadyRetracted
    detail = {"retracts": event_id, "of": source}
    receipt = put(schema, own_event(RETRACTED, identity, merchant, order_id, said, detail, now), now)
    if receipt.status == DUPLICATE:
        raise AlreadyRetracted
    return receipt


def find_order(schema: str, merchant: str, order_id: str) -> int:
    """The order's row. Raises: NoSuchOrder."""
    wanted = {"merchant": merchant, "order_id": order_id}
    row = raw_connection().execute(FIND_ORDER.format(s=quoted(schema)), wanted).fetchone()
    if row is None:
        raise NoSuchOrder
    return int(row[0])


def facts_of_order(schema: str, merchant: str, order_id: str) -> list[Fact]:
    return facts_of(schema, find_order(schema, merchant, order_id))


def facts_of(schema: str, order: int) -> list[Fact]:
    rows = raw_connection().execute(statements_of(schema).facts_by_ids, {"ids": [order]}).fetchall()
    return [Fact(*row[2:8]) for row in rows]


def own_event(
    event_type: str,
    event_id: str,
    merchant: str,
    order_id: str,
    said: Mapping[str, Any],
    detail: dict[str, Any],
    now: datetime,
) -> Incoming:
    """Its identity is its content, so that a call repeated at a later moment is a duplicate and no conflict."""
    event = incoming(
        source=OWN_SOURCE,
        event_type=event_type,
        event_id=event_id,
        order_id=order_id,
        occurred_at=now,
        payload=said,
        merchant=merchant,
        detail=detail,
        raw=b"",
    )
    event.content_hash = blake2b(f"{merchant} {order_id} {event_id}".encode(), digest_size=16).digest()
    return event


def put(schema: str, event: Incoming, now: datetime) -> Receipt:
    return ingest(schema, [event], now=now)[0]


def short_id(kind: str, text: str) -> str:
    """An event id of at most 128 visible characters, the same for the same text."""
    plain = f"{kind}:{text}"
    visible = plain.isascii() and plain.isprintable() and " " not in plain
    return plain if visible and len(plain) <= 128 else f"{kind}:{blake2b(text.encode(), digest_size=16).hexdigest()}"
