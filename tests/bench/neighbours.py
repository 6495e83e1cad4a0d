"""What a tenant of few events feels of one that sends without pause, through the same API server."""

import json
import multiprocessing
import time
from itertools import count

from tenants.models import Tenant
from tenants.services import create_api_key, create_tenant
from tests.bench import load
from tests.bench.events import lives
from tests.bench.place import Place
from tests.bench.server import CONNECTIONS, Server, headers_of

QUIET_PER_SECOND = 25
QUIET_ORDERS = 60  # five events each
NOISE_ORDERS = 200  # at a time
SETTLING_SECONDS = 2.0


def neighbours(place: Place, key: str) -> list[tuple[str, str]]:
    """The quiet one's events by the clock, alone and then beside the other one's 32 connections in a closed loop."""
    create_tenant(slug="quiet", sla=json.loads('{"order_fulfillment_hours": 24}'))
    own = create_api_key(tenant=Tenant.objects.get(slug="quiet"), scopes=["ingest"]).key
    server = Server(place)
    quiet(server, own, "warm")
    alone = quiet(server, own, "alone")
    noise = multiprocessing.get_context("fork").Process(target=make_noise, args=(server.port, key), daemon=True)
    noise.start()
    time.sleep(SETTLING_SECONDS)
    beside = quiet(server, own, "beside")
    assert noise.is_alive(), "the noisy tenant was refused"
    noise.kill()
    noise.join()
    server.stop()
    return [
        ("a quiet tenant's event alone, median and p99, ms", figures_of(alone)),
        ("  beside one that sends at 32 connections without pause", figures_of(beside)),
    ]


def quiet(server: Server, key: str, name: str) -> load.Result:
    headers = headers_of(key, "quiet")
    requests = [load.request("/events", body, headers) for body in lives(QUIET_ORDERS, name=name)]
    done = load.run(server.port, requests, connections=4, rate=QUIET_PER_SECOND)
    assert set(done.statuses) == {"201"}, done.statuses
    return done


def make_noise(port: int, key: str) -> None:
    headers = headers_of(key)
    for turn in count():
        bodies = lives(NOISE_ORDERS, name=f"noise-{turn}")
        done = load.run(port, [load.request("/events", body, headers) for body in bodies], connections=CONNECTIONS)
        assert set(done.statuses) == {"201"}, done.statuses


def figures_of(done: load.Result) -> str:
    return f"{done.percentile(0.5) * 1000:.1f}, {done.percentile(0.99) * 1000:.1f}"
