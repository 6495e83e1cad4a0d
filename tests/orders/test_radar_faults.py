"""The radar killed before any of its statements and around its COMMIT, and a machine whose clock is wrong: nothing is lost, nothing doubled."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from e2a.postgresql.raw import database_now, raw_connection
from orders import radar
from orders.events import incoming
from orders.ingest import ingest, store_unjudged
from tenants.models import SlaPolicy, Tenant
from tests.connections import another_connection
from tests.live import ROOT, database_url
from tests.orders.door_cast import rows
from tests.orders.equal_state import state
from tests.orders.test_door_properties import read
from tests.orders.test_door_races import due_orders, event_at

ORDERS = 40


class Mortal:
    """A connection whose backend is killed just before its n-th statement, or before or after its n-th COMMIT."""

    def __init__(self, real: psycopg.Connection[Any], killer: psycopg.Connection[Any], lives: int, commit: str = "") -> None:
        self.real, self.killer, self.lives, self.commit = real, killer, lives, commit

    def __getattr__(self, name: str) -> Any:
        if name in ("execute", "cursor") and not self.commit:
            self.live_on()
        return getattr(self.real, name)

    def live_on(self) -> None:
        self.lives -= 1
        if self.lives == 0:
            self.die()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.real.transaction():
            yield
            if self.commit == "before":
                self.live_on()
        if self.commit == "after":
            self.live_on()

    def die(self) -> None:
        self.killer.execute("SELECT pg_terminate_backend(%s, 5000)", [self.real.info.backend_pid])


@pytest.fixture
def killer(committed: None) -> Iterator[psycopg.Connection[Any]]:
    with another_connection() as other:
        yield other


def dies(killer: psycopg.Connection[Any], lives: int = 0, commit: str = "") -> bool:
    """Whether a radar's claim was killed on its way."""
    connection: Any = Mortal(another_connection(), killer, lives, commit)
    try:
        radar.pass_claim(connection, "acme")
    except psycopg.OperationalError:
        return True
    finally:
        connection.real.close()
    return False


def test_radar_killed_before_any_statement_loses_and_doubles_nothing(
    killer: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radar, "CLAIM", ORDERS // 2)
    due_orders(ORDERS)
    before, deaths = state(), 0
    while dies(killer, deaths + 1):
        deaths += 1
        assert state() == before  # all or nothing
    assert deaths == 8
    assert rows("SELECT count(*) FROM {s}.exceptions_record") == [(ORDERS // 2,)]
    assert radar.pass_deadlines(raw_connection(), "acme") == ORDERS // 2
    assert rows("SELECT count(*), count(DISTINCT order_id) FROM {s}.exceptions_record") == [(ORDERS, ORDERS)]
    assert rows("SELECT kind, count(*) FROM {s}.exceptions_timelineentry GROUP BY 1") == [("opened", ORDERS)]
    assert rows("SELECT count(*) FROM {s}.orders_stage WHERE breached") == [(ORDERS,)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_radar_killed_around_its_commit_loses_and_doubles_nothing(
    killer: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(radar, "CLAIM", ORDERS // 2)
    due_orders(ORDERS)
    before = state()
    assert dies(killer, 1, when) == (when == "before")
    assert (state() == before) == (when == "before")
    assert radar.pass_deadlines(raw_connection(), "acme") == (ORDERS if when == "before" else ORDERS // 2)
    assert rows("SELECT count(*), count(DISTINCT order_id) FROM {s}.exceptions_record") == [(ORDERS, ORDERS)]
    assert rows("SELECT kind, count(*) FROM {s}.exceptions_timelineentry GROUP BY 1") == [("opened", ORDERS)]


RULES = {"rules": [{"name": "All", "targets": {
    "order_fulfillment": {"minutes": 60, "warn": {"share": 0.5, "open_exception": True}}}}]}  # fmt: skip


def left_behind(schema: str, name: str, now: datetime) -> None:
    """One order for each thing that the radar does: warn, find late, judge what a backfill left, set poison aside, adopt."""

    def put(minutes: int, kind: str, order: str, *, store: bool = False) -> None:
        at = now - timedelta(minutes=minutes)
        events = read([event_at(at, kind, f"{name}-{order}-{kind}", f"{name}-{order}")], at)
        if store:
            store_unjudged(schema, events, now=at, history=False)
        else:
            ingest(schema, events, now=at)

    for order, minutes in (("warned", 35), ("late", 61), ("poisoned", 35), ("carried", 61)):
        put(minutes, "order_created", order)
    put(61, "order_created", "bare", store=True)
    put(5, "payment_failed", "poisoned", store=True)
    carried = incoming(
        source="dhl", event_type="order_delivered", event_id=name, order_id="", occurred_at=now - timedelta(minutes=3),
        payload={}, merchant="default", detail=None, raw=b"", tracking_number=f"T-{name}",
    )  # fmt: skip
    ingest(schema, [carried], now=now)
    connection = raw_connection()
    connection.execute(
        f"""INSERT INTO "{schema}".orders_parcel (order_id, shipment_id, carrier, tracking_number)
        SELECT id, 'p', 'DHL', %s FROM "{schema}".orders_order WHERE order_id = %s""",
        [f"T-{name}", f"{name}-carried"],
    )
    connection.execute(
        f"""UPDATE "{schema}".orders_order SET fold_attempts = 5, fold_error = 'boom', fold_retry_at = %s WHERE order_id = %s""",
        [now - timedelta(minutes=4), f"{name}-poisoned"],
    )


def serve(connection: Any, schema: str) -> None:
    radar.serve(connection, schema, radar.Round(), due=True, unjudged=True, waiting=True)


def test_radar_killed_at_any_point_of_all_that_it_does_ends_where_an_undisturbed_one_does(
    killer: psycopg.Connection[Any],
) -> None:
    now = database_now(raw_connection())
    for tenant in Tenant.objects.filter(slug__in=["acme", "globex"]):
        SlaPolicy.objects.create(tenant=tenant, version=2, valid_from=now - timedelta(days=90), rules=RULES)
    deaths: dict[str, int] = {}
    for commit in ("", "before", "after"):
        for lives in range(1, 100):
            name = f"{commit or 'at'}-{lives}"
            for schema in ("acme", "globex"):
                left_behind(schema, name, now)
            mortal: Any = Mortal(another_connection(), killer, lives, commit)
            try:
                serve(mortal, "acme")
            except psycopg.OperationalError:
                deaths[commit] = lives
            finally:
                mortal.real.close()
            serve(raw_connection(), "acme")
            serve(raw_connection(), "globex")
            assert state("acme") == state("globex"), name
            if mortal.lives > 0:
                break
    assert deaths[""] >= 20 and deaths["before"] >= 4 and deaths["after"] >= 3
    for text in (
        "SELECT order_ref, reason_code, verdict, severity, status FROM {s}.exceptions_record ORDER BY 1, 2",
        "SELECT r.order_ref, t.kind FROM {s}.exceptions_timelineentry t JOIN {s}.exceptions_record r ON r.id = t.exception_id ORDER BY 1, 2",
        "SELECT source, reason, event_id, status, occurrences FROM {s}.orders_deadletter ORDER BY 3",
        "SELECT order_id, fold_attempts, fold_retry_at FROM {s}.orders_order ORDER BY 1",
    ):
        assert rows(text, "acme") == rows(text, "globex")
    kinds = rows("SELECT severity, count(*) FROM {s}.exceptions_record GROUP BY 1 ORDER BY 1")
    assert {severity for severity, _ in kinds} >= {"LOW", "MEDIUM"}
    assert rows("SELECT DISTINCT reason FROM {s}.orders_deadletter") == [("poison",)]


def radar_at(hours: int) -> "subprocess.Popen[str]":
    """`manage.py radar --once` in a process whose clock is that far off."""
    text = (
        "import sys, time, time_machine, django.core.management as management\n"
        f"with time_machine.travel(time.time() + {hours} * 3600, tick=True):\n"
        "    management.execute_from_command_line(['manage.py', 'radar', '--once', '--json'])"
    )
    environ = os.environ | {"DATABASE_URL": database_url()}
    return subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)


def test_radars_whose_clocks_are_an_hour_off_share_what_is_due_by_the_databases(committed: None) -> None:
    """One ahead, one behind; what is due within the hour is left alone by both."""
    late, early = 1_500, 3
    due_orders(late)
    now = database_now(raw_connection())
    ingest("acme", read([event_at(now, "order_created", f"f{n}", f"f{n}") for n in range(early)], now), now=now)
    processes = [radar_at(1), radar_at(-1)]
    said = [json.loads(process.communicate()[0].splitlines()[-1]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(each["judged"] for each in said) == late
    found = rows(
        """SELECT count(*), count(DISTINCT order_id), count(*) FILTER (WHERE order_ref LIKE 'f%%'),
          bool_and(first_seen_at BETWEEN clock_timestamp() - interval '2 minutes' AND clock_timestamp()) FROM {s}.exceptions_record"""
    )
    assert found == [(late, late, 0, True)]
    assert rows("SELECT kind, count(*) FROM {s}.exceptions_timelineentry GROUP BY 1") == [("opened", late)]
