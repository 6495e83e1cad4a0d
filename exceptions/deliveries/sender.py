"""Sends what is due: claims a row, calls outside any transaction, writes down what became of it."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

from e2a.postgresql.raw import database_now, raw_connection
from e2a.pulse import pulse
from exceptions.deliveries.backoff import REPEATABLE, wait_after
from exceptions.deliveries.models import Delivery, DeliveryState
from exceptions.deliveries.services import Try, claim_delivery, record_try
from tenants.clients.errors import Busy, CallError, Refused, Unsure
from tenants.clients.mail import Letter, send_mail
from tenants.clients.slack import post_to_slack
from tenants.clients.webhooks import send_webhook
from tenants.models import Membership, Tenant
from tenants.outgoing.addresses import mailboxes
from tenants.outgoing.models import Channel, OutgoingTarget
from tenants.outgoing.services import signing_secrets

Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Ways:
    """How messages leave; each a seam for tests."""

    transport: httpx.BaseTransport | None = None
    mail: BaseEmailBackend | None = None
    chance: Callable[[], float] = random.random


WAYS = Ways()


def database_clock() -> datetime:
    return database_now(raw_connection())


def send_due(schema: str, *, ways: Ways = WAYS, now: Now = database_clock, until: float | None = None) -> int:
    """Until nothing is due, or `time.monotonic()` has passed `until`. Returns how many were tried."""
    tried = 0
    while (until is None or time.monotonic() < until) and (delivery := claim_delivery(now=now())):
        send_one(schema, delivery, ways, now)
        tried += 1
    if tried:
        pulse.touch(schema)
    return tried


def send_one(schema: str, delivery: Delivery, ways: Ways, now: Now) -> None:
    began = time.perf_counter()
    outcome: str | CallError
    try:
        outcome = call(schema, delivery, ways, now())
    except CallError as error:
        outcome = error
    ended = now()
    tried = judge(delivery, outcome, int((time.perf_counter() - began) * 1000), ended, ways.chance())
    record_try(delivery=delivery, tried=tried, now=ended)


def judge(delivery: Delivery, outcome: str | CallError, ms: int, now: datetime, chance: float) -> Try:
    if isinstance(outcome, str):
        return Try(DeliveryState.DELIVERED, outcome, ms)
    if isinstance(outcome, Unsure) and delivery.channel not in REPEATABLE:
        return Try(DeliveryState.UNCERTAIN, outcome.sentence, ms)
    wish = outcome.wait_seconds if isinstance(outcome, Busy) else None
    wait = wait_after(delivery.channel, delivery.tries, wish=wish, chance=chance)
    if isinstance(outcome, Refused) or wait is None:
        return Try(DeliveryState.FAILED, outcome.sentence, ms)
    return Try(DeliveryState.WAITING, outcome.sentence, ms, now + timedelta(seconds=wait))


def call(schema: str, delivery: Delivery, ways: Ways, now: datetime) -> str:
    """Raises: CallError."""
    content: dict[str, Any] = json.loads(delivery.content)
    target = target_of(schema, delivery) if delivery.target else None
    mailbox = delivery.recipient if delivery.user_id is None else mailbox_of(schema, delivery.user_id)
    if delivery.channel == Channel.EMAIL:
        boxes = mailboxes(target.address) if target else [mailbox]
        letter = Letter(boxes, content["subject"], content["text"], delivery.key, settings.E2A_BASE_DOMAIN)
        return send_mail(letter, backend=ways.mail)
    if target is None:
        raise Refused("The message names no target.")
    allowed = settings.E2A_ALLOW_PRIVATE_OUTGOING
    if delivery.channel == Channel.SLACK:
        return post_to_slack(target.address, content["text"], transport=ways.transport, allow_private=allowed)
    return send_webhook(
        target.address,
        secrets=signing_secrets(target, now),
        identity=delivery.key,
        at=now,
        body=webhook_body(delivery, content),
        transport=ways.transport,
        allow_private=allowed,
    )


def webhook_body(delivery: Delivery, content: dict[str, Any]) -> bytes:
    """The same bytes at every try: type, timestamp and data, as Standard Webhooks has them."""
    told = {"type": content["type"], "timestamp": delivery.created_at.isoformat(), "data": content["data"]}
    return json.dumps(told, ensure_ascii=False).encode()


def mailbox_of(schema: str, user_id: int) -> str:
    """Of a member. Raises: Refused once the person has left or the account is off."""
    members = Membership.objects.filter(tenant__schema_name=schema, user_id=user_id, user__is_active=True)
    found = members.values_list("user__email", flat=True).first()
    if found is None:
        raise Refused("The person has left the team.")
    return found


def target_of(schema: str, delivery: Delivery) -> OutgoingTarget:
    """Of this tenant alone. Raises: Refused."""
    tenant = Tenant.objects.filter(schema_name=schema)
    found = OutgoingTarget.objects.filter(tenant__in=tenant, name=delivery.target, channel=delivery.channel).first()
    if found is None:
        raise Refused(f"There is no target “{delivery.target}” any more.")
    if not found.active:
        raise Refused(f"The target “{delivery.target}” is switched off.")
    return found
