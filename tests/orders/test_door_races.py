"""Races at the door, with really committed rows on connections of their own."""

import io
import json
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import pytest
from django.db import connection

from e2a.postgresql.raw import database_now, raw_connection
from orders import backfill as backfills
from orders import radar
from orders.backfill import BACKFILL_LOCK, backfill
from orders.ingest import DUPLICATE, NEW, ingest
from orders.radar import run_round
from tests.connections import another_connection
from tests.orders.door_cast import event, rows
from tests.orders.equal_state import judge_again, state, versions
from tests.orders.test_door_properties import event_at, read

T = TypeVar("T")

pytestmark = pytest.mark.usefixtures("committed")


def test_radar_keeps_off_and_a_second_backfill_is_refused_while_one_runs() -> None:
    file = io.BytesIO(json.dumps(event(event_type="order_created", occurred_at="2020-01-01T00:00:00Z")).encode())
    sent = backfills.event_of(backfills.Line(1, file.getvalue(), False), database_now(raw_connection()))
    with another_connection() as other:
        other.execute("SELECT pg_advisory_lock(%s, hashtext('acme'))", [BACKFILL_LOCK])
        with pytest.raises(backfills.Busy):
            backfill("acme", file)
        backfills.store_unjudged("acme", [sent], now=database_now(raw_connection()), history=True)
        assert run_round().refolded == 0
        other.execute("SELECT pg_advisory_unlock_all()")
    assert run_round().refolded == 1
    assert backfill("acme", file).duplicates == 1


def on_threads(work: Sequence[Callable[[], T]]) -> list[T]:
    """Each on a thread with a connection of its own, all at once. Raises what any of them raised."""
    start = threading.Barrier(len(work))

    def run(each: Callable[[], T]) -> T:
        try:
            start.wait(10)
            return each()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))


def test_eight_threads_with_overlapping_batches_lose_no_event_and_see_no_deadlock() -> None:
    now = database_now(raw_connection())
    kinds = ["order_created", "payment_confirmed", "payment_failed", "order_held", "order_packed", "order_fulfilled"]
    bodies = [
        json.dumps(
            event(
                f"{order}-{kind}",
                order_id=str(order),
                event_type=kind,
                occurred_at=(now - timedelta(hours=30 - n)).isoformat(),
            )
        ).encode()
        for order in range(40)
        for n, kind in enumerate(kinds)
    ]

    def sender(seed: int) -> Callable[[], int]:
        def work() -> int:
            dice, stored = random.Random(seed), 0
            for _ in range(6):
                batch = read(dice.sample(bodies, 120), now)
                stored += sum(receipt.status == NEW for receipt in ingest("acme", batch, now=now))
            return stored

        return work

    new = sum(on_threads([sender(seed) for seed in range(8)]))
    assert rows("SELECT count(*), count(DISTINCT event_id) FROM {s}.orders_event") == [(new, new)]
    at_once = versions()
    judge_again()
    assert versions() == at_once  # no event was missing from a fold
    again = ingest("acme", read(bodies, now), now=now)
    stored = rows("SELECT count(*), count(DISTINCT event_id) FROM {s}.orders_event")
    assert stored == [(len(bodies), len(bodies))]
    assert {receipt.status for receipt in again} <= {NEW, DUPLICATE}
    found, before = state(), versions()
    assert all(order[-1] for order in found[0])
    judge_again()
    assert versions() == before
    ingest("globex", read(bodies, now), now=now)
    assert state("globex") == found


def due_orders(count: int) -> None:
    """Orders whose payment has just become late, unnoticed so far."""
    now = database_now(raw_connection())
    ingest("acme", read([event_at(now, "order_created", f"e{n}", f"o{n}") for n in range(count)], now), now=now)
    raw_connection().execute(
        """UPDATE "acme".orders_stage SET due_at = due_at - interval '31 minutes', judge_at = judge_at - interval '31 minutes'
        WHERE name = 'payment_processing'"""
    )


def test_two_radars_share_the_work_and_do_none_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radar, "CLAIM", 20)
    due_orders(300)
    done = on_threads([lambda: radar.pass_deadlines(raw_connection(), "acme")] * 2)
    assert sum(done) == 300
    assert rows("SELECT count(*) FROM {s}.orders_stage WHERE breached") == [(300,)]
    assert rows("SELECT kind, count(*) FROM {s}.exceptions_timelineentry GROUP BY 1") == [("opened", 300)]


def test_radar_and_door_at_once_leave_the_state_that_judging_again_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radar, "CLAIM", 20)
    due_orders(200)
    now = database_now(raw_connection())
    paid = [event_at(now, "payment_failed", f"p{n}", f"o{n}") for n in range(200)]

    def send() -> int:
        return sum(
            receipt.status == NEW
            for n in range(0, 200, 10)
            for receipt in ingest("acme", read(paid[n : n + 10], now), now=now)
        )

    on_threads(
        [
            send,
            lambda: radar.pass_deadlines(raw_connection(), "acme"),
            lambda: radar.pass_deadlines(raw_connection(), "acme"),
        ]
    )
    judge_again()  # the deadlines were moved by hand: this puts them back
    found = rows("SELECT reason_code, count(*) FROM {s}.exceptions_record WHERE verdict <> 'none' GROUP BY 1")
    assert found == [("PAYMENT_FAILED", 200)]
    before = versions()
    judge_again()
    assert versions() == before
