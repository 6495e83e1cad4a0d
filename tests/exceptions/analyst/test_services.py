"""Rows as the queue: wanted, claimed, analysed, written once; what is worth the AI and what is not."""

import json
from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from exceptions.analyst import services
from exceptions.analyst.models import Analysis, AnalystSwitch
from exceptions.analyst.services import Tools, analyse_by_rules, analyse_one, claim_due, want_analyses
from exceptions.models import ExceptionRecord
from tenants.ai.models import AiBudget
from tests.exceptions.analyst.cast import paid, ready
from tests.exceptions.analyst.door import order_sent, present, unpaid
from tests.exceptions.analyst.provider import GOOD, FakeProvider, tools

pytestmark = pytest.mark.usefixtures("in_acme")


def wanted() -> list[int]:
    want_analyses(100)
    return list(Analysis.objects.order_by("pk").values_list("pk", flat=True))


def analysed(exception: ExceptionRecord, own: Tools) -> Analysis:
    wanted()
    pk = Analysis.objects.get(exception=exception).pk
    found = analyse_one(connection.schema_name, pk, own, now=present())
    assert found
    return found


def by_rules(own: Tools) -> list[int]:
    want_analyses(100)
    return analyse_by_rules(claim_due(100), own, now=present())


def test_every_occurrence_is_wanted_once() -> None:
    exception = unpaid()
    assert (want_analyses(10), want_analyses(10)) == (1, 0)
    ExceptionRecord.objects.filter(pk=exception.pk).update(occurrence_count=2)
    assert want_analyses(10) == 1
    assert sorted(Analysis.objects.values_list("occurrence", flat=True)) == [1, 2]


def test_what_never_was_and_old_history_that_is_over_is_not_wanted() -> None:
    unpaid("1")
    ExceptionRecord.objects.update(verdict="none")
    order_sent("2", [(0, "order_created"), (1, "payment_confirmed"), (1.1, "inventory_allocated")], age=2)
    over = ExceptionRecord.objects.get(order_ref="2")
    assert over.verdict == "over"
    ExceptionRecord.objects.filter(pk=over.pk).update(history=True)
    assert want_analyses(10) == 0


def test_rules_answer_at_once_without_a_provider() -> None:
    order_sent("1001", ready(), age=5)
    assert by_rules(tools(None)) == []
    assert set(Analysis.objects.values_list("latency_ms", flat=True)) <= set(range(5_000))
    (found,) = Analysis.objects.all()
    assert (found.judge, found.fallback, found.label) == ("rules", "no_key", "delayed_fulfillment")
    assert (found.state, found.warehouse, found.ai_tried) == ("done", "Zona Franca", False)
    assert found.evidence[0]["event_id"] == "1001-3" and found.finished_at and found.lease_until is None


def test_ai_answers_what_is_worth_it() -> None:
    fake = FakeProvider()
    found = analysed(unpaid(), tools(fake.provider()))
    assert (found.judge, found.fallback, found.label, found.confidence) == ("ai", "", "payment_issue", 0.9)
    assert (found.ai_tried, found.tokens, str(found.cost_usd)) == (True, 820, "0.000420")
    assert (found.provider, found.model, found.prompt_version) == ("ai.example.com", "some/model", "analyst-1")
    assert found.evidence == [
        {"ref": "e1", "event_id": "1001-1", "source": "wms", "shows": "ordered, and nothing after it"}
    ]
    assert (found.rules_label, found.ai_label) == ("payment_issue", "payment_issue")
    assert {row.schema: (row.reserved, row.spent) for row in AiBudget.objects.all()} == {"": (0, 820), "acme": (0, 820)}


@pytest.mark.parametrize(
    ("own", "age", "reason"),
    [
        ({"mode": "fallback"}, 0.7, "mode"),
        ({"mode": "smart"}, 0.7, "clear"),
        ({"mode": "smart"}, 2, None),
        ({"mode": "full"}, 0.7, None),
    ],
)
def test_mode_decides_what_is_asked(own: dict[str, str], age: float, reason: str | None) -> None:
    fake = FakeProvider()
    found = analysed(unpaid(age=age), tools(fake.provider(), **own))
    assert found.fallback == (reason or "")
    assert len(fake.requests) == (0 if reason else 1)


def test_history_and_what_is_over_spend_no_tokens() -> None:
    fake = FakeProvider()
    unpaid("1")
    ExceptionRecord.objects.update(history=True)
    order_sent("2", [(0, "order_created"), (2, "payment_confirmed")], age=3)
    assert by_rules(tools(fake.provider())) == [
        Analysis.objects.get(exception__order_ref="2", exception__reason_code="INVENTORY_DELAY").pk
    ]
    reasons = set(Analysis.objects.filter(state="done").values_list("exception__order_ref", "fallback"))
    assert reasons == {("1", "history"), ("2", "over")}
    assert not fake.requests


def test_unsure_answer_gives_way_to_the_rules_and_is_kept_for_the_score() -> None:
    fake = FakeProvider([GOOD | {"label": "fraud_review", "confidence": 0.54}])
    found = analysed(unpaid(), tools(fake.provider()))
    assert (found.judge, found.fallback, found.label) == ("rules", "low_confidence", "payment_issue")
    assert (found.ai_label, found.ai_confidence, found.tokens) == ("fraud_review", 0.54, 820)


def test_answer_at_the_least_confidence_stands() -> None:
    assert analysed(unpaid(), tools(FakeProvider([GOOD | {"confidence": 0.55}]).provider())).judge == "ai"


def test_switched_off_analyst_is_not_asked() -> None:
    fake = FakeProvider()
    AnalystSwitch.objects.create(
        model="some/model", prompt_version="analyst-1", on=False, actor="rules", reason="worse"
    )
    assert analysed(unpaid(), tools(fake.provider())).fallback == "switched_off"
    assert not fake.requests


def test_exception_that_waited_too_long_for_its_turn_gets_the_rules() -> None:
    fake = FakeProvider()
    unpaid()
    wanted()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE exceptions_analysis SET created_at = now() - interval '46 seconds'")
    assert analyse_by_rules(claim_due(9), tools(fake.provider()), now=present()) == []
    assert Analysis.objects.get().fallback == "busy"


def test_same_question_is_asked_once() -> None:
    """Two orders whose histories are alike to the minute."""
    fake = FakeProvider()
    first, second = unpaid("1001"), unpaid("1002")
    answers = [analysed(exception, tools(fake.provider())) for exception in (first, second)]
    assert len(fake.requests) == 1
    assert [one.evidence[0]["event_id"] for one in answers] == ["1001-1", "1002-1"]
    assert [(one.judge, one.tokens) for one in answers] == [("ai", 820), ("ai", 0)]


def test_answer_is_not_shared_between_tenants(globex: Any) -> None:
    fake = FakeProvider()
    analysed(unpaid("1001"), tools(fake.provider()))
    with schema_context(globex.schema_name):
        analysed(unpaid("1001"), tools(fake.provider()))
    assert len(fake.requests) == 2


def test_nothing_of_another_tenant_is_in_the_question(globex: Any) -> None:
    with schema_context(globex.schema_name):
        for number in range(5):
            order_sent(
                str(number), ready((1, "order_updated", {"note": "globex secret", "carrier": "GLOBEXPRESS"})), age=5
            )
        by_rules(tools(None))
    order_sent("0", ready((1, "order_updated", {"note": "ours"})), age=5)
    fake = FakeProvider()
    analysed(ExceptionRecord.objects.get(), tools(fake.provider()))
    assert "ours" in fake.asked
    assert "globex" not in fake.asked.lower()
    assert '"lane_today":[]' in fake.received[0]["messages"][1]["content"]


def test_lane_counts_other_orders_of_today() -> None:
    for number in range(4):
        order_sent(str(number), ready(), age=5)
    by_rules(tools(None))
    order_sent("9", ready(), age=5)
    by_rules(tools(None))
    last = Analysis.objects.get(exception__order_ref="9")
    assert "4 other orders of Zona Franca are in the same trouble today." in last.root_cause
    assert last.confidence and last.confidence > (Analysis.objects.get(exception__order_ref="0").confidence or 1)


def test_question_names_no_order_and_no_tenant() -> None:
    fake = FakeProvider()
    order_sent("ORDER-77-XYZ", paid(), age=2)
    analysed(ExceptionRecord.objects.get(), tools(fake.provider()))
    assert "ORDER-77-XYZ" not in fake.asked and "acme" not in fake.asked.lower()
    document = json.loads(fake.received[0]["messages"][1]["content"].split("\n")[1])
    assert document["exception"]["reason"] == "INVENTORY_DELAY"
    assert [event["ref"] for event in document["events"]] == ["e1", "e2"]


def test_worker_that_lost_its_lease_writes_nothing() -> None:
    unpaid()
    (mine,) = wanted()
    (lost,) = claim_due(1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE exceptions_analysis SET lease_until = now() - interval '1 second'")
    (taken,) = claim_due(1)
    assert (taken.id, taken.number) == (mine, lost.number + 1)
    assert services.finish(taken, {"label": "weather", "judge": "rules", "fallback": "mode"})
    assert not services.finish(lost, {"label": "unknown", "judge": "rules", "fallback": "mode"})
    assert Analysis.objects.get().label == "weather"


def test_claimed_analysis_is_left_alone() -> None:
    unpaid()
    (pk,) = wanted()
    claim_due(1)
    assert claim_due(9) == []
    assert analyse_one("acme", pk, tools(None), now=present()) is None


def test_what_was_handed_to_the_ai_is_taken_up_again_if_its_task_never_comes() -> None:
    unpaid()
    assert len(by_rules(tools(FakeProvider().provider()))) == 1
    assert claim_due(9) == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE exceptions_analysis SET lease_until = now() - interval '1 second'")
    assert len(claim_due(9)) == 1


def test_analysis_that_kills_its_workers_ends_with_the_rules() -> None:
    fake = FakeProvider()
    unpaid()
    (pk,) = wanted()
    Analysis.objects.update(claims=services.MOST_CLAIMS)
    found = analyse_one("acme", pk, tools(fake.provider()), now=present())
    assert found and found.fallback == "busy" and not fake.requests
