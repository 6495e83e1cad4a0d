"""Whether the API's memory grows with the events that it has taken."""

from collections.abc import Iterator, Sequence

from tests.bench import load
from tests.bench.events import lives
from tests.bench.place import memory_mib
from tests.bench.server import CONNECTIONS, Server, headers_of

BATCH, ORDER_EVENTS = 100, 5


def memory(server: Server, key: str, events: int) -> list[tuple[str, str]]:
    """In batches of a hundred, at all connections at once. The first quarter warms the process up."""
    headers = headers_of(key)
    send(server, headers, events // 4, "warm-memory")
    before = memory_mib(server.process)
    send(server, headers, events, "memory")
    after = memory_mib(server.process)
    return [(f"memory of the API over {events:,} events, MiB", f"{before:.0f} → {after:.0f}")]


def send(server: Server, headers: dict[str, str], events: int, name: str) -> None:
    bodies = lives(events // ORDER_EVENTS, name=name)
    requests = [load.request("/events/batch", body, headers) for body in batches(bodies)]
    done = load.run(server.port, requests, connections=CONNECTIONS)
    assert set(done.statuses) == {"200"}, done.statuses


def batches(bodies: Sequence[bytes]) -> Iterator[bytes]:
    for start in range(0, len(bodies), BATCH):
        yield b'{"events":[' + b",".join(bodies[start : start + BATCH]) + b"]}"
