"""Real commits, on threads and connections of their own."""

import threading
from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from exceptions.analyst.models import Analysis
from exceptions.analyst.services import analyse_one, want_analyses
from tests.exceptions.analyst.door import present, unpaid
from tests.exceptions.analyst.provider import GOOD, FakeProvider, answering, tools


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
