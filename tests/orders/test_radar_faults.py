"""The radar killed before any of its statements, and a machine whose clock is wrong: nothing is lost, nothing doubled."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from e2a.postgresql.raw import raw_connection
from orders import radar
from tests.connections import another_connection
from tests.orders.door_cast import rows
from tests.orders.equal_state import state
from tests.orders.test_door_races import due_orders

ORDERS = 40
HERE = Path(radar.__file__).parent


class Mortal:
    """A connection whose backend is killed just before its n-th statement, and at once after it where `after`."""

    def __init__(self, real: psycopg.Connection[Any], killer: psycopg.Connection[Any], lives: int) -> None:
        self.real, self.killer, self.lives = real, killer, lives

    def __getattr__(self, name: str) -> Any:
        if name in ("execute", "cursor"):
            self.lives -= 1
            if self.lives == 0:
                self.killer.execute("SELECT pg_terminate_backend(%s, 5000)", [self.real.info.backend_pid])
        return getattr(self.real, name)


@pytest.fixture
def killer(committed: None) -> Iterator[psycopg.Connection[Any]]:
    with another_connection() as other:
        yield other


def dies(killer: psycopg.Connection[Any], lives: int) -> bool:
    """Whether a radar's claim was killed on its way."""
    connection: Any = Mortal(another_connection(), killer, lives)
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


@pytest.mark.django_db
@pytest.mark.parametrize("hours", [-1, 1])
def test_machine_whose_clock_is_an_hour_off_judges_by_the_databases(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + hours * 3600)
    due_orders(3)
    assert radar.run_round().judged == 3
    late = "SELECT count(*) FROM {s}.exceptions_record r WHERE first_seen_at BETWEEN clock_timestamp() - interval '1 minute' AND clock_timestamp()"
    assert rows(late) == [(3,)]
    assert radar.run_round().judged == 0


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
