"""MTTA, MTTR and dwell: exact over a timeline, by group, with nothing where there is nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from exceptions import services
from exceptions.models import TimelineEntry
from exceptions.times import Times, measure_times
from tenants.models import Role, Tenant
from tests.exceptions.cast import NOW, make_exception
from tests.programs import program
from tests.tenants.cast import make_member, signed_in

SINCE = NOW - timedelta(days=30)
MINUTE = 60.0


def at(minutes: float) -> dict[str, Any]:
    return {"actor": "user:anna", "now": NOW + timedelta(minutes=minutes)}


def groups(by: str, since: datetime = SINCE) -> dict[str, Times]:
    return {each.name: each for each in measure_times(since=since, by=by).groups}


def test_lengths_are_those_of_the_timeline(in_acme: Tenant) -> None:
    one, two = make_exception("1", "north").pk, make_exception("2", "north").pk
    make_exception("3", "south")
    services.acknowledge_exception(exception_id=one, **at(10))
    services.start_exception(exception_id=one, **at(30))
    services.resolve_exception(exception_id=one, resolution="manual", **at(60))
    services.start_exception(exception_id=two, **at(20))
    services.resolve_exception(exception_id=two, resolution="manual", **at(40))
    services.reopen_exception(exception_id=two, **at(100))
    services.resolve_exception(exception_id=two, resolution="manual", **at(103))
    north, south = groups("merchant")["north"], groups("merchant")["south"]
    assert (north.runs, north.taken, north.ended) == (3, 2, 3)
    assert (north.mtta, north.median_tta) == (15 * MINUTE, 10 * MINUTE)
    assert (north.mttr, north.median_ttr) == (103 * MINUTE / 3, 40 * MINUTE)
    assert (north.in_open, north.in_acknowledged, north.in_progress) == (11 * MINUTE, 20 * MINUTE, 25 * MINUTE)
    assert south == Times(
        key="south", name="south", runs=1, taken=0, mtta=None, median_tta=None, ended=0, mttr=None, median_ttr=None,
        in_open=None, in_acknowledged=None, in_progress=None,
    )  # fmt: skip


def test_what_does_not_count_is_left_out(in_acme: Tenant) -> None:
    """History, what never was, and what began before the period."""
    make_exception("1", history=True)
    make_exception("2", verdict="none")
    make_exception("3")
    TimelineEntry.objects.filter(exception__order_ref="3").update(at=SINCE - timedelta(minutes=1))
    assert measure_times(since=SINCE, by="reason").whole.runs == 0
    assert measure_times(since=SINCE, by="reason").groups == []


def test_groups_have_names(in_acme: Tenant) -> None:
    anna = make_member(in_acme, "anna")
    make_exception("1", assignee_id=anna.pk)
    make_exception("2", assignee_id=999_999)
    make_exception("3", reason_code="PAYMENT_FAILED")
    assert {name: each.runs for name, each in groups("assignee").items()} == {"anna": 1, "nobody": 1, "who has left": 1}
    assert {name: each.runs for name, each in groups("reason").items()} == {
        "Handover to the carrier late": 2,
        "Payment failed": 1,
    }
    assert measure_times(since=SINCE, by="assignee").whole.runs == 3


def test_page_and_api_show_the_same(acme: Tenant, globex: Tenant) -> None:
    with schema_context("acme"):
        record = make_exception("1", "north")
        began = datetime.now(UTC) - timedelta(days=1)
        TimelineEntry.objects.update(at=began)
        ended = began + timedelta(minutes=90)
        services.resolve_exception(exception_id=record.pk, resolution="manual", actor="user:anna", now=ended)
    viewer = signed_in(acme, make_member(acme, "vera", role=Role.VIEWER))
    text = viewer.get("/times/?days=90&by=merchant").content.decode()
    client = program("acme", "read")
    body = client.get("/api/exceptions/times?by=merchant&days=366").json()
    assert (body["all"]["runs"], body["groups"][0]["name"], body["groups"][0]["mttr"]) == (1, "north", 5400.0)
    assert body["groups"][0]["mtta"] is None
    assert client.get("/api/exceptions/times?by=moon").status_code == 422
    assert "1 h 30 min" in text
    assert 'title="Nobody has acknowledged or started one of them">–<' in text
    other = signed_in(globex, make_member(globex, "gregor")).get("/times/").content.decode()
    assert "No exception opened in these days" in other


@pytest.mark.parametrize("by", ["reason", "assignee"])
def test_page_asks_as_often_for_many(acme: Tenant, by: str) -> None:
    viewer = signed_in(acme, make_member(acme, "vera", role=Role.VIEWER))
    with schema_context("acme"):
        make_exception("0", assignee_id=1)
        TimelineEntry.objects.update(at=datetime.now(UTC))
    with CaptureQueriesContext(connection) as few:
        viewer.get(f"/times/?by={by}")
    with schema_context("acme"):
        for number in range(1, 20):
            make_exception(str(number), assignee_id=number)
        TimelineEntry.objects.update(at=datetime.now(UTC))
    with CaptureQueriesContext(connection) as many:
        viewer.get(f"/times/?by={by}")
    assert len(many) == len(few) <= 9
