"""Real commits, on threads and connections of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from exceptions.analyst.models import Analysis
from exceptions.analyst.services import analyse_one, want_analyses
from tenants.ai.budget import settle_stale
from tenants.ai.models import AiBudget, AiReservation
from tests.exceptions.analyst.door import present, unpaid
from tests.exceptions.analyst.provider import GOOD, FakeProvider, answering, completion, socket_provider, tools
from tests.live import ROOT, database_url


@pytest.mark.usefixtures("committed")
def test_two_workers_on_one_exception_ask_once() -> None:
    released = threading.Event()

    def slow(request: Any) -> Any:
        released.wait(5)
        return answering(GOOD)

    fake = FakeProvider([slow])
    with schema_context("acme"):
        unpaid()
        want_analyses(10)
        pk = Analysis.objects.get().pk
    found: list[Analysis | None] = []

    def work() -> None:
        with schema_context("acme"):
            found.append(analyse_one("acme", pk, tools(fake.provider()), now=present()))
        connection.close()
        released.set()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fake.requests) == 1
    assert [one is None for one in found] == [True, False]


WORKER = """
import django; django.setup()
from exceptions.tasks import analyse_with_ai
analyse_with_ai("acme", {pk})
"""


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("point", ["ai_answered", "analysis_answered"])
def test_worker_killed_anywhere_leaves_an_analysis_that_is_made_and_a_call_that_is_paid(point: str) -> None:
    fake = FakeProvider()

    def answer(client: socket.socket) -> None:
        body = json.dumps(completion(GOOD)).encode()
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with schema_context("acme"):
        exception = unpaid()
        want_analyses(10)
        pk = Analysis.objects.get(exception=exception).pk
    with socket_provider(answer) as url:
        environ = os.environ | {
            "CRASH_AT": point,
            "AI_MODE": "full",
            "AI_PROVIDER_BASE_URL": url,
            "DATABASE_URL": database_url(),
        }
        environ |= {"AI_API_KEY": "k", "AI_MODEL": "some/model", "DJANGO_SETTINGS_MODULE": "e2a.settings"}
        killed = subprocess.run([sys.executable, "-c", WORKER.format(pk=pk)], cwd=ROOT, env=environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    with connection.cursor() as cursor:
        cursor.execute("UPDATE acme.exceptions_analysis SET lease_until = now() - interval '1 second'")
        cursor.execute("UPDATE tenants_aireservation SET created_at = now() - interval '1 hour'")
    unsettled = AiReservation.objects.filter(used__isnull=True).count()
    assert unsettled == (1 if point.startswith("ai_") else 0)
    assert settle_stale() == unsettled
    with schema_context("acme"):
        found = analyse_one("acme", pk, tools(fake.provider()), now=present())
    assert found and found.judge == "ai" and len(fake.requests) == 1
    assert all(row.used == row.tokens for row in AiReservation.objects.order_by("pk")[:unsettled])
    assert {row.reserved for row in AiBudget.objects.all()} == {0}
