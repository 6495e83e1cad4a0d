"""The end-to-end check finds what is wrong, and says what it lacks. On a real stack: tests/e2a/test_stack_demo.py."""

import io
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from analytics import end_to_end as e2e
from analytics.management.commands import e2e_check
from e2a.postgresql.raw import database_now, raw_connection
from e2a.stack.processes import DEMO_SOURCE
from exceptions.analyst.models import Analysis, State
from exceptions.analyst.words import Fallback, Judge, Label
from orders.models import Order, Stage
from tenants.models import Tenant, WebhookSource
from tests.exceptions.cast import NOW, make_exception, resolved

LONG_AGO = "2026-11-20T10:00:00+01:00"


def soon() -> float:
    return time.monotonic() + 0.1


def told(order: int, **columns: Any) -> dict[str, Any]:
    plain = {"cancelled_at": None, "financial_status": "pending", "fulfillment_status": None, "updated_at": LONG_AGO}
    return {"id": 9000 + order, "order_number": order, **plain, **columns}


def shop(*orders: dict[str, Any], pending: int = 0) -> e2e.Shop:
    """Two orders a page."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/stats":
            return httpx.Response(200, json={"deliveries": {"pending": pending}})
        if request.url.path == "/admin/orders/generate":
            return httpx.Response(200, json={"count": 3, "first": "#1001", "last": "#1003"})
        page = int(request.url.params["page"])
        return httpx.Response(200, json={"orders": orders[2 * page - 2 : 2 * page], "pages": -(-len(orders) // 2)})

    made = e2e.Shop(WebhookSource(api_url="http://127.0.0.1:1/admin/api/2026-10"))
    made.client = httpx.Client(base_url="http://shop", transport=httpx.MockTransport(answer))
    return made


def known(order: int, *ended: str, status: str = "CREATED") -> Order:
    made = Order.objects.create(order_id=str(9000 + order), merchant="default", status=status)
    for name in ended:
        Stage.objects.create(order=made, name=name, state="COMPLETED", started_at=NOW, ended_at=NOW)
    return made


def test_the_state_is_held_against_the_shops_over_all_its_pages(in_acme: Tenant) -> None:
    known(1)
    known(2, "payment_processing", "order_fulfillment", status="FULFILLED")
    known(3, status="CANCELLED")
    paid = {"financial_status": "paid", "fulfillment_status": "fulfilled"}
    there = shop(told(1), told(2, **paid), told(3, cancelled_at=LONG_AGO), told(7))
    assert there.make(3) == range(1001, 1004)
    found = e2e.state_is_the_shops(there, range(1, 4))
    assert found == ("the shop's own state", True, "3 orders, all as the shop says")


@pytest.mark.parametrize(
    "said",
    [
        told(1, financial_status="paid"),
        told(1, financial_status="paid", fulfillment_status="fulfilled"),
        told(1, cancelled_at=LONG_AGO),
        told(2),
    ],
    ids=["paid", "shipped", "cancelled", "unknown"],
)
def test_an_order_that_differs_is_named(in_acme: Tenant, said: dict[str, Any]) -> None:
    known(1)
    found = e2e.state_is_the_shops(shop(said), range(1, 3))
    assert (found.passed, found.says) == (False, f"1 of 1 orders differ: {said['id']}")


def test_what_changed_a_moment_ago_may_still_be_on_its_way(in_acme: Tenant) -> None:
    changed = told(1, updated_at=datetime.now(UTC).isoformat())
    assert e2e.state_is_the_shops(shop(changed), range(1, 3)) == (
        "the shop's own state",
        False,
        "0 orders, all as the shop says",
    )


def test_webhooks_and_work_that_stay_are_counted(in_acme: Tenant) -> None:
    assert e2e.webhooks_are_taken(shop(pending=2), soon()) == ("webhooks", False, "2 not taken")
    assert e2e.webhooks_are_taken(shop(), soon()).passed
    assert e2e.nothing_waits(soon()).passed
    order = known(1)
    Order.objects.filter(pk=order.pk).update(fold_retry_at=NOW)
    assert e2e.nothing_waits(soon()) == ("processing", False, "1 orders to judge again")


def test_a_deadline_that_passed_unseen_is_found(in_acme: Tenant) -> None:
    assert e2e.deadlines_are_judged().passed
    Stage.objects.create(order=known(1), name="delivery", state="RUNNING", started_at=NOW, due_at=NOW)
    assert e2e.deadlines_are_judged() == ("passed deadlines", False, "1 passed unseen")


def test_a_breach_without_its_exception_is_found(in_acme: Tenant) -> None:
    make_exception("1")
    late = {"state": "RUNNING", "started_at": NOW, "due_at": NOW, "breached": True}
    Stage.objects.create(order=Order.objects.get(order_id="1"), name="order_fulfillment", **late)
    assert e2e.breaches_have_exceptions() == ("breaches", True, "1, each with its exception")
    Stage.objects.create(order=known(2), name="order_fulfillment", **late)
    assert e2e.breaches_have_exceptions() == ("breaches", False, "1 of 2 without an exception")


def test_an_exception_without_analysis_is_found(in_acme: Tenant) -> None:
    make_exception("2", **resolved())
    make_exception("3", history=True)
    assert e2e.exceptions_are_analysed(soon()).passed
    record = make_exception("1")
    assert e2e.exceptions_are_analysed(soon()) == ("analyses", False, "1 exceptions without one")
    Analysis.objects.update_or_create(
        exception=record,
        occurrence=1,
        defaults={
            "state": State.DONE,
            "finished_at": NOW,
            "judge": Judge.RULES,
            "fallback": Fallback.values[0],
            "label": Label.UNKNOWN,
        },
    )
    assert e2e.exceptions_are_analysed(soon()).passed


def test_the_next_deadline_is_watched_as_it_passes(in_acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e2e, "FOUND_WITHIN", timedelta(seconds=0.5))
    assert e2e.next_deadline_is_found(time.monotonic() + 60).says == "none passes within the time given: not watched"
    now = database_now(raw_connection())
    stage = Stage.objects.create(
        order=known(1), name="delivery", state="RUNNING", started_at=now, due_at=now + timedelta(seconds=0.2)
    )
    found = e2e.next_deadline_is_found(time.monotonic() + 60)
    assert (found.passed, found.says) == (False, "order 9001, delivery: passed, and not in breach 0 s later")
    Stage.objects.filter(pk=stage.pk).update(due_at=database_now(raw_connection()) + timedelta(seconds=60))
    monkeypatch.setattr(e2e.time, "sleep", lambda _: Stage.objects.filter(pk=stage.pk).update(breached=True))
    assert e2e.next_deadline_is_found(time.monotonic() + 120).passed


def test_it_needs_the_demos_shop(acme: Tenant) -> None:
    with pytest.raises(CommandError, match=r"no tenant “demo-3pl” with a shop; \./run\.sh demo sets it up"):
        call_command("e2e_check", stdout=io.StringIO())


@pytest.mark.parametrize("wrong", [{"orders": 0}, {"orders": 5001}, {"wait_seconds": 0}])
def test_wrong_numbers_are_refused(acme: Tenant, wrong: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="must be from 1 to"):
        call_command("e2e_check", stdout=io.StringIO(), **wrong)


def test_a_stack_that_is_away_is_a_sentence(acme: Tenant, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(e2e_check, "DEMO_TENANT", "acme")
    WebhookSource.objects.create(tenant=acme, name=DEMO_SOURCE, provider="shopify", api_url="http://127.0.0.1:1/x")
    settings.E2A_API_PORT = 1
    with pytest.raises(CommandError, match=r"It does not answer as it should, at the first check.*run\.sh status"):
        call_command("e2e_check", stdout=io.StringIO(), stderr=io.StringIO())


def test_a_check_that_fails_fails_the_command(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e2e_check, "DEMO_TENANT", "acme")
    WebhookSource.objects.create(tenant=acme, name=DEMO_SOURCE, provider="shopify", api_url="http://127.0.0.1:1/x")
    checks = [e2e.Check("one", True, "well"), e2e.Check("two", False, "3 lost")]
    monkeypatch.setattr(e2e_check, "end_to_end", lambda *_: iter(checks))
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match=r"^Failed: two \(3 lost\)\.$"):
        call_command("e2e_check", json=True, stdout=out, stderr=err)
    said = json.loads(out.getvalue())
    assert (said["passed"], [check["name"] for check in said["checks"]]) == (False, ["one", "two"])
    assert "FAILED two: 3 lost" in err.getvalue()
