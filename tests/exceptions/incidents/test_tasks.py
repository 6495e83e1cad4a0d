"""The round that beat sends: every tenant, one's trouble no other's."""

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django_tenants.utils import schema_context

from exceptions.incidents import tasks
from exceptions.incidents.models import Incident
from tenants.models import Tenant
from tests.exceptions.cast import NOW
from tests.exceptions.incidents.cast import end, fold, late_parcel, storm, the_incident


@pytest.fixture(autouse=True)
def _at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "database_now", lambda _: NOW)


def test_a_round_looks_at_every_tenant(acme: Tenant, globex: Tenant) -> None:
    for slug in ("acme", "globex"):
        with schema_context(slug):
            storm(5)
    assert tasks.fold_all_incidents() == 2
    for slug in ("acme", "globex"):
        with schema_context(slug):
            assert the_incident().orders == 5
    assert tasks.fold_all_incidents(unknown="to this version") == 0


def test_one_tenants_trouble_holds_no_other_up(acme: Tenant, globex: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    for slug in ("acme", "globex"):
        with schema_context(slug):
            storm(5)
    whole = tasks.fold_incidents

    def stumbles(**given: Any) -> Any:
        if connection.schema_name == "acme":
            raise DatabaseError("cancelled")
        return whole(**given)

    monkeypatch.setattr(tasks, "fold_incidents", stumbles)
    assert tasks.fold_all_incidents() == 1
    with schema_context("globex"):
        assert the_incident().orders == 5
    with schema_context("acme"):
        assert not Incident.objects.exists()


def test_what_is_over_before_a_round_sees_it_is_counted_all_the_same(in_acme: Tenant) -> None:
    end(storm(5))
    fold()
    assert (the_incident().state, the_incident().orders) == ("closed", 5)
    end([late_parcel("order-5")])
    fold()
    assert (the_incident().state, the_incident().orders, the_incident().live) == ("closed", 6, 0)
