"""Many senders at once, over HTTP, at the API's own server: nothing lost, nothing twice, nobody held up."""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import pytest

from e2a.postgresql.raw import database_now, raw_connection
from e2a.stack.processes import API_THREADS, API_WORKERS
from orders.ingest import ingest
from tenants.models import Tenant
from tenants.services import create_api_key
from tests.api_server import ApiServer
from tests.live import eventually
from tests.orders.door_cast import rows, stored_letters
from tests.orders.equal_state import judge_again, state, versions
from tests.orders.test_door_properties import read

SENDERS, ORDERS = 20, 800
KINDS = ("order_created", "payment_confirmed", "payment_failed", "inventory_allocated", "order_packed", "order_held",
         "order_released", "order_fulfilled", "order_delivered", "order_cancelled", "address_invalid")  # fmt: skip


class Client:
    """One keep-alive connection of a tenant's program. `statuses` are all that it was answered, `seconds` how long each took."""

    def __init__(self, api: ApiServer, slug: str) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
        key = create_api_key(tenant=Tenant.objects.get(slug=slug), scopes=["ingest"]).key
        self.headers = {"Authorization": f"Bearer {key}", "X-Tenant-Id": slug, "Content-Type": "application/json"}
        self.statuses: set[int] = set()
        self.seconds: list[float] = []

    def send(self, path: str, body: bytes) -> dict[str, Any]:
        began = time.perf_counter()
        self.http.request("POST", path, body, self.headers)
        answer = self.http.getresponse()
        said: dict[str, Any] = json.loads(answer.read())
        self.seconds.append(time.perf_counter() - began)
        self.statuses.add(answer.status)
        return said


def events_of(sender: int, events: int, now: datetime) -> list[bytes]:
    """Of orders that all senders share. Every deadline lies hours from now, so that no verdict depends on the minute."""
    dice = random.Random(sender)
    return [
        json.dumps(
            {
                "source": f"s{sender}",
                "event_type": dice.choice(KINDS),
                "event_id": f"e{number}",
                "order_id": f"o{dice.randrange(ORDERS)}",
                "occurred_at": (now - timedelta(minutes=dice.randint(30 * 60, 60 * 60))).isoformat(),
                "payload": {"hold_id": dice.choice("ab")},
            }
        ).encode()
        for number in range(events)
    ]


def deliver(client: Client, bodies: list[bytes], seed: int) -> None:
    """Each one to five times, shuffled, some alone and most in batches."""
    dice = random.Random(seed)
    sent = [body for body in bodies for _ in range(dice.randint(1, 5))]
    dice.shuffle(sent)
    while sent:
        size = dice.choice((1, 1, 20, 100))
        part, sent = sent[:size], sent[size:]
        if size == 1:
            client.send("/events", part[0])
        else:
            said = client.send("/events/batch", b'{"events":[' + b",".join(part) + b"]}")
            assert said["rejected"] == []


def all_at_once(clients: list[Client], work: Callable[[Client], None]) -> None:
    """Each client does it on a thread of its own, and hangs up."""
    with ThreadPoolExecutor(len(clients)) as pool:
        for done in [pool.submit(work, client) for client in clients]:
            done.result()
    for client in clients:
        client.http.close()


@pytest.mark.parametrize(
    "events", [300, pytest.param(10_000, marks=[pytest.mark.faults_long, pytest.mark.timeout(1800)])]
)
def test_twenty_senders_leave_each_event_once_and_the_state_of_the_run_in_order(api: ApiServer, events: int) -> None:
    now = database_now(raw_connection())
    bodies = [events_of(sender, events, now) for sender in range(SENDERS)]
    clients = [Client(api, "acme") for _ in bodies]
    all_at_once(clients, lambda client: deliver(client, bodies[clients.index(client)], clients.index(client)))
    assert set().union(*(client.statuses for client in clients)) == {200, 201}
    total = SENDERS * events
    assert rows("SELECT count(*), count(DISTINCT (source, event_id)) FROM {s}.orders_event") == [(total, total)]
    assert stored_letters() == []
    found, before = state(), versions()
    assert all(order[-1] for order in found[0])
    judge_again()
    assert versions() == before
    in_order = sorted((body for each in bodies for body in each), key=lambda body: json.loads(body)["occurred_at"])
    for start in range(0, total, 1_000):
        ingest("globex", read(in_order[start : start + 1_000], now), now=now)
    assert state("globex") == found


def test_noisy_tenant_does_not_slow_another(api: ApiServer) -> None:
    """How many of the noisy one's batches are answered while the quiet one waits for an event: those that were being worked on
    when it came, and no others, though 32 stand in line.
    """
    now = database_now(raw_connection())
    bodies = events_of(0, 300, now)
    batch = b'{"events":[' + b",".join(bodies[:100]) + b"]}"
    noisy = [Client(api, "acme") for _ in range(32)]
    quiet, over = Client(api, "globex"), threading.Event()
    overtaken: list[int] = []

    def answered() -> int:
        return sum(len(client.seconds) for client in noisy)

    def crowd(client: Client) -> None:
        while not over.is_set():
            client.send("/events/batch", batch)

    def alone() -> None:
        try:
            eventually(lambda: all(client.seconds for client in noisy), 60, "the crowd never stood in line")
            for body in bodies[:15]:
                before = answered()
                quiet.send("/events", body)
                overtaken.append(answered() - before)
        finally:
            over.set()

    all_at_once([quiet, *noisy], lambda client: alone() if client is quiet else crowd(client))
    assert quiet.statuses == {201}
    at_work = API_WORKERS * API_THREADS
    assert median(overtaken) <= 1.5 * at_work < len(noisy) / 2, overtaken
