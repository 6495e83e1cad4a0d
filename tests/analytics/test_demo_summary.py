"""`demo_summary`: counted in the tenant's own tables, what is lacking said as lacking."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django_tenants.utils import schema_context

from exceptions.incidents.models import Incident
from orders.models import Order, Stage
from tenants.models import Tenant
from tests.exceptions.cast import make_exception, resolved
from tests.exceptions.incidents.cast import fold, storm

LONG_AGO = datetime.now(UTC) - timedelta(hours=1)
NO_BREACHES = dict.fromkeys(
    ["payment_processing", "inventory_check", "shipping_preparation", "order_fulfillment", "delivery"], 0
)


def summary(slug: str = "acme", **options: object) -> str:
    out = io.StringIO()
    call_command("demo_summary", slug, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_it_counts_one_tenant_alone(in_acme: Tenant, globex: Tenant) -> None:
    make_exception("1", severity="HIGH")
    make_exception("2", **resolved())
    make_exception("3", reason_code="PAYMENT_DELAY", verdict="none")
    Stage.objects.create(
        order=Order.objects.get(order_id="1"), name="order_fulfillment", state="RUNNING", breached=True
    )
    with schema_context(globex.schema_name):
        make_exception("9", reason_code="DELIVERY_FAILED")
    found = json.loads(summary(json=True).splitlines()[-1])
    assert found["tenant"] == "acme"
    assert (found["events"], found["orders"], found["active_exceptions"]) == (0, 3, 1)
    assert found["exceptions"] == {"FULFILLMENT_DELAY": {"HIGH": 1, "MEDIUM": 1}}
    assert found["breaches"] == {**NO_BREACHES, "order_fulfillment": 1}


def test_what_is_lacking_is_said_to_be_lacking(in_acme: Tenant) -> None:
    lines = summary().splitlines()
    assert "Events 0 · orders 0 · dead letters 0" in lines
    assert "Analyses: none yet" in lines
    assert lines[-1].startswith("Invoices: none yet")


def test_it_waits_for_what_is_being_processed_and_names_what_is_left(in_acme: Tenant) -> None:
    order = Order.objects.create(order_id="1", merchant="default")
    Stage.objects.create(order=order, name="delivery", state="RUNNING", judge_at=LONG_AGO)
    assert json.loads(summary(json=True))["waiting"] == {"deadlines to look at": 1}
    assert summary().splitlines()[-1] == "Still waiting: 1 deadlines to look at."


def test_an_unknown_tenant_is_refused(acme: Tenant) -> None:
    with pytest.raises(CommandError, match="There is no tenant “nobody”"):
        summary("nobody")


def test_it_counts_incidents_but_for_those_that_were_none(in_acme: Tenant) -> None:
    assert "Incidents: none, too few exceptions share a cause" in summary().splitlines()
    storm(6)
    fold()
    assert "Incidents: 1 open" in summary().splitlines()
    Incident.objects.update(state="closed", closed_how="dissolved", closed_at=LONG_AGO)
    assert json.loads(summary(json=True).splitlines()[-1])["incidents"] == {}
