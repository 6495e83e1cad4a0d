"""`/healthz`, `/readyz` and `/metrics` (CONTRACT 5)."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from e2a import health
from e2a.heartbeat import beat
from tenants.models import Tenant
from tests.tenants.cast import on_host

LOCAL = {"Host": "127.0.0.1"}


def beat_all() -> None:
    with connection.cursor() as cursor:
        for name in ("worker", "beat", "radar"):
            beat(cursor, name)


@pytest.mark.parametrize("host", ["127.0.0.1", "acme.localhost"])
def test_process_that_answers_is_alive_without_the_database(
    db: None, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "health_parts", lambda: {"postgres": "down"})
    answer = Client(headers={"Host": host}).get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_everything_running_is_ok(db: None) -> None:
    beat_all()
    answer = Client(headers=LOCAL).get("/readyz")
    parts = dict.fromkeys(("postgres", "redis", "worker", "beat", "radar"), "ok")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "parts": parts})


def test_silent_part_is_named_and_degraded(db: None) -> None:
    beat_all()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE public.e2a_heartbeat SET at = at - interval '90 s' WHERE name = 'radar'")
        cursor.execute("DELETE FROM public.e2a_heartbeat WHERE name = 'worker'")
    answer = Client(headers=LOCAL).get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert (answer.json()["parts"]["radar"], answer.json()["parts"]["worker"]) == ("silent for 90 s", "never heard of")


def test_lost_redis_is_degraded(db: None, settings: Any) -> None:
    beat_all()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = Client(headers=LOCAL).get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["redis"]) == (200, "down")


def test_lost_postgresql_is_503(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(cursor: Any) -> dict[str, float]:
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(health, "ages", lost)
    answer = Client(headers=LOCAL).get("/readyz")
    assert (answer.status_code, answer.json()["status"], answer["Retry-After"]) == (503, "down", "5")


@pytest.mark.parametrize(
    ("headers", "peer", "token", "status"),
    [
        (LOCAL, "127.0.0.1", "", 200),
        (LOCAL, "::1", "", 200),
        (LOCAL, "10.0.0.9", "", 404),
        (LOCAL, "", "", 404),
        (LOCAL | {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", "", 404),
        (LOCAL | {"Authorization": "Bearer platform-token"}, "10.0.0.9", "platform-token", 200),
        (LOCAL | {"Authorization": "Bearer wrong"}, "10.0.0.9", "platform-token", 404),
        (LOCAL | {"Authorization": "Bearer "}, "10.0.0.9", "", 404),
        ({"Host": "acme.localhost"}, "127.0.0.1", "", 404),
        ({"Host": "acme.localhost", "Authorization": "Bearer platform-token"}, "127.0.0.1", "platform-token", 404),
    ],
)
def test_metrics_are_for_loopback_or_the_platforms_token_and_for_no_tenant(
    acme: Tenant, settings: Any, headers: dict[str, str], peer: str, token: str, status: int
) -> None:
    settings.E2A_PLATFORM_TOKEN = token
    answer = Client(headers=headers).get("/metrics", REMOTE_ADDR=peer)
    assert answer.status_code == status
    assert (b"octup_ingest_success_total" in answer.content) is (status == 200)


def test_health_writes_no_line_in_the_log(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        Client(headers=LOCAL).get(path)
        on_host("acme").get(path)
    assert '"event": "request"' not in capsys.readouterr().out
