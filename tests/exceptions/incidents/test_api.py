"""Incidents over the API: the list, one, decisions, refusals, another tenant's key."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.forms.models import model_to_dict
from django_tenants.utils import schema_context

from exceptions.incidents.models import Incident, IncidentEntry
from exceptions.models import ExceptionRecord
from orders.models import Order
from tenants.models import Tenant
from tests.exceptions.incidents.cast import fold, members_of, storm, the_incident
from tests.programs import program


@pytest.fixture
def one(acme: Tenant) -> Iterator[Incident]:
    with schema_context("acme"):
        storm(6)
        Order.objects.filter(order_id__in=["order-0", "order-1"]).update(value_cents=1_250, currency="EUR")
        fold()
        yield the_incident()


def post(client: Any, path: str, **body: Any) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


def reread(one: Incident) -> tuple[dict[str, Any], int]:
    with schema_context("acme"):
        return model_to_dict(Incident.objects.get(pk=one.pk)), IncidentEntry.objects.count()


def test_the_list_and_one(one: Incident) -> None:
    reader = program("acme", "read")
    (listed,) = reader.get("/api/incidents?state=open&sort=stake").json()["results"]
    assert (listed["rule"], listed["shared"]) == ("carrier-lane", {"carrier": "UPS", "destination": "DE"})
    assert (listed["orders"], listed["exceptions_open"], listed["merchants"]) == (6, 6, 1)
    assert (listed["stake"], listed["stake_unpriced"]) == ([{"currency": "EUR", "cents": 2500}], 4)
    whole = reader.get(f"/api/incidents/{one.pk}").json()
    assert {name: whole[name] for name in listed} == listed
    assert [entry["kind"] for entry in whole["timeline"]] == ["opened"]
    assert reader.get("/api/incidents?state=closed").json()["results"] == []
    assert len(reader.get(f"/api/exceptions?incident={one.pk}").json()["results"]) == 6


def test_decisions_and_what_they_leave(one: Incident) -> None:
    worker = program("acme", "read", "operate")
    confirmed = post(worker, f"/api/incidents/{one.pk}/confirm", reason="strike").json()
    assert (confirmed["state"], confirmed["timeline"][-1]["reason"]) == ("confirmed", "strike")
    assert confirmed["confirmed_by"].startswith("key:")
    assert post(worker, f"/api/incidents/{one.pk}/silence").json()["silenced"] is True
    assert post(worker, f"/api/incidents/{one.pk}/unsilence").json()["silenced"] is False
    with schema_context("acme"):
        out = ExceptionRecord.objects.get(order_ref="order-2").pk
    assert post(worker, f"/api/incidents/{one.pk}/take-out", exception=out).json()["taken_out"] == [out]
    assert post(worker, f"/api/incidents/{one.pk}/close").json()["closed_how"] == "person"
    assert post(worker, f"/api/incidents/{one.pk}/reopen").json()["state"] == "confirmed"
    assert post(worker, f"/api/incidents/{one.pk}/dismiss").json()["closed_how"] == "dismissed"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("unsilence", {}, 409),
        ("reopen", {}, 409),
        ("take-out", {"exception": 10**9}, 409),
        ("take-out", {}, 422),
        ("take-out", {"exception": "x"}, 422),
        ("confirm", {"reason": "x" * 2001}, 422),
    ],
)
def test_what_is_refused_is_a_problem_and_changes_nothing(
    one: Incident, path: str, body: dict[str, Any], status: int
) -> None:
    was = reread(one)
    answer = post(program("acme", "operate"), f"/api/incidents/{one.pk}/{path}", **body)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert reread(one) == was


@pytest.mark.parametrize("query", ["state=purple", "sort=purple", "page_size=0", "cursor=purple"])
def test_an_unusable_query_gets_a_sentence(acme: Tenant, query: str) -> None:
    answer = program("acme", "read").get(f"/api/incidents?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [query.partition("=")[0]])


def test_the_scope_to_read_decides_nothing_and_the_one_to_send_reads_nothing(one: Incident) -> None:
    was = reread(one)
    assert post(program("acme", "read"), f"/api/incidents/{one.pk}/confirm").status_code == 403
    assert program("acme", "ingest").get("/api/incidents").status_code == 403
    assert reread(one) == was


def test_another_tenants_incident_is_not_there(globex: Tenant, one: Incident) -> None:
    stranger = program("globex", "read", "operate")
    was = reread(one)
    assert stranger.get("/api/incidents").json()["results"] == []
    assert stranger.get(f"/api/incidents/{one.pk}").status_code == 404
    for path in ("confirm", "dismiss", "silence", "unsilence", "close", "reopen"):
        assert post(stranger, f"/api/incidents/{one.pk}/{path}").status_code == 404, path
    with schema_context("acme"):
        record = ExceptionRecord.objects.first()
        assert record is not None
    assert post(stranger, f"/api/incidents/{one.pk}/take-out", exception=record.pk).status_code == 404
    assert stranger.get(f"/api/exceptions?incident={one.pk}").json()["results"] == []
    assert reread(one) == was
    with schema_context("acme"):
        assert len(members_of(one)) == 6
