"""What holds in the database for any events: no order of arrival, no duplicate and no batching changes the state (CONTRACT 4)."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import transaction
from django_tenants.utils import schema_context
from hypothesis import given, settings
from hypothesis import strategies as st

from e2a.postgresql.raw import database_now, raw_connection
from exceptions.services import resolve_exception
from orders.events import Incoming, decode_event, prepare
from orders.ingest import ingest
from tenants.models import Tenant
from tests.orders.door_cast import rows
from tests.orders.equal_state import judge_again, state, versions
from tests.orders.test_sla_properties import TYPES

DAY = 24 * 60
MINUTES_AGO = st.integers(min_value=1, max_value=60) | st.integers(min_value=1, max_value=6 * DAY)


@st.composite
def payloads(draw: st.DrawFn, kind: str, now: datetime) -> dict[str, Any]:
    if kind in ("order_created", "order_updated") and draw(st.booleans()):
        promise = draw(
            st.none() | MINUTES_AGO.map(lambda minutes: (now - timedelta(minutes=minutes - DAY)).isoformat())
        )
        return {"promised_delivery_at": promise}
    if kind in ("order_held", "order_released"):
        return {"hold_id": draw(st.sampled_from(["a", "b"]))}
    if kind in ("order_fulfilled", "order_delivered") and draw(st.booleans()):
        return {"shipment_id": draw(st.sampled_from(["p1", "p2"]))}
    if kind == "order_refunded":
        return {"full": draw(st.booleans())}
    return {"event_id": draw(st.sampled_from(["e0", "e1", "e2"]))} if kind == "event_retracted" else {"note": "é"}


@st.composite
def histories(draw: st.DrawFn, now: datetime) -> list[bytes]:
    """1 to 10 events of two orders, from two sources."""
    bodies = []
    for number in range(draw(st.integers(min_value=1, max_value=10))):
        kind = draw(st.sampled_from(TYPES))
        body = {
            "source": draw(st.sampled_from(["wms", "shop"])),
            "event_type": kind,
            "event_id": f"e{number}",
            "order_id": draw(st.sampled_from(["1001", "1001", "1002"])),
            "occurred_at": (now - timedelta(minutes=draw(MINUTES_AGO))).isoformat(),
            "payload": draw(payloads(kind, now)),
        }
        bodies.append(msgspec.json.encode(body))
    return bodies


def read(bodies: Sequence[bytes], now: datetime) -> list[Incoming]:
    return [prepare(decode_event(raw), raw=raw, now=now) for raw in bodies]


def batched(bodies: list[bytes], dice: random.Random) -> Iterator[list[bytes]]:
    while bodies:
        size = dice.randint(1, len(bodies))
        yield bodies[:size]
        bodies = bodies[size:]


@contextmanager
def undone() -> Iterator[None]:
    """All that happens inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def now(acme: Tenant) -> datetime:
    return database_now(raw_connection())


@settings(max_examples=60)
@given(data=st.data(), seed=st.integers(min_value=0, max_value=2**32))
def test_any_arrival_gives_equal_state_and_judging_again_writes_nothing(
    now: datetime, data: st.DataObject, seed: int
) -> None:
    dice = random.Random(seed)
    bodies = data.draw(histories(now))
    with undone():
        for body in bodies:
            ingest("acme", read([body], now), now=now)
        expected, before = state(), versions()
        judge_again()
        assert versions() == before
    sent = bodies + dice.choices(bodies, k=dice.randrange(6))
    dice.shuffle(sent)
    with undone():
        for batch in batched(sent, dice):
            ingest("acme", read(batch, now), now=now)
        assert state() == expected
    with undone():
        ingest("acme", read(sent, now), now=now)
        assert state() == expected
        before = versions()
        ingest("acme", read(bodies, now), now=now)
        judge_again()
        assert versions() == before
    assert rows("SELECT count(*) FROM {s}.orders_event", "globex") == [(0,)]


@settings(max_examples=25)
@given(data=st.data())
def test_a_persons_decision_survives_judging_and_duplicates(now: datetime, data: st.DataObject) -> None:
    bodies = data.draw(histories(now))
    with undone():
        ingest("acme", read(bodies, now), now=now)
        found = rows("SELECT id FROM {s}.exceptions_record WHERE status <> 'RESOLVED' ORDER BY id")
        resolve_all(found, now)
        before = versions()
        ingest("acme", read(bodies, now), now=now)
        judge_again()
        assert versions() == before
        kept = rows("SELECT id FROM {s}.exceptions_record WHERE resolved_by = 'person' ORDER BY id")
        assert kept == found


def resolve_all(found: list[Any], now: datetime) -> None:
    with schema_context("acme"):
        for (key,) in found:
            resolve_exception(exception_id=key, resolution="manual", actor="user:ann", now=now)


def test_an_older_look_at_the_clock_takes_no_breach_back(now: datetime) -> None:
    created = event_at(now - timedelta(minutes=31), "order_created", "e1")
    ingest("acme", read([created], now), now=now)
    earlier = now - timedelta(minutes=5)
    ingest("acme", read([event_at(earlier, "gift_wrapped", "e2")], earlier), now=earlier)
    assert rows("SELECT reason_code, verdict, occurrence_count FROM {s}.exceptions_record") == [
        ("PAYMENT_DELAY", "active", 1)
    ]
    assert rows("SELECT kind FROM {s}.exceptions_timelineentry") == [("opened",)]


def event_at(when: datetime, kind: str, event_id: str, order: str = "1001", payload: Any = None) -> bytes:
    body = {"source": "wms", "event_type": kind, "event_id": event_id, "order_id": order, "payload": payload or {}}
    return msgspec.json.encode({**body, "occurred_at": when.isoformat()})
