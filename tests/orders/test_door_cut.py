"""A connection that PostgreSQL cuts in the middle of a request costs its sender nothing: the door asks again on another one."""

import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from django.http import HttpResponse

from e2a.postgresql.patience import Silence
from e2a.postgresql.raw import raw_connection
from orders import webhooks
from orders.api import events
from tenants.models import Tenant
from tests.connections import another_connection
from tests.orders.door_cast import event, send, send_batch, stored_events, stored_letters
from tests.orders.webhook_cast import SECRET, post, source
from tests.programs import program

MAPPING = {"event_id": "id", "event_type": "type", "order_id": "order", "occurred_at": "at"}
pytestmark = pytest.mark.usefixtures("committed")


def by_event() -> HttpResponse:
    return send(program("acme", "ingest"), event())


def by_batch() -> HttpResponse:
    return send_batch(program("acme", "ingest"), [event()])


def by_webhook() -> HttpResponse:
    source(Tenant.objects.get(slug="acme"), "wms", provider="json", mapping=MAPPING)
    body = json.dumps({"id": "evt-1", "type": "order_packed", "order": "1001", "at": "2026-11-23T10:00:00Z"}).encode()
    return post("acme/wms", body, **{"X-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()})


def cut() -> None:
    """As a restarting server does."""
    raw = raw_connection()
    with another_connection() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [raw.info.backend_pid])
    with suppress(psycopg.Error):
        raw.execute("SELECT 1")
    raise psycopg.OperationalError("server closed the connection unexpectedly")


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
@pytest.mark.parametrize("ask", [by_event, by_batch, by_webhook])
def test_cut_connection_costs_the_sender_nothing(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[], HttpResponse], when: str
) -> None:
    real, tries = events.ingest, []

    def ingest(*words: Any, **more: Any) -> Any:
        tries.append(when)
        if len(tries) > 1:
            return real(*words, **more)
        if when == "after the commit":
            real(*words, **more)
        return cut()

    for module in (events, webhooks):
        monkeypatch.setattr(module, "ingest", ingest)
    answer = ask()
    assert answer.status_code in (200, 201), answer.content
    assert b"rejected" not in answer.content or json.loads(answer.content)["rejected"] == []
    assert (len(tries), len(stored_events()), stored_letters()) == (2, 1, [])


def test_refused_content_is_kept_once_though_its_connection_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    real, tries = events.ingest, []

    def ingest(*words: Any, **more: Any) -> Any:
        tries.append(1)
        return real(*words, **more) if len(tries) > 1 else cut()

    monkeypatch.setattr(events, "ingest", ingest)
    assert send(program("acme", "ingest"), event(occurred_at="soon")).status_code == 422
    assert (len(tries), len(stored_letters())) == (2, 1)


@pytest.mark.parametrize("ask", [by_event, by_batch, by_webhook])
def test_first_request_after_a_silence_is_taken_though_its_connection_was_cut_meanwhile(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[], HttpResponse]
) -> None:
    """A process that was not asked since learns by it that PostgreSQL is back."""
    real, tries = events.ingest, []

    def ingest(*words: Any, **more: Any) -> Any:
        tries.append(1)
        if len(tries) > 1:
            return real(*words, **more)
        monkeypatch.setattr(Silence, "known", True)
        return cut()

    for module in (events, webhooks):
        monkeypatch.setattr(module, "ingest", ingest)
    assert ask().status_code in (200, 201)
    assert (len(tries), len(stored_events())) == (2, 1)
