import threading

import pytest
from django.db import connection

from tenants.ai import breaker
from tenants.ai.models import AiBreaker

NAME = "provider/model"


def fail(times: int = 1, **more: float) -> None:
    for _ in range(times):
        breaker.report_failure(NAME, reason="timeout", **more)


def pass_time(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tenants_aibreaker SET open_until = open_until - %s * interval '1 second',"
            " probing_until = probing_until - %s * interval '1 second'",
            [seconds, seconds],
        )


def wait_seconds() -> float:
    row = AiBreaker.objects.get(pk=NAME)
    assert row.open_until
    return (row.open_until - row.changed_at).total_seconds()


@pytest.mark.django_db
def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    fail(4)
    assert breaker.may_ask(NAME) and breaker.trouble(NAME) == ""
    fail()
    assert not breaker.may_ask(NAME) and breaker.trouble(NAME) == "timeout"
    assert wait_seconds() == pytest.approx(30, abs=1)


@pytest.mark.django_db
def test_success_between_failures_starts_the_count_anew() -> None:
    fail(4)
    breaker.report_success(NAME)
    fail(4)
    assert breaker.may_ask(NAME)


@pytest.mark.django_db
def test_after_the_wait_one_may_try_and_its_success_closes() -> None:
    fail(5)
    pass_time(31)
    assert [breaker.may_ask(NAME) for _ in range(3)] == [True, False, False]
    breaker.report_success(NAME)
    assert breaker.may_ask(NAME) and breaker.trouble(NAME) == ""


@pytest.mark.django_db
def test_failed_try_opens_it_for_twice_as_long() -> None:
    fail(5)
    for wait in (60, 120, 240, 480, 600, 600):
        pass_time(700)
        assert breaker.may_ask(NAME)
        fail()
        assert not breaker.may_ask(NAME)
        assert wait_seconds() == pytest.approx(wait, abs=1)


@pytest.mark.django_db
def test_try_that_never_came_back_is_replaced() -> None:
    fail(5)
    pass_time(31)
    assert breaker.may_ask(NAME)
    pass_time(breaker.PROBE_SECONDS + 1)
    assert breaker.may_ask(NAME)


@pytest.mark.django_db
def test_provider_that_asks_to_wait_is_left_alone_at_once_and_no_longer_than_an_hour() -> None:
    fail(wish_seconds=45)
    assert not breaker.may_ask(NAME)
    assert wait_seconds() == pytest.approx(45, abs=1)
    fail(wish_seconds=10**9)
    assert wait_seconds() == pytest.approx(3600, abs=1)


@pytest.mark.django_db
def test_each_provider_has_its_own() -> None:
    fail(5)
    assert breaker.may_ask("other/model")


@pytest.mark.usefixtures("committed")
def test_of_many_workers_one_tries() -> None:
    fail(5)
    pass_time(31)
    allowed: list[bool] = []
    start = threading.Barrier(12)

    def ask() -> None:
        start.wait()
        allowed.append(breaker.may_ask(NAME))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 1
