"""Messages and actions of E²A's own, through a playbook."""

import json
from pathlib import Path

import httpx
import pytest
from django.core import mail
from django_tenants.utils import schema_context

from exceptions.deliveries.models import Delivery
from exceptions.deliveries.sender import Ways
from exceptions.models import ExceptionRecord
from exceptions.playbooks.models import Attempt
from orders.models import Event
from tenants.models import Tenant
from tests.exceptions.cast import make_member
from tests.exceptions.deliveries.test_sending import always, target
from tests.exceptions.playbooks.cast import (
    TAG,
    Team,
    exception_of,
    only,
    playbook,
    shop_at,
    source_of,
    states,
    step,
    tell,
)

LETTER = {"subject": "Order {order}", "text": "Dear {customer}, {reason}: {tracking} with {carrier}."}
PAID = {"expects": ["payment_confirmed"], "within_minutes": 60}


@pytest.fixture
def team(in_acme: Tenant, tmp_path: Path) -> Team:
    source_of(in_acme)
    return Team(in_acme, shop_at(tmp_path, 30))


def test_a_customer_is_written_to_and_pays(team: Team) -> None:
    order = team.shop.orders()[0]
    record = exception_of(order, "PAYMENT_FAILED")
    playbook(team.tenant, step("email_customer", parameters=LETTER, **PAID), reason="PAYMENT_FAILED")
    team.round()
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([order["email"]], f"Order {order['id']}")
    first = order["customer"]["first_name"]
    assert sent.body == f"Dear {first}, Payment failed: not known yet with the carrier."
    assert (only(record).state, only(record).delivery.state) == ("expecting", "delivered")
    assert only(record).request["to"] == f"c…@{order['email'].partition('@')[2]}"
    assert order["email"] not in str(only(record).__dict__)
    tell(record, "payment_confirmed", at=team.clock())
    team.round()
    record.refresh_from_db()
    assert (only(record).state, record.status) == ("fulfilled", "RESOLVED")


def test_a_playbook_writes_to_a_customer_once_a_day(team: Team) -> None:
    order = team.shop.orders()[0]
    for reason in ("PAYMENT_FAILED", "PAYMENT_DELAY"):
        exception_of(order, reason)
        playbook(
            team.tenant,
            step("email_customer", parameters=LETTER),
            TAG,
            reason=reason,
            name=reason.lower().replace("_", "-"),
        )
    team.round()
    team.round()
    assert len(mail.outbox) == 1
    spared = Attempt.objects.get(kind="email_customer", state="ended")
    assert spared.outcome.startswith("The customer was written to about this order at ")
    assert Attempt.objects.filter(kind="shopify_tag", state="done").count() == 2


def test_an_order_without_an_address_is_told_of(team: Team) -> None:
    order = {**team.shop.orders()[0], "email": "[redacted]", "customer": {"redacted": True}}
    record = exception_of(order, "PAYMENT_FAILED")
    playbook(team.tenant, step("email_customer", parameters=LETTER), reason="PAYMENT_FAILED")
    team.round()
    assert only(record).outcome == "The order carries no e-mail address of the customer."


def test_slack_and_a_webhook_get_what_they_should_and_nothing_of_the_person(team: Team) -> None:
    target(team.tenant, "slack", "ops", "https://hooks.slack.example/x")
    target(team.tenant, "webhook", "wms", "https://wms.example/in")
    order = team.shop.orders()[0]
    record = exception_of(order)
    say = step("slack", parameters={"target": "ops", "text": "{order} {link}"})
    playbook(team.tenant, say, step("webhook", parameters={"target": "wms"}))
    team.ways, seen = always(httpx.Response(200, text="ok"))
    for _ in range(3):
        team.round()
        team.clock.go(seconds=3)
    assert states(record) == [("slack", "done"), ("webhook", "done")]
    posted, called = seen
    assert json.loads(posted.content)["text"].startswith(
        f"{order['id']} http://acme.localhost:8000/exceptions/{record.pk}"
    )
    told = json.loads(called.content)["data"]
    assert (told["order_id"], told["reason_code"], told["exception_id"]) == (
        str(order["id"]),
        "ADDRESS_INVALID",
        record.pk,
    )
    person = (order["email"], order["customer"]["last_name"], order["shipping_address"]["address1"])
    assert not any(word in (posted.content + called.content).decode() for word in person)


def test_a_message_that_fails_for_good_leads_to_the_next_step(team: Team) -> None:
    target(team.tenant, "webhook", "wms")
    record = exception_of(team.shop.orders()[0])
    playbook(team.tenant, step("webhook", parameters={"target": "wms"}), TAG)
    team.ways, _ = always(httpx.Response(410, text="moved away"))
    team.round()
    team.round()
    assert states(record) == [("webhook", "failed"), ("shopify_tag", "done")]
    assert "410 moved away" in Attempt.objects.get(kind="webhook").outcome


def test_a_team_is_written_to_at_its_addresses(team: Team) -> None:
    target(team.tenant, "email", "wh", "a@wh.example, b@wh.example")
    exception_of(team.shop.orders()[0])
    playbook(team.tenant, step("email_team", parameters={"target": "wh", **LETTER}))
    team.ways = Ways()
    team.round()
    assert mail.outbox[0].to == ["a@wh.example", "b@wh.example"]
    assert Delivery.objects.get().content == ""


def test_an_exception_is_given_to_a_member_unless_somebody_has_it(team: Team) -> None:
    ben = make_member(team.tenant, "ben")
    free, taken = (exception_of(order) for order in team.shop.orders()[:2])
    ExceptionRecord.objects.filter(pk=taken.pk).update(assignee_id=ben.pk + 1)
    playbook(team.tenant, step("assign", parameters={"member": "ben"}))
    team.round()
    free.refresh_from_db()
    assert (free.assignee_id, states(free), states(taken)) == (ben.pk, [("assign", "done")], [("assign", "failed")])
    assert free.timeline.get(kind="assigned").actor == "playbook:mend"


def test_clocks_are_stopped_and_let_go_by_events_of_our_own(committed: None, tmp_path: Path) -> None:
    tenant = Tenant.objects.get(slug="acme")
    with schema_context("acme"):
        team = Team(tenant, shop_at(tmp_path, 10))
        record = exception_of(team.shop.orders()[0])
        playbook(tenant, step("hold", parameters={"reason": "checking"}), step("release"))
        team.round()
        assert states(record) == [("hold", "done"), ("release", "done")]
        own = Event.objects.filter(source="e2a").order_by("pk")
        assert [event.event_type for event in own] == ["order_held", "order_released"]
        assert {event.payload["actor"] for event in own} == {"playbook:mend"}
        assert (
            own[0].payload["hold_id"] == own[1].payload["hold_id"] == f"e2a-{Attempt.objects.get(kind='hold').key.hex}"
        )
