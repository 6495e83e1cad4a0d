"""The board of what is at risk, and the count of what was saved."""

from datetime import datetime, timedelta
from typing import Any

from django_tenants.utils import schema_context

from orders.at_risk import AtRiskFilters, at_risk_stages, saved_stages
from orders.models import Order, Stage
from tenants.models import Tenant
from tests.exceptions.cast import NOW


def stage(order_id: str, due: datetime | None, **columns: Any) -> Stage:
    order = Order.objects.create(order_id=order_id, merchant=columns.pop("merchant", "north"))
    given = {
        "state": "RUNNING",
        "severity": "LOW",
        "started_at": NOW - timedelta(hours=2),
        "target_seconds": 3600,
        **columns,
    }
    return Stage.objects.create(order=order, name="order_fulfillment", due_at=due, **given)


def test_board_is_sorted_by_the_time_left(in_acme: Tenant, globex: Tenant) -> None:
    for order_id, minutes in (("late-soon", 5), ("later", 50), ("soonest", 1)):
        stage(order_id, NOW + timedelta(minutes=minutes))
    stage("paused", None)
    stage("calm", NOW, severity="")
    stage("late", NOW, breached=True)
    stage("done", NOW, state="COMPLETED", ended_at=NOW)
    stage("other", NOW + timedelta(minutes=2), merchant="south")
    found = [each.order.order_id for each in at_risk_stages()]
    assert found == ["soonest", "other", "late-soon", "later", "paused"]
    assert [each.order.order_id for each in at_risk_stages(AtRiskFilters(merchant="south"))] == ["other"]
    with schema_context(globex.schema_name):
        assert list(at_risk_stages()) == []


def test_saved_are_those_that_were_warned_of_and_ended_in_time(in_acme: Tenant) -> None:
    ended = {"state": "COMPLETED", "ended_at": NOW}
    stage("saved", NOW, **ended)
    stage("never at risk", NOW, **{**ended, "severity": ""})
    stage("late after all", NOW, **{**ended, "breached": True})
    stage("cancelled", NOW, state="CANCELLED", ended_at=NOW)
    stage("before", NOW, **{**ended, "ended_at": NOW - timedelta(days=1)})
    stage("at the end", NOW, **{**ended, "ended_at": NOW + timedelta(hours=1)})
    found = saved_stages(since=NOW, until=NOW + timedelta(hours=1))
    assert [each.order.order_id for each in found] == ["saved"]
