"""Faults under load (RELIABILITY 2 and 3): whatever breaks, each event answered 2xx is one row, and the state is as if nothing had broken."""

import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.faults.extent import Extent
from tests.faults.installation import Installation
from tests.faults.load import LONGEST_ANSWER, Load
from tests.faults.proxy import BLACK_HOLE, DOWN, PASS
from tests.live import eventually

SETTLE_SECONDS = 30
BACK_SECONDS = 5  # after PostgreSQL is back, nobody is refused any more
pytestmark = pytest.mark.faults

STORED = 'SELECT event_id FROM "acme".orders_event WHERE order_ref LIKE %(prefix)s'
STAGES = """
SELECT o.order_id, o.status, o.held, s.name, s.state, s.started_at, s.ended_at, s.due_at, s.breached
FROM "{tenant}".orders_order o JOIN "{tenant}".orders_stage s ON s.order_id = o.id WHERE o.order_id LIKE %(prefix)s ORDER BY 1, 4"""
EXCEPTIONS = """
SELECT order_ref, reason_code, verdict, opened_at, ended_at, occurrence_count FROM "{tenant}".exceptions_record
WHERE order_ref LIKE %(prefix)s AND verdict <> 'none' ORDER BY 1, 2"""
WAITING = """
SELECT (SELECT count(*) FROM "acme".orders_order WHERE fold_retry_at IS NOT NULL OR last_received_at IS NULL),
  (SELECT count(*) FROM "acme".orders_event WHERE order_id IS NULL),
  (SELECT count(*) FROM "acme".orders_stage WHERE judge_at < clock_timestamp() - interval '5 seconds')"""


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    home = Path(tempfile.mkdtemp(prefix="e2a-faults-", dir="/tmp"))
    made = Installation(home)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


def check(installation: Installation, load: Load, prefix: str) -> None:
    """I1, I2 and I5: every answer in time, nothing lost, nothing doubled, the state that no fault would have given, nothing left waiting."""
    assert load.log.gave_up == []
    assert load.log.slowest < LONGEST_ANSWER
    assert set(load.log.refused) <= {503}
    load.repeat_in_calm()
    names = {"prefix": f"{prefix}-%"}
    stored = [event.removeprefix("~") for (event,) in installation.rows(STORED, **names)]  # an adapter marks its ids
    assert set(load.log.acknowledged) == {event["event_id"] for event in load.events}
    assert sorted(stored) == sorted(load.log.acknowledged)
    last: list[object] = []

    def settled() -> bool:
        last[:] = [
            (rows(installation, text, "acme", names), rows(installation, text, "calm", names))
            for text in (STAGES, EXCEPTIONS)
        ]
        return all(ours == calm for ours, calm in last) and installation.rows(WAITING) == [(0, 0, 0)]  # type: ignore[misc]

    eventually(settled, SETTLE_SECONDS, "the state differs from that of a run without faults")
    assert rows(installation, EXCEPTIONS, "acme", names)


def rows(installation: Installation, text: str, tenant: str, names: dict[str, str]) -> list[tuple[object, ...]]:
    return installation.rows(text.format(tenant=tenant), **names)


def test_api_is_killed_again_and_again(installation: Installation, extent: Extent) -> None:
    with Load(installation, "kill", orders=extent.orders, seconds=extent.load_seconds) as load:
        for _ in range(extent.rounds):
            time.sleep(1)
            installation.kill("api")
            installation.start_api()
    assert load.log.cut > 0
    check(installation, load, "kill")


@contextmanager
def api_alone(installation: Installation) -> Iterator[None]:
    """Nobody but the API commits meanwhile, so that the commit which is met is that of an event.

    It is started anew: a connection that has committed often sends a prepared statement's name, and its commits go unseen.
    """
    others = ("radar", "worker", "beat")
    for name in (*others, "api"):
        installation.kill(name)
    installation.start_api()
    try:
        yield
    finally:
        for name in others:
            installation.start_process(name)


def at_the_next_commit(installation: Installation, load: Load, act: Callable[[], None]) -> bool:
    """Whether one came; a slow machine's load may be over before."""
    proxy = installation.database_proxy
    proxy.on_commit = act
    eventually(lambda: proxy.on_commit is None or load.over(), 30, "no COMMIT came by")
    came = proxy.on_commit is None
    proxy.on_commit = None
    return came


def test_api_is_killed_between_the_commit_and_the_answer(installation: Installation, extent: Extent) -> None:
    """The event is stored, its sender never hears of it, and sends again."""
    with (
        api_alone(installation),
        Load(installation, "gap", orders=extent.orders // 2, seconds=extent.load_seconds) as load,
    ):
        for _ in range(extent.rounds):
            if not at_the_next_commit(installation, load, lambda: installation.kill("api")):
                break
            eventually(lambda: installation.processes["api"].poll() is not None, 10, "the API lives")
            installation.start_api()
    assert load.log.duplicates > 0
    check(installation, load, "gap")


def test_answers_to_commits_are_lost(installation: Installation, extent: Extent) -> None:
    with (
        api_alone(installation),
        Load(installation, "lost", orders=extent.orders // 2, seconds=extent.load_seconds) as load,
    ):
        lost = 0
        while lost < 2 * extent.rounds and at_the_next_commit(installation, load, lambda: None):
            lost += 1
            time.sleep(0.3)
    assert lost
    assert load.log.duplicates > 0  # the door asked again by itself, and found what it had stored
    check(installation, load, "lost")


def test_radar_worker_and_beat_are_killed(installation: Installation, extent: Extent) -> None:
    with Load(installation, "dead", orders=extent.orders, seconds=extent.load_seconds) as load:
        for name in ("radar", "worker", "beat"):
            installation.kill(name)
        time.sleep(extent.hang_seconds)
        for name in ("radar", "worker", "beat"):
            installation.start_process(name)
    assert load.log.refused == {}
    check(installation, load, "dead")


def test_redis_is_flushed_killed_and_hung(installation: Installation, extent: Extent) -> None:
    """No request waits for Redis: every answer comes in time, and none is refused."""
    with Load(installation, "redis", orders=extent.orders, seconds=extent.load_seconds + extent.hang_seconds) as load:
        redis.Redis(unix_socket_path=str(installation.home / "v" / "valkey.sock")).flushall()
        time.sleep(1)
        installation.kill("redis")
        time.sleep(2)
        installation.start_redis()
        installation.kill("redis", signal.SIGSTOP)
        time.sleep(extent.hang_seconds)
        installation.kill("redis", signal.SIGCONT)
    assert (load.log.refused, load.log.cut) == ({}, 0)
    check(installation, load, "redis")


def test_redis_connections_are_reset_and_swallowed(installation: Installation, extent: Extent) -> None:
    with Load(installation, "storm", orders=extent.orders // 2, seconds=extent.load_seconds) as load:
        for _ in range(4 * extent.rounds):
            installation.redis_proxy.reset()
            time.sleep(0.2)
        installation.redis_proxy.become(BLACK_HOLE)
        time.sleep(extent.hang_seconds / 2)
        installation.redis_proxy.become(PASS)
        installation.redis_proxy.reset()
    assert (load.log.refused, load.log.cut) == ({}, 0)
    check(installation, load, "storm")


def refused_only_meanwhile(load: Load, since: float, until: float) -> None:
    """503 with Retry-After, and nothing else, from when PostgreSQL was away until a moment after it was back."""
    assert set(load.log.refused) == {503}
    assert (load.log.without_retry_after, load.log.cut) == (0, 0)
    assert since <= min(load.log.refused_at) and max(load.log.refused_at) < until + BACK_SECONDS


def test_postgres_crashes(installation: Installation, extent: Extent) -> None:
    """Immediate shutdown: what was answered 2xx is there after recovery; meanwhile 503 with Retry-After, in time."""
    with Load(installation, "crash", orders=extent.orders, seconds=extent.load_seconds) as load:
        time.sleep(1.5)
        since = time.monotonic()
        installation.crash_postgres()
        time.sleep(2)
        installation.start_postgres()
        until = time.monotonic()
    refused_only_meanwhile(load, since, until)
    check(installation, load, "crash")


def test_postgres_hangs(installation: Installation, extent: Extent) -> None:
    with Load(installation, "hang", orders=extent.orders, seconds=extent.load_seconds) as load:
        time.sleep(1)
        since = time.monotonic()
        installation.kill("postgres", signal.SIGSTOP)
        time.sleep(extent.hang_seconds + 2)
        installation.kill("postgres", signal.SIGCONT)
        until = time.monotonic()
    refused_only_meanwhile(load, since, until)
    check(installation, load, "hang")


def test_postgres_refuses_connections(installation: Installation, extent: Extent) -> None:
    with Load(installation, "refuse", orders=extent.orders, seconds=extent.load_seconds) as load:
        time.sleep(1)
        since = time.monotonic()
        installation.database_proxy.become(DOWN)
        time.sleep(extent.hang_seconds + 1)
        installation.database_proxy.become(PASS)
        until = time.monotonic()
    refused_only_meanwhile(load, since, until)
    check(installation, load, "refuse")


def test_postgres_is_slow_and_comes_in_crumbs(installation: Installation, extent: Extent) -> None:
    with Load(installation, "slow", orders=extent.orders // 3, seconds=extent.load_seconds) as load:
        installation.database_proxy.latency = 0.05
        time.sleep(1.5)
        installation.database_proxy.latency, installation.database_proxy.slice_bytes = 0.0, 7
        time.sleep(1.5)
        installation.database_proxy.slice_bytes = 0
    check(installation, load, "slow")
