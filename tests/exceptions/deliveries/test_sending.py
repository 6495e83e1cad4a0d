"""Messages: sent once for their key, tried again where that is harmless, with a log of the tries."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django_tenants.utils import schema_context

from exceptions.deliveries.backoff import WAITS, wait_after
from exceptions.deliveries.models import Delivery
from exceptions.deliveries.sender import Ways, send_due
from exceptions.deliveries.services import LEASE, queue_delivery, recover_deliveries, retry_delivery
from orders.providers.delivery import Delivery as Incoming
from orders.providers.standard import Standard
from tenants.clients.outgoing import TIMEOUT, WHOLE_SECONDS
from tenants.models import Tenant
from tenants.outgoing.models import OutgoingTarget
from tenants.outgoing.services import create_target
from tests.exceptions.cast import NOW
from tests.exceptions.playbooks.cast import Clock

LETTER = {"subject": "Late", "text": "Hello"}


def target(tenant: Tenant, channel: str, name: str = "ops", address: str = "https://hooks.example/x") -> OutgoingTarget:
    return create_target(
        tenant=tenant,
        name=name,
        channel=channel,
        address=address,
        actor="user:max",
        resolve=lambda host, port: ["8.8.8.8"],
    ).row


def always(*answers: httpx.Response | Exception) -> tuple[Ways, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        found = answers[min(len(seen), len(answers)) - 1]
        if isinstance(found, Exception):
            raise found
        return found

    return Ways(transport=httpx.MockTransport(answer), chance=lambda: 0.5), seen


def hook(key: str = "m1", name: str = "ops") -> Delivery:
    return queue_delivery(key=key, channel="webhook", target=name, content={"type": "t", "data": {"a": 1}}, now=NOW)


def test_a_message_of_the_same_key_is_the_same_message(in_acme: Tenant) -> None:
    first = queue_delivery(key="k", channel="email", recipient="a@b.example", content=LETTER, now=NOW)
    assert queue_delivery(key="k", channel="email", recipient="c@d.example", content=LETTER, now=NOW) == first
    clock = Clock()
    clock.go(seconds=1)
    assert send_due("acme", now=clock) == 1
    assert send_due("acme", now=clock) == 0
    assert [message.to for message in mail.outbox] == [["a@b.example"]]
    first.refresh_from_db()
    assert (first.state, first.recipient, first.content, first.tries) == ("delivered", "", "", 1)
    assert first.log[0]["outcome"] == "delivered"


def test_addresses_and_texts_rest_encrypted(in_acme: Tenant) -> None:
    queue_delivery(key="k", channel="email", recipient="anna@b.example", content=LETTER, now=NOW)
    target(in_acme, "slack", address="https://hooks.slack.example/secret-path")
    with connection.cursor() as cursor:
        cursor.execute("SELECT recipient || content FROM exceptions_delivery")
        stored = cursor.fetchone()[0]
        cursor.execute("SELECT address FROM public.tenants_outgoingtarget")
        stored += cursor.fetchone()[0]
    assert not any(word in stored for word in ("anna", "Hello", "secret-path"))


def test_a_webhook_is_signed_and_the_same_at_every_try(in_acme: Tenant) -> None:
    row = target(in_acme, "webhook")
    hook()
    ways, seen = always(httpx.Response(503), httpx.Response(200))
    clock = Clock()
    clock.go(seconds=1)
    send_due("acme", ways=ways, now=clock)
    assert (Delivery.objects.get().state, Delivery.objects.get().log[0]["answer"]) == (
        "waiting",
        "The receiver answered 503",
    )
    assert send_due("acme", ways=ways, now=clock) == 0
    clock.go(seconds=5)
    send_due("acme", ways=ways, now=clock)
    assert Delivery.objects.get().state == "delivered"
    first, second = seen
    assert first.content == second.content
    assert json.loads(first.content).keys() == {"type", "timestamp", "data"}
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "m1"
    headers = {name.lower(): value for name, value in second.headers.items()}
    came = Incoming(source="x", body=second.content, headers=headers, now=clock())
    assert Standard().verify(came, [row.secret])


def test_a_webhook_is_given_up_after_its_last_try_and_can_be_sent_anew(in_acme: Tenant) -> None:
    target(in_acme, "webhook")
    made = hook()
    ways, seen = always(httpx.ReadTimeout("x"))
    clock = Clock()
    for _ in range(20):
        clock.go(hours=13)
        send_due("acme", ways=ways, now=clock)
    made.refresh_from_db()
    assert (made.state, made.tries, len(seen)) == ("failed", 10, 10)
    assert retry_delivery(delivery_id=made.pk, now=clock())
    ways, seen = always(httpx.Response(204))
    send_due("acme", ways=ways, now=clock)
    made.refresh_from_db()
    assert (made.state, len(made.log)) == ("delivered", 11)


class Silent(BaseEmailBackend):
    """Takes a mail and hangs up."""

    sent = 0

    def open(self) -> bool:
        return True

    def send_messages(self, messages: Any) -> int:
        Silent.sent += 1
        raise TimeoutError


def test_a_mail_or_a_post_of_unknown_fate_is_not_repeated(in_acme: Tenant) -> None:
    target(in_acme, "slack")
    queue_delivery(key="s", channel="slack", target="ops", content={"text": "x"}, now=NOW)
    queue_delivery(key="e", channel="email", recipient="a@b.example", content=LETTER, now=NOW)
    ways, seen = always(httpx.ReadTimeout("x"))
    clock = Clock()
    for _ in range(3):
        clock.go(hours=5)
        send_due("acme", ways=Ways(ways.transport, Silent()), now=clock)
    assert set(Delivery.objects.values_list("state", "tries")) == {("uncertain", 1)}
    assert (len(seen), Silent.sent) == (1, 1)


@pytest.mark.parametrize(("channel", "state"), [("webhook", "waiting"), ("slack", "uncertain"), ("email", "uncertain")])
def test_a_sender_that_died_repeats_only_what_is_harmless(in_acme: Tenant, channel: str, state: str) -> None:
    made = queue_delivery(key="k", channel=channel, target="ops", content={"text": "x"}, now=NOW)
    clock = Clock()
    Delivery.objects.update(state="sending", due_at=clock(), tries=1)
    assert recover_deliveries(now=clock()) == 1
    made.refresh_from_db()
    assert made.state == state


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (httpx.Response(410), "failed"),
        (httpx.Response(404), "failed"),
        (httpx.Response(301), "failed"),
        (httpx.ConnectError("x"), "waiting"),
    ],
)
def test_a_refusal_is_final_and_an_absence_is_not(in_acme: Tenant, answer: Any, state: str) -> None:
    target(in_acme, "webhook")
    hook()
    ways, _ = always(answer)
    clock = Clock()
    clock.go(seconds=1)
    send_due("acme", ways=ways, now=clock)
    assert Delivery.objects.get().state == state


@pytest.mark.parametrize("change", [lambda rows: rows.delete(), lambda rows: rows.update(active=False)])
def test_what_waits_for_a_target_that_is_gone_fails_with_a_sentence(
    in_acme: Tenant, change: Callable[[Any], Any]
) -> None:
    target(in_acme, "webhook")
    hook()
    change(OutgoingTarget.objects.all())
    ways, seen = always(httpx.Response(200))
    clock = Clock()
    clock.go(seconds=1)
    send_due("acme", ways=ways, now=clock)
    assert (Delivery.objects.get().state, seen) == ("failed", [])
    assert "“ops”" in Delivery.objects.get().log[0]["answer"]


def test_a_message_goes_to_no_target_of_another_tenant(in_acme: Tenant, globex: Tenant) -> None:
    target(globex, "webhook", "theirs")
    hook(name="theirs")
    ways, seen = always(httpx.Response(200))
    clock = Clock()
    clock.go(seconds=1)
    send_due("acme", ways=ways, now=clock)
    assert (Delivery.objects.get().state, seen) == ("failed", [])
    with schema_context("globex"):
        assert Delivery.objects.count() == 0


def test_several_senders_send_each_message_once(committed: None) -> None:
    tenant = Tenant.objects.get(slug="acme")
    target(tenant, "webhook")
    with schema_context("acme"):
        for number in range(12):
            hook(f"m{number}")
    ways, seen = always(httpx.Response(200))
    clock = Clock()
    clock.go(seconds=1)

    def sender() -> None:
        with schema_context("acme"):
            send_due("acme", ways=ways, now=clock)
        connection.close()

    threads = [threading.Thread(target=sender) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(request.headers["webhook-id"] for request in seen) == sorted(f"m{number}" for number in range(12))


@pytest.mark.parametrize("channel", list(WAITS))
def test_waits_grow_are_spread_and_end(channel: str) -> None:
    waits = [wait_after(channel, tries, wish=None, chance=0.5) for tries in range(1, len(WAITS[channel]) + 1)]
    assert waits == sorted(waits, key=float) and waits == list(WAITS[channel])
    assert wait_after(channel, len(waits) + 1, wish=None, chance=0.5) is None
    assert wait_after(channel, 1, wish=500, chance=0.5) == 500
    low, high = (wait_after(channel, 2, wish=None, chance=chance) for chance in (0, 1))
    assert low is not None and high is not None and high / low == pytest.approx(1.5)


def test_the_lease_outlasts_the_longest_call() -> None:
    assert timedelta(seconds=WHOLE_SECONDS + float(TIMEOUT.read or 0)) < LEASE
