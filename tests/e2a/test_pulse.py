"""The pulse: hints are gathered, sent at most once an interval for each tenant, and never wait for Redis."""

import threading
import time

import pytest

from e2a import pulse as pulses
from e2a.pulse import Pulse, group_of


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulses, "INTERVAL_SECONDS", 0.01)


class Listener:
    """Notes what is sent; `wait(n)` until n hints came."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.came = threading.Condition()

    def __call__(self, schema: str) -> None:
        with self.came:
            self.sent.append(schema)
            self.came.notify_all()

    def wait(self, count: int) -> bool:
        with self.came:
            return self.came.wait_for(lambda: len(self.sent) >= count, 5)


def test_many_touches_are_one_hint_a_tenant() -> None:
    sent: list[str] = []
    pulse = Pulse(sent.append)
    with pulse.lock:
        pulse.touched.update(["globex", "acme", "acme"])
    pulse.beat()
    pulse.beat()
    assert sent == ["acme", "globex"]


def test_touch_reaches_the_sender_by_its_own_thread() -> None:
    listener = Listener()
    pulse = Pulse(listener)
    pulse.touch("acme")
    assert listener.wait(1)
    pulse.touch("globex")
    assert listener.wait(2)
    assert listener.sent == ["acme", "globex"]
    assert pulse.thread is not None
    assert pulse.thread.daemon


def test_touch_never_waits_for_a_sender_that_hangs() -> None:
    let_go = threading.Event()
    pulse = Pulse(lambda schema: let_go.wait(5) or None)
    began = time.perf_counter()
    for _ in range(1000):
        pulse.touch("acme")
    assert time.perf_counter() - began < 1
    let_go.set()


def test_failed_sending_drops_the_hints_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[str] = []
    broken = True

    def send(schema: str) -> None:
        if broken:
            raise ConnectionError("redis is down")
        sent.append(schema)

    pulse = Pulse(send)
    pulse.touched.update(["acme", "globex"])
    pulse.beat()
    assert [record.getMessage() for record in caplog.records] == ["pulse not sent: ConnectionError"]
    broken = False
    pulse.touched.add("acme")
    pulse.beat()
    assert sent == ["acme"]


def test_thread_that_died_is_started_again_as_after_a_fork() -> None:
    listener = Listener()
    pulse = Pulse(listener)
    ended = threading.Thread(target=lambda: None)
    ended.start()
    ended.join()
    pulse.thread = ended
    pulse.touch("acme")
    assert listener.wait(1)


def test_group_carries_the_schema() -> None:
    assert group_of("acme") != group_of("globex")
