"""Limits: how much a tenant, a source and an address may send, and that none slows another."""

from contextlib import suppress
from typing import Any

import pytest
from django.http import HttpResponse

from e2a.errors import TooMany
from orders import limits as module
from orders import webhooks
from orders.api import events as api
from orders.limits import BURST_SECONDS, Buckets, Limits
from tenants.models import Tenant
from tests.orders.door_cast import event, said, send, send_batch, stored_events, stored_letters
from tests.orders.providers.shopify_cast import order
from tests.orders.webhook_cast import shopify, source, stored
from tests.programs import program


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def narrow(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Limits:
    """One event a second of a tenant or a source, so four at once."""
    made = Limits(tenant=1, source=1, forged=1, clock=clock)
    monkeypatch.setattr(api, "limits", made)
    monkeypatch.setattr(webhooks, "limits", made)
    return made


def test_bucket_gives_its_burst_and_then_its_rate(clock: Clock) -> None:
    buckets = Buckets(2, clock=clock)
    assert [buckets.take("a") for _ in range(2 * BURST_SECONDS)] == [0.0] * 8
    assert buckets.take("a") == 0.5
    clock.now += 0.5
    assert [buckets.take("a"), buckets.take("a")] == [0.0, 0.5]
    assert buckets.take("b") == 0.0


def test_batch_is_taken_whole_and_paid_back(clock: Clock) -> None:
    buckets = Buckets(10, clock=clock)
    assert buckets.take("a", 500) == 0.0
    assert buckets.take("a") == pytest.approx(46.1)
    clock.now += 46.1
    assert buckets.take("a") == 0.0


def test_inventing_keys_costs_no_memory(clock: Clock) -> None:
    buckets = Buckets(1, most_kept=100, clock=clock)
    for number in range(1_000):
        buckets.take(f"key-{number}")
    assert len(buckets.buckets) == 100


def answers(answer: HttpResponse) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("Retry-After", "")


def test_tenant_over_its_limit_waits_and_another_does_not(acme: Tenant, narrow: Limits, clock: Clock) -> None:
    ours, theirs = program("acme", "ingest"), program("globex", "ingest")
    found = [answers(send(ours, event(n, source=f"s{n}"))) for n in range(5)]
    assert found == [(201, "")] * 4 + [(429, "1")]
    assert send(theirs, event()).status_code == 201
    assert (len(stored_events()), stored_letters()) == (4, [])
    clock.now += 1
    assert send(ours, event(9, source="s9")).status_code == 201


def test_source_over_its_limit_waits(acme: Tenant, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "limits", Limits(tenant=100, source=1, forged=1, clock=clock))
    client = program("acme", "ingest")
    assert [send(client, event(n)).status_code for n in range(5)] == [201] * 4 + [429]
    assert send(client, event(9, source="erp")).status_code == 201


def test_batch_counts_each_event(acme: Tenant, narrow: Limits, clock: Clock) -> None:
    client = program("acme", "ingest")
    assert send_batch(client, [event(n) for n in range(50)]).status_code == 200
    status, problem = said(send_batch(client, [event(99)]))
    assert (status, problem["title"], len(stored_events())) == (429, "Too Many Requests", 50)


def test_wrong_content_counts_too(acme: Tenant, narrow: Limits) -> None:
    client = program("acme", "ingest")
    assert [send(client, event(n, order_id="")).status_code for n in range(5)] == [422] * 4 + [429]
    assert sum(1 for _ in stored_letters()) == 4


def test_forged_keys_count_against_their_address_and_not_the_tenant(acme: Tenant, narrow: Limits) -> None:
    forged: dict[str, Any] = {"headers": {"Authorization": "Bearer e2a_000000000000_" + "0" * 48}}
    client = program("acme", "ingest")
    found = [send(client, event(), **forged).status_code for _ in range(60)]
    assert found[:4] == [401] * 4
    assert set(found[5:]) == {429}
    assert send(client, event(), REMOTE_ADDR="10.0.0.9").status_code == 201
    assert send(client, event(2)).status_code == 429  # what this address sends in acme's name is looked at no more
    assert send(program("globex", "ingest"), event()).status_code == 201
    assert len(stored_events()) == 1


def test_forged_webhooks_count_against_their_address_and_signed_ones_pass(acme: Tenant, narrow: Limits) -> None:
    source(acme)
    found = [problem_status("wrong") for _ in range(12)]
    assert found[:4] == [401] * 4
    assert found[-1] == 429
    assert shopify("orders/create", order()).status_code == 200
    assert len(stored()) == 1


def problem_status(secret: str) -> int:
    return shopify("orders/create", order(), secret=secret).status_code


def test_signed_webhooks_are_refused_only_far_beyond(acme: Tenant, narrow: Limits) -> None:
    source(acme)
    found = [shopify("orders/create", order(), **{"X-Shopify-Event-Id": f"ev-{n}"}).status_code for n in range(21)]
    assert found == [200] * (4 * module.FAR_BEYOND) + [429]


def test_an_address_that_forges_on_is_not_looked_at_until_it_rests(clock: Clock) -> None:
    limits = Limits(tenant=1, source=1, forged=1, clock=clock)
    for _ in range(100):
        with suppress(TooMany):
            limits.note_forged("a", "acme")
    with pytest.raises(TooMany):
        limits.check_forger("a", "acme")
    limits.check_forger("a", "globex")
    limits.check_forger("b", "acme")
    clock.now += 60
    limits.check_forger("a", "acme")
    limits.note_forged("a", "acme")
