"""The scoreboard, its API, and what people say over the API."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django_tenants.utils import schema_context

from exceptions.analyst.models import Analysis, AnalystSwitch, Feedback, KnownCause
from exceptions.analyst.scoreboard import ai_success_rate, board_since
from exceptions.models import ExceptionRecord
from tenants.models import Tenant
from tests.exceptions.analyst.door import present
from tests.exceptions.cast import make_exception
from tests.exceptions.test_api import post
from tests.programs import program

MODEL = {"model": "some/model", "prompt_version": "analyst-1", "provider": "ai.example.com"}


@pytest.fixture
def acting(acme: Tenant) -> Client:
    return program("acme", "read", "operate")


def analysed(order: str, **columns: Any) -> Analysis:
    """By the AI, sure of 0.9, unless said otherwise. In the schema of the connection."""
    defaults: dict[str, Any] = {
        "state": "done",
        "judge": "ai",
        "label": "payment_issue",
        "confidence": 0.9,
        "ai_label": "payment_issue",
        "ai_confidence": 0.9,
        "ai_tried": True,
        "rules_label": "payment_issue",
        "rules_confidence": 0.8,
        "blame": "payment",
        "action": "email_customer",
        "evidence": [{"ref": "e1", "event_id": "evt-1", "source": "wms", "shows": "nothing came"}],
        "tokens": 1000,
        "cost_usd": Decimal("0.001"),
        "latency_ms": 800,
        "finished_at": present(),
    }
    exception = columns.pop("exception", None) or make_exception(order)
    return Analysis.objects.create(exception=exception, occurrence=1, **(defaults | MODEL | columns))


def by_rules(order: str, reason: str = "no_key", **columns: Any) -> Analysis:
    none = {"model": "", "prompt_version": "", "provider": "", "ai_label": "", "ai_confidence": None, "ai_tried": False}
    spent = {"tokens": 0, "cost_usd": None, "latency_ms": None}
    return analysed(order, **({"judge": "rules", "fallback": reason, **none, **spent} | columns))


def really(analysis: Analysis, label: str, origin: str = "correction") -> None:
    KnownCause.objects.create(exception=analysis.exception, origin=origin, label=label, actor="user:ana")


@pytest.mark.usefixtures("in_acme")
def test_each_analyst_is_measured_by_what_it_said() -> None:
    really(analysed("1"), "payment_issue")
    really(analysed("2", ai_label="weather", ai_confidence=0.7, latency_ms=2000), "payment_issue")
    really(by_rules("3", latency_ms=4), "weather")
    really(by_rules("4", "low_confidence", **MODEL, ai_label="weather", ai_confidence=0.3, ai_tried=True), "weather")
    analysed("5")
    rules, ai = board_since(present() - timedelta(days=1)).analysts
    assert (rules.who, rules.spoke, rules.prevailed) == ("rules", 5, 2)
    assert (rules.score.count, rules.score.right) == (4, 2)
    assert (ai.name, ai.spoke, ai.tried, ai.prevailed) == ("some/model, analyst-1", 4, 4, 3)
    assert (ai.score.count, ai.score.right) == (3, 2)
    assert ai.confusion == {"payment_issue": {"payment_issue": 1, "weather": 1}, "weather": {"weather": 1}}
    assert (ai.tokens, ai.cost_usd, ai.median_ms, ai.slow_ms) == (3000, Decimal("0.003"), 800, 2000)
    assert [one.count for one in ai.score.bins] == [1, 1, 1]
    assert (rules.tokens, rules.cost_usd, rules.median_ms, rules.slow_ms) == (0, None, 4, 4)


@pytest.mark.usefixtures("in_acme")
def test_one_analysis_counts_once_by_the_best_word_on_it() -> None:
    analysis = analysed("1")
    for origin, label in (("mock", "weather"), ("close", "customs_hold"), ("correction", "payment_issue")):
        really(analysis, label, origin)
    assert [one.score.right for one in board_since(present() - timedelta(days=1)).analysts] == [1, 1]


@pytest.mark.usefixtures("in_acme")
def test_board_counts_thumbs_reasons_and_only_its_days() -> None:
    Feedback.objects.create(analysis=analysed("1"), actor="user:ana", helpful=True)
    Feedback.objects.create(analysis=by_rules("2", "budget"), actor="user:ana", helpful=False)
    analysed("3", finished_at=present() - timedelta(days=9))
    board = board_since(present() - timedelta(days=7))
    assert [(one.who, one.spoke, one.thumbs_up, one.thumbs_down) for one in board.analysts] == [
        ("rules", 2, 0, 1),
        ("ai", 1, 1, 0),
    ]
    assert board.reasons == [("The day's tokens are spent", 1)]


@pytest.mark.usefixtures("in_acme")
def test_empty_board_invents_nothing() -> None:
    board = board_since(present() - timedelta(days=7))
    assert (board.analysts, board.reasons) == ([], [])


@pytest.mark.usefixtures("in_acme")
def test_success_rate_is_of_those_tried_with_the_ai() -> None:
    since = present() - timedelta(hours=1)
    assert ai_success_rate(since) is None
    by_rules("1")
    assert ai_success_rate(since) is None
    for number in range(3):
        analysed(f"a{number}")
    by_rules("2", "timeout", ai_tried=True, **MODEL)
    analysed("old", finished_at=present() - timedelta(hours=2))
    assert ai_success_rate(since) == 0.75


def test_exception_shows_its_analysis(acting: Client) -> None:
    with schema_context("acme"):
        analysis = analysed("1001", ops_note="write", client_note="sorry", root_cause="no money")
    body = acting.get(f"/api/exceptions/{analysis.exception_id}").json()["analysis"]
    assert body["source"] == "ai" and body["source_title"] == "AI" and body["fallback"] == ""
    assert body["evidence"] == [{"event_id": "evt-1", "source": "wms", "shows": "nothing came"}]
    assert (body["label"], body["confidence"], body["blame"], body["action"]) == (
        "payment_issue",
        0.9,
        "payment",
        "email_customer",
    )
    assert (body["tokens"], body["cost_usd"], body["latency_ms"]) == (1000, "0.001000", 800)


def test_rules_answer_is_labelled_so(acting: Client) -> None:
    with schema_context("acme"):
        analysis = by_rules("1001", "timeout")
    body = acting.get(f"/api/exceptions/{analysis.exception_id}").json()["analysis"]
    assert (body["source"], body["source_title"], body["fallback"]) == ("rules", "Rule-based", "timeout")


def test_exception_without_analysis_has_none(acting: Client) -> None:
    with schema_context("acme"):
        exception = make_exception()
    assert acting.get(f"/api/exceptions/{exception.pk}").json()["analysis"] is None
    answer = post(acting, f"/api/exceptions/{exception.pk}/analysis/feedback", {"helpful": True})
    assert answer.status_code == 404


def test_word_on_an_analysis_is_kept_with_who_said_it(acting: Client) -> None:
    with schema_context("acme"):
        analysis = analysed("1001")
    answer = post(acting, f"/api/exceptions/{analysis.exception_id}/analysis/feedback", {"really": "weather"})
    assert answer.status_code == 200
    with schema_context("acme"):
        said = Feedback.objects.get()
        assert (said.really, said.helpful, said.actor[:4]) == ("weather", None, "key:")
        assert KnownCause.objects.get().label == "weather"


@pytest.mark.parametrize("body", [{}, {"helpful": "maybe"}, {"really": "the moon"}, {"really": "unknown"}, []])
def test_word_that_says_nothing_is_422_and_changes_nothing(acting: Client, body: Any) -> None:
    with schema_context("acme"):
        analysis = analysed("1001")
    answer = post(acting, f"/api/exceptions/{analysis.exception_id}/analysis/feedback", body)
    assert answer.status_code == 422
    with schema_context("acme"):
        assert not Feedback.objects.exists() and not KnownCause.objects.exists()


def test_looking_again_needs_no_thumb_and_waits_its_turn(acting: Client) -> None:
    with schema_context("acme"):
        analysis = analysed("1001")
    path = f"/api/exceptions/{analysis.exception_id}/analysis"
    post(acting, f"{path}/feedback", {"helpful": True})
    answer = post(acting, f"{path}/again")
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    assert post(acting, f"{path}/again").status_code == 409
    with schema_context("acme"):
        assert not Feedback.objects.exists() and not KnownCause.objects.exists()
        assert Analysis.objects.get().claims == 10


def test_scoreboard_over_the_api(acting: Client, settings: Any) -> None:
    settings.AI_API_KEY, settings.AI_MODEL = "key", "some/model"
    with schema_context("acme"):
        really(analysed("1"), "payment_issue")
    body = acting.get("/api/exceptions/analyses/scoreboard?days=7").json()
    assert body["days"] == 7
    assert body["current"] == {"model": "some/model", "prompt_version": "analyst-1", "on": True, "reason": ""}
    assert [(one["who"], one["judged"], one["right"], one["accuracy"]) for one in body["analysts"]] == [
        ("rules", 1, 1, 1.0),
        ("ai", 1, 1, 1.0),
    ]
    assert acting.get("/api/exceptions/analyses/scoreboard?days=0").status_code == 422


def test_another_tenant_sees_nothing_of_it(acting: Client, globex: Tenant) -> None:
    with schema_context("acme"):
        analysis = analysed("1")
        really(analysis, "payment_issue")
    other = program("globex", "read", "operate", "admin")
    assert other.get("/api/exceptions/analyses/scoreboard").json()["analysts"] == []
    path = f"/api/exceptions/{analysis.exception_id}/analysis"
    assert post(other, f"{path}/feedback", {"helpful": True}).status_code == 404
    assert post(other, f"{path}/again").status_code == 404
    with schema_context("acme"):
        assert not Feedback.objects.exists() and Analysis.objects.get().state == "done"


def test_manager_switches_and_others_do_not(acting: Client, settings: Any) -> None:
    settings.AI_API_KEY, settings.AI_MODEL = "key", "some/model"
    path, body = "/api/exceptions/analyses/switch", {"on": False, "reason": "too dear"}
    assert post(acting, path, body).status_code == 403
    manager = program("acme", "admin")
    assert post(manager, path, {"on": False}).status_code == 422
    with schema_context("acme"):
        assert not AnalystSwitch.objects.exists()
    assert post(manager, path, body).json() == {
        "model": "some/model",
        "prompt_version": "analyst-1",
        "on": False,
        "reason": "too dear",
    }
    assert post(manager, path, body).status_code == 409
    with schema_context("globex"):
        assert not AnalystSwitch.objects.exists()


def test_without_a_provider_there_is_nothing_to_switch(acme: Tenant, settings: Any) -> None:
    settings.AI_API_KEY = ""
    answer = post(program("acme", "admin"), "/api/exceptions/analyses/switch", {"on": True, "reason": "x"})
    assert answer.status_code == 409 and "No AI provider" in json.loads(answer.content)["detail"]


def test_cause_may_be_named_when_resolving_over_the_api(acting: Client) -> None:
    with schema_context("acme"):
        exception: ExceptionRecord = make_exception()
    path = f"/api/exceptions/{exception.pk}/resolve"
    assert post(acting, path, {"label": "the moon"}).status_code == 422
    assert post(acting, path, {"label": "weather"}).status_code == 200
    with schema_context("acme"):
        assert (KnownCause.objects.get().origin, KnownCause.objects.get().label) == ("close", "weather")
