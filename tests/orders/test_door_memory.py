"""The API's memory does not grow with the events that it takes (the benchmark looks at ten times as many)."""

from tests.api_server import ApiServer, Sender
from tests.bench import load
from tests.bench.events import lives
from tests.bench.memory import batches
from tests.bench.place import memory_mib

WARM, EVENTS, CONNECTIONS = 20_000, 20_000, 8
MOST_GROWTH_MIB = 10.0  # of both processes together


def send(api: ApiServer, sender: Sender, events: int, name: str) -> None:
    """In batches of a hundred."""
    bodies = lives(events // 5, name=name)
    headers = {
        "Host": "127.0.0.1",
        "Authorization": f"Bearer {sender.key}",
        "X-Tenant-Id": "acme",
        "Content-Type": "application/json",
    }
    requests = [load.request("/events/batch", body, headers) for body in batches(bodies)]
    done = load.run(api.port, requests, connections=CONNECTIONS)
    assert set(done.statuses) == {"200"}


def test_memory_of_the_api_is_flat_over_twenty_thousand_events(api: ApiServer) -> None:
    sender = Sender()
    send(api, sender, WARM, "warm")
    before = memory_mib(api.process)
    send(api, sender, EVENTS, "counted")
    assert memory_mib(api.process) - before < MOST_GROWTH_MIB
