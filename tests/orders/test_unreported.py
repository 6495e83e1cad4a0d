"""A stage whose end no source reports is named on the policy's page, which offers to switch its deadline off."""

from collections.abc import Sequence
from datetime import timedelta

from django.test import Client

from e2a.postgresql.raw import database_now, raw_connection
from orders.events import incoming
from orders.ingest import ingest
from orders.unreported import FEWEST, Unreported, unreported_stages
from tenants.models import Role, Tenant
from tests.orders.policy_cast import client_of, draft_now, state_of, text_of

OFF = "/policy/draft/switch-off/payment_processing/"


def orders(tenant: Tenant, number: int, kinds: Sequence[str] = ("order_created", "order_fulfilled")) -> None:
    """Of two hours ago: late with their payment, in time with the rest."""
    now = database_now(raw_connection())
    events = [
        incoming(
            source="wms", event_type=kind, event_id=f"{kind}-{index}", order_id=str(index), occurred_at=now - timedelta(hours=2),
            payload={}, merchant="default", detail=None, raw=b"",
        )
        for index in range(number)
        for kind in kinds
    ]  # fmt: skip
    ingest(tenant.schema_name, events, now=now)


def test_stage_that_nobody_ends_is_named(in_acme: Tenant) -> None:
    orders(in_acme, FEWEST)
    assert unreported_stages() == [Unreported("payment_processing", ("payment_confirmed",), FEWEST)]


def test_few_late_orders_or_one_that_was_told_say_nothing(in_acme: Tenant) -> None:
    orders(in_acme, FEWEST - 1)
    assert unreported_stages() == []
    orders(in_acme, FEWEST)
    orders(in_acme, 1, ["payment_confirmed"])
    assert unreported_stages() == []


def test_its_deadline_is_switched_off_in_the_draft(in_acme: Tenant, globex: Tenant) -> None:
    orders(in_acme, FEWEST)
    manager = client_of(in_acme)
    page = text_of(manager.get("/policy/"))
    assert f"of the orders heard of last {FEWEST} are late with it" in page and OFF in page
    assert "Such a clock" not in text_of(client_of(globex).get("/policy/"))
    assert manager.post(OFF).headers["Location"] == "/policy/draft/"
    targets = draft_now(in_acme).rules["rules"][0]["targets"]
    assert targets["payment_processing"] is None and targets["order_fulfillment"] == {"hours": 24}
    manager.post("/policy/draft/publish/", {"revision": draft_now(in_acme).revision})
    assert "Such a clock" not in text_of(manager.get("/policy/"))


def test_who_is_no_manager_switches_nothing_off(in_acme: Tenant) -> None:
    before = state_of(in_acme)
    viewer: Client = client_of(in_acme, Role.OPERATOR)
    text_of(viewer.post(OFF), 403)
    text_of(client_of(in_acme).post("/policy/draft/switch-off/nothing/"), 404)
    assert state_of(in_acme) == before
