"""Holds, releases and retractions by a person or by E²A itself: events of the source `e2a`, with the actor."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from e2a.postgresql.raw import database_now, raw_connection
from orders.ingest import DUPLICATE, NEW
from orders.selectors import NoSuchOrder
from orders.services import (
    AlreadyRetracted,
    NoSuchEvent,
    NoSuchHold,
    hold_order,
    release_order,
    retract_event,
)
from tests.orders.door_cast import event, rows, send, stored_events, stored_letters
from tests.programs import program

pytestmark = pytest.mark.django_db
OURS: dict[str, Any] = {"schema": "acme", "merchant": "default", "order_id": "1001", "actor": "user:ann"}


@pytest.fixture
def now() -> datetime:
    """An order that was packed, and a moment after it."""
    moment = database_now(raw_connection())
    sent = event(event_type="order_created", occurred_at=moment.isoformat())
    assert send(program("acme", "ingest"), sent).status_code == 201
    return moment + timedelta(seconds=1)


def due() -> list[Any]:
    return [row[0] for row in rows("SELECT due_at FROM {s}.orders_stage WHERE name = 'order_fulfillment'")]


def held() -> bool:
    return bool(rows("SELECT held FROM {s}.orders_order")[0][0])


def test_hold_stops_the_clocks_until_its_release(now: datetime) -> None:
    [before] = due()
    hold = hold_order(**OURS, now=now, reason="stock count")
    assert (held(), due()) == (True, [None])
    receipt = release_order(**OURS, hold_id=hold, now=now + timedelta(hours=1))
    assert receipt.status == NEW
    assert (held(), due()) == (False, [before + timedelta(hours=1)])
    told = rows("SELECT event_type, source, payload->>'actor' FROM {s}.orders_event ORDER BY id")
    assert told[1:] == [("order_held", "e2a", "user:ann"), ("order_released", "e2a", "user:ann")]


def test_same_key_again_changes_nothing(now: datetime) -> None:
    first = hold_order(**OURS, now=now, key="action-7")
    assert hold_order(**OURS, now=now + timedelta(seconds=9), key="action-7") == first
    releases = [release_order(**OURS, hold_id=first, now=now + timedelta(hours=n), key="action-8") for n in range(2)]
    assert [receipt.status for receipt in releases] == [NEW, DUPLICATE]
    assert (len(stored_events()), stored_letters()) == (3, [])


def test_a_hold_of_another_source_can_be_released(now: datetime) -> None:
    send(program("acme", "ingest"), event(2, event_type="order_held", payload={"hold_id": "wms-1"}))
    release_order(**OURS, hold_id="wms-1", now=now)
    assert not held()


def test_release_of_no_open_hold_is_refused_and_changes_nothing(now: datetime) -> None:
    with pytest.raises(NoSuchHold):
        release_order(**OURS, hold_id="none", now=now)
    hold = hold_order(**OURS, now=now)
    release_order(**OURS, hold_id=hold, now=now)
    with pytest.raises(NoSuchHold):
        release_order(**OURS, hold_id=hold, now=now)
    assert len(stored_events()) == 3


def test_unknown_order_is_refused_and_none_is_made(now: datetime) -> None:
    for other in ({"order_id": "none"}, {"merchant": "none"}, {"schema": "globex"}):
        with pytest.raises(NoSuchOrder):
            hold_order(**{**OURS, **other}, now=now)
        with pytest.raises(NoSuchOrder):
            release_order(**{**OURS, **other}, hold_id="x", now=now)
    assert (len(stored_events()), stored_events("globex")) == (1, [])


def test_retracted_event_of_any_source_is_judged_as_if_it_had_never_come(now: datetime) -> None:
    [before] = due()
    send(program("acme", "ingest"), event(2, event_type="order_fulfilled", occurred_at=now.isoformat()))
    assert rows("SELECT status FROM {s}.orders_order") == [("FULFILLED",)]
    retract_event(schema="acme", source="wms", event_id="evt-2", actor="user:ann", now=now, reason="wrong scan")
    assert rows("SELECT status FROM {s}.orders_order") == [("CREATED",)]
    assert due() == [before]


def test_retracting_twice_or_nothing_is_refused(now: datetime) -> None:
    ours = {"schema": "acme", "source": "wms", "event_id": "evt-1", "actor": "user:ann", "now": now}
    retract_event(**ours)
    with pytest.raises(AlreadyRetracted):
        retract_event(**ours)
    for other in ({"event_id": "none"}, {"source": "erp"}, {"schema": "globex"}):
        with pytest.raises(NoSuchEvent):
            retract_event(**{**ours, **other})
    assert len(stored_events()) == 2


def test_sender_cannot_retract_another_sources_event(now: datetime) -> None:
    payload = {"event_id": "evt-1", "of": "wms", "source": "wms"}
    send(program("acme", "ingest"), event(2, source="erp", event_type="event_retracted", payload=payload))
    assert len(due()) == 1
