"""Lines take turns, and no job is lost."""

import threading

from e2a.fair_queue import FairQueue


def test_a_crowd_keeps_nobody_else_waiting() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(100):
        queue.put("noisy", f"noisy {number}")
    queue.put("quiet", "quiet 0")
    queue.put("quiet", "quiet 1")
    assert [queue.get() for _ in range(4)] == ["noisy 0", "quiet 0", "noisy 1", "quiet 1"]
    assert [queue.get() for _ in range(98)] == [f"noisy {number}" for number in range(2, 100)]
    assert not queue.lines


def test_each_job_is_got_once_whoever_asks() -> None:
    queue: FairQueue[int] = FairQueue()
    got: list[int] = []
    takers = [threading.Thread(target=lambda: got.extend(queue.get() for _ in range(250))) for _ in range(4)]
    for taker in takers:
        taker.start()
    for number in range(1000):
        queue.put(str(number % 7), number)
    for taker in takers:
        taker.join(10)
    assert sorted(got) == list(range(1000))
