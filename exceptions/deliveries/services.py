"""Queues messages and writes down what became of them. All in the schema that the connection stands in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from exceptions.deliveries.backoff import REPEATABLE
from exceptions.deliveries.models import Delivery, DeliveryState
from tenants.outgoing.models import Channel

LEASE = timedelta(seconds=60)
ANSWER_LENGTH = 300
MOST_LOGGED = 20


def queue_delivery(
    *,
    key: str,
    channel: str,
    content: Mapping[str, Any],
    now: datetime,
    target: str = "",
    recipient: str = "",
    user_id: int | None = None,
    exception_id: int | None = None,
) -> Delivery:
    """Call it in the transaction of what the message tells. The same key again is the same message, and gives the first.

    `user_id`: the member whose notification it is; the address of an e-mail is then looked up when it is sent.

    `content`: {"subject", "text"} for e-mail, {"text"} for Slack, {"type", "data"} for a webhook.
    """
    made, _ = Delivery.objects.get_or_create(
        key=key,
        defaults={
            "channel": channel,
            "target": target,
            "recipient": recipient,
            "user_id": user_id,
            "content": json.dumps(dict(content), ensure_ascii=False),
            "exception_id": exception_id,
            "created_at": now,
            "due_at": now,
        },
    )
    return made


def claim_delivery(*, now: datetime) -> Delivery | None:
    """One that is due, leased to the caller; None when nothing is. Of several who ask at once each gets another."""
    due = Delivery.objects.filter(state=DeliveryState.WAITING, due_at__lte=now).order_by("due_at", "pk")
    for pk in due.values_list("pk", flat=True)[:10]:
        claimed = Delivery.objects.filter(pk=pk, state=DeliveryState.WAITING, due_at__lte=now).update(
            state=DeliveryState.SENDING, due_at=now + LEASE, tries=F("tries") + 1
        )
        if claimed:
            return Delivery.objects.get(pk=pk)
    return None


def recover_deliveries(*, now: datetime) -> int:
    """Those whose sender died on the way: repeated where that is harmless, else left open for good. Returns how many."""
    lost = Delivery.objects.filter(state=DeliveryState.SENDING, due_at__lte=now)
    again = lost.filter(channel__in=REPEATABLE).update(state=DeliveryState.WAITING)
    return again + lost.exclude(channel__in=REPEATABLE).update(
        state=DeliveryState.UNCERTAIN, due_at=None, ended_at=now, recipient="", content=""
    )


@dataclass(frozen=True, slots=True)
class Try:
    """What became of one try. `next_at`: when it is tried again; None: it is over."""

    state: str
    answer: str
    ms: int
    next_at: datetime | None = None


def record_try(*, delivery: Delivery, tried: Try, now: datetime) -> bool:
    """Whether it was written: whoever lost the lease changes nothing. A mail that is over keeps no text and no address."""
    line = {"at": now.isoformat(), "outcome": tried.state, "answer": tried.answer[:ANSWER_LENGTH], "ms": tried.ms}
    columns: dict[str, Any] = {
        "state": tried.state,
        "due_at": tried.next_at,
        "log": [*delivery.log, line][-MOST_LOGGED:],
    }
    if tried.next_at is None:
        columns |= {"ended_at": now}
        if delivery.channel == Channel.EMAIL:
            columns |= {"recipient": "", "content": ""}
    mine = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.SENDING, tries=delivery.tries)
    return bool(mine.update(**columns))


def retry_delivery(*, delivery_id: int, now: datetime) -> bool:
    """Sends a failed webhook or Slack message once more. Whether it could be."""
    failed = Delivery.objects.filter(pk=delivery_id, state=DeliveryState.FAILED).exclude(channel=Channel.EMAIL)
    return bool(failed.update(state=DeliveryState.WAITING, due_at=now, ended_at=None, tries=0))
