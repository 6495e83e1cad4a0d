"""RELIABILITY 4, 98 to 107, and the provider's troubles, through the whole of an analysis: the rules answer, labelled so."""

import json
import socket
import threading
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.db import connection
from django_tenants.utils import schema_context
from prometheus_client import REGISTRY

from exceptions.analyst import asking
from exceptions.analyst.answer import answer_schema
from exceptions.analyst.client import Provider, Question, most_tokens
from exceptions.analyst.models import Analysis
from exceptions.analyst.prompts import prompt_text
from exceptions.analyst.services import Tools, analyse_one, want_analyses
from exceptions.analyst.words import Action
from tenants.ai import breaker
from tenants.ai.models import AiBreaker, AiBudget, AiReservation
from tests.exceptions.analyst.door import present, unpaid
from tests.exceptions.analyst.provider import GOOD, FakeProvider, completion, drip, socket_provider, tools
from tests.exceptions.analyst.test_answer import BAD

NAME = "ai.example.com/some/model"
AT_ONCE = 200


def analysed(own: Tools, order: str = "1001", age: float = 0.7) -> Analysis:
    exception = unpaid(order, age)
    want_analyses(10)
    pk = Analysis.objects.get(exception=exception).pk
    found = analyse_one(connection.schema_name, pk, own, now=present())
    assert found
    return found


def spent() -> tuple[int, int]:
    row = AiBudget.objects.get(schema="acme")
    return row.reserved, row.spent


def is_rules(found: Analysis, reason: str) -> bool:
    return (found.judge, found.get_judge_display(), found.fallback, found.label) == (
        "rules",
        "Rule-based",
        reason,
        "payment_issue",
    )


@pytest.mark.usefixtures("in_acme")
@pytest.mark.parametrize("answer", BAD.values(), ids=BAD.keys())
def test_answer_that_does_not_hold_leaves_it_to_the_rules(answer: Any) -> None:
    content = answer if isinstance(answer, str) and answer else json.dumps(answer) if answer else "{}"
    found = analysed(tools(FakeProvider([httpx.Response(200, json=completion(content))]).provider()))
    assert is_rules(found, "bad_answer") and found.note and found.ai_tried
    assert spent() == (0, 820)


TROUBLES: dict[str, tuple[Any, str]] = {
    "103 does not end": (httpx.Response(200, content=b"x" * 300_000), "bad_answer"),
    "105 200 with an error": (httpx.Response(200, json={"error": {"message": "no"}}), "bad_answer"),
    "106 429": (httpx.Response(429), "rate_limited"),
    "106 402": (httpx.Response(402), "refused"),
    "106 500": (httpx.Response(500), "refused"),
    "refused": (httpx.ConnectError("refused"), "unreachable"),
    "cut off": (httpx.ReadError("reset"), "unreachable"),
    "garbage": (httpx.Response(200, content=b"\x00\xff\x00"), "bad_answer"),
}


@pytest.mark.usefixtures("in_acme")
@pytest.mark.parametrize(("reply", "reason"), TROUBLES.values(), ids=TROUBLES.keys())
def test_trouble_of_the_provider_leaves_it_to_the_rules(reply: Any, reason: str) -> None:
    assert is_rules(analysed(tools(FakeProvider([reply]).provider())), reason)
    assert AiReservation.objects.filter(used__isnull=True).count() == 0


@pytest.mark.usefixtures("in_acme")
@pytest.mark.parametrize("usage", [None, {}, {"total_tokens": -1}, {"total_tokens": 10**12}])
def test_107_usage_that_is_missing_or_impossible_costs_the_whole_claim(usage: Any) -> None:
    fake = FakeProvider([httpx.Response(200, json=completion(GOOD, usage=usage))])
    found = analysed(tools(fake.provider()))
    assert found.judge == "ai"
    claim = AiReservation.objects.get()
    assert claim.used == claim.tokens == found.tokens == spent()[1] > 1000


@pytest.mark.usefixtures("in_acme")
def test_call_that_was_never_answered_costs_the_whole_claim_and_a_refused_one_nothing() -> None:
    analysed(tools(FakeProvider([httpx.ConnectError("no")]).provider()))
    assert spent() == (0, 0)
    analysed(tools(FakeProvider([httpx.ReadError("cut")]).provider()), "1002")
    assert spent() == (0, sum(AiReservation.objects.values_list("used", flat=True)))
    assert spent()[1] > 1000


@pytest.mark.usefixtures("in_acme")
def test_passing_trouble_is_tried_again_with_growing_jittered_waits() -> None:
    waits: list[float] = []
    fake = FakeProvider([httpx.Response(503), httpx.ConnectError("no"), GOOD])
    assert analysed(tools(fake.provider(), sleep=waits.append)).judge == "ai"
    assert len(fake.requests) == 3
    assert 0.1 <= waits[0] <= 0.3 and 0.2 <= waits[1] <= 0.6


@pytest.mark.usefixtures("in_acme")
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
def test_final_refusal_is_not_tried_again(status: int) -> None:
    fake = FakeProvider([httpx.Response(status), GOOD])
    assert analysed(tools(fake.provider())).fallback == "refused"
    assert len(fake.requests) == 1


@pytest.mark.usefixtures("in_acme")
def test_wish_to_wait_is_granted_when_it_fits() -> None:
    waits: list[float] = []
    fake = FakeProvider([httpx.Response(429, headers={"retry-after": "2"}), GOOD])
    assert analysed(tools(fake.provider(timeout_seconds=3), sleep=waits.append)).judge == "ai"
    assert waits == [2]


@pytest.mark.usefixtures("in_acme")
def test_wish_to_wait_longer_opens_the_breaker_for_so_long() -> None:
    fake = FakeProvider([httpx.Response(429, headers={"retry-after": "40"}), GOOD])
    assert is_rules(analysed(tools(fake.provider())), "rate_limited")
    assert len(fake.requests) == 1
    assert is_rules(analysed(tools(fake.provider()), "1002"), "breaker")
    row = AiBreaker.objects.get(pk=NAME)
    assert row.open_until and 39 < (row.open_until - row.changed_at).total_seconds() <= 40
    pass_time(41)
    assert analysed(tools(fake.provider()), "1003").judge == "ai"
    assert breaker.may_ask(NAME)


def pass_time(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE public.tenants_aibreaker SET open_until = open_until - %s * interval '1 second'", [seconds]
        )


@pytest.mark.usefixtures("in_acme")
@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.Response(429),
        httpx.Response(500),
        httpx.Response(200, content=b"garbage"),
        httpx.Response(200, json=completion("I am sorry, I cannot do that.")),
    ],
    ids=["refused", "429", "500", "garbage", "no JSON"],
)
def test_breaker_opens_after_five_and_closes_by_itself(trouble: Any) -> None:
    fake = FakeProvider([trouble])
    for number in range(5):
        assert analysed(tools(fake.provider()), f"a{number}").fallback != "breaker"
    asked = len(fake.requests)
    assert is_rules(analysed(tools(fake.provider()), "b"), "breaker")
    assert len(fake.requests) == asked
    fake.replies = [GOOD]
    pass_time(31)
    assert analysed(tools(fake.provider()), "c").judge == "ai"
    assert AiBreaker.objects.get(pk=NAME).open_until is None


@pytest.mark.usefixtures("in_acme")
def test_wrong_answers_open_no_breaker_since_an_orders_text_may_have_caused_them() -> None:
    fake = FakeProvider([GOOD | {"action": "shopify_refund"}])
    for number in range(7):
        assert is_rules(analysed(tools(fake.provider()), str(number)), "bad_answer")
    assert breaker.may_ask(NAME)


@pytest.mark.usefixtures("in_acme")
def test_spent_day_asks_nobody() -> None:
    fake = FakeProvider()
    found = analysed(tools(fake.provider(), daily_tokens=1000))
    assert is_rules(found, "budget") and not found.ai_tried and not fake.requests
    assert not AiBudget.objects.exists() or spent() == (0, 0)


@pytest.mark.usefixtures("in_acme")
def test_try_that_the_day_does_not_allow_any_more_gives_the_probe_back() -> None:
    for _ in range(5):
        breaker.report_failure(NAME, reason="timeout")
    pass_time(31)
    analysed(tools(FakeProvider().provider(), daily_tokens=1000))
    assert AiBreaker.objects.get(pk=NAME).probing_until is None


@pytest.mark.usefixtures("in_acme")
def test_calls_failures_and_tokens_are_counted() -> None:
    def count(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, {"provider": "ai.example.com", "model": "some/model", **labels}) or 0

    calls = [("octup_ai_requests_total", {"operation": "analysis", "status": status}) for status in ("ok", "refused")]
    calls += [("octup_ai_failures_total", {"reason": "refused"}), ("octup_ai_tokens_used_total", {})]
    before = [count(name, **labels) for name, labels in calls]
    analysed(tools(FakeProvider().provider()), "1")
    analysed(tools(FakeProvider([httpx.Response(402)]).provider()), "2", age=0.8)
    assert [count(name, **labels) - was for (name, labels), was in zip(calls, before, strict=True)] == [1, 1, 1, 820]


@pytest.mark.usefixtures("in_acme")
@pytest.mark.parametrize(
    "behave",
    [
        lambda client: client.recv(1 << 20) and client.recv(1),
        lambda client: drip(client, b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"),
    ],
    ids=["silence", "endless"],
)
def test_rules_answer_within_five_seconds_of_a_provider_that_hangs(behave: Any) -> None:
    """With the default limit of three seconds; the breaker then spares the next ones even that."""
    began = time.monotonic()
    with socket_provider(behave) as url:
        own = tools(Provider(url, "some/model", "key"))
        found = analysed(own)
        assert is_rules(found, "timeout")
        assert 2.5 < time.monotonic() - began < 5
        quick = replace(own, provider=Provider(url, "some/model", "key", timeout_seconds=0.1))
        for number in range(4):
            analysed(quick, f"n{number}")
        began = time.monotonic()
        assert is_rules(analysed(own, "last"), "breaker")
        assert time.monotonic() - began < 1


def refusing(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")


def hurried(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")


def patient(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n")


def babbling(client: socket.socket) -> None:
    client.sendall(b"\x00\xff\x00 no HTTP at all\r\n\r\n")


def cutting(client: socket.socket) -> None:
    client.close()


@pytest.mark.usefixtures("in_acme")
@pytest.mark.parametrize("behave", [refusing, hurried, patient, babbling, cutting, None])
def test_rules_answer_within_five_seconds_of_any_trouble(behave: Any) -> None:
    """On a real socket, with the waits that are really waited and the default limit of three seconds."""
    with socket_provider(behave or cutting) as answering:
        url = answering if behave else "http://127.0.0.1:1/v1"  # where nothing listens
        began = time.monotonic()
        found = analysed(tools(Provider(url, "some/model", "key"), sleep=time.sleep))
        assert time.monotonic() - began < 5
    assert (found.judge, found.label) == ("rules", "payment_issue") and found.fallback != "breaker"


@pytest.mark.usefixtures("in_acme")
def test_a_provider_that_was_silent_is_heard_again_by_itself() -> None:
    wakes = threading.Event()
    body = json.dumps(completion(GOOD)).encode()

    def behave(client: socket.socket) -> None:
        if wakes.is_set():
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        else:
            while client.recv(65_536):  # until the other side has had enough
                pass

    with socket_provider(behave) as url:
        own = tools(Provider(url, "some/model", "key", timeout_seconds=0.2))
        for number in range(5):
            assert is_rules(analysed(own, f"s{number}"), "timeout")
        wakes.set()
        assert is_rules(analysed(own, "open"), "breaker")
        pass_time(31)
        assert analysed(own, "again").judge == "ai"
        assert analysed(own, "and-on").judge == "ai"


@pytest.mark.usefixtures("committed")
def test_200_analyses_at_once_at_99_percent_of_the_day_overspend_nothing() -> None:
    """Whole analyses on threads and connections of their own, against a provider that answers what it likes."""
    fake = FakeProvider([lambda request: httpx.Response(200, json=completion(GOOD, usage={"total_tokens": 10**9}))])
    with schema_context("acme"):
        for number in range(AT_ONCE):
            unpaid(f"o{number}", payment_provider=f"bank {number}")
        want_analyses(AT_ONCE)
        ids = list(Analysis.objects.values_list("pk", flat=True))
    limit = 2_000_000
    asking.settle_claim(asking.claim_tokens("acme", limit - 20_000, limit=limit, share=1), None)
    start, outcomes, lock = threading.Barrier(AT_ONCE), Counter[str](), threading.Lock()

    def work(pk: int) -> None:
        with schema_context("acme"):
            start.wait()
            found = analyse_one("acme", pk, tools(fake.provider(), daily_tokens=limit), now=present())
        connection.close()
        with lock:
            outcomes[found.fallback if found else "?"] += 1

    threads = [threading.Thread(target=work, args=[pk]) for pk in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = {row.schema: (row.reserved, row.spent) for row in AiBudget.objects.all()}
    assert rows[""][0] == 0 and rows[""][1] <= limit
    assert len(fake.requests) == outcomes[""] and 1 <= outcomes[""] <= 5
    assert outcomes["budget"] + outcomes[""] == AT_ONCE


def test_most_tokens_of_a_usual_question_are_a_small_part_of_the_day() -> None:
    question = Question(prompt_text(), "x" * 4000, answer_schema(Action))
    assert most_tokens(Provider("https://x", "m", "k"), question) < 12_000
