"""The radar killed before any of its statements and around its COMMIT, and a machine whose clock is wrong: nothing is lost, nothing doubled."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from e2a.postgresql.raw import database_now, raw_connection
from orders import radar
from orders.ingest import ingest
from tests.connections import another_connection
from tests.live import ROOT, database_url
from tests.orders.door_cast import rows
from tests.orders.equal_state import state
from tests.orders.test_door_properties import read
from tests.orders.test_door_races import due_orders, event_at

ORDERS = 40
HERE = Path(radar.__file__).parent


class Mortal:
    """A connection whose backend is killed just before its n-th statement, or before or after its COMMIT."""

    def __init__(self, real: psycopg.Connection[Any], killer: psycopg.Connection[Any], lives: int, commit: str) -> None:
        self.real, self.killer, self.lives, self.commit = real, killer, lives, commit

    def __getattr__(self, name: str) -> Any:
        if name in ("execute", "cursor"):
            self.lives -= 1
            if self.lives == 0:
                self.die()
        return getattr(self.real, name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.real.transaction():
            yield
            if self.commit == "before":
                self.die()
        if self.commit == "after":
            self.die()

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
    assert dies(killer, commit=when) == (when == "before")
    assert (state() == before) == (when == "before")
    assert radar.pass_deadlines(raw_connection(), "acme") == (ORDERS if when == "before" else ORDERS // 2)
    assert rows("SELECT count(*), count(DISTINCT order_id) FROM {s}.exceptions_record") == [(ORDERS, ORDERS)]
    assert rows("SELECT kind, count(*) FROM {s}.exceptions_timelineentry GROUP BY 1") == [("opened", ORDERS)]


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


def test_nothing_that_judges_reads_the_clock_of_the_machine() -> None:
    clock = re.compile(r"datetime\.now|timezone\.now|utcnow|time\.time\(|date\.today")
    judging = [
        "radar",
        "judge",
        "sla",
        "clocks",
        "deadlines",
        "stages",
        "pauses",
        "holds",
        "problems",
        "facts",
        "ingest",
        "storing",
    ]
    assert [name for name in judging if clock.search((HERE / f"{name}.py").read_text())] == []
