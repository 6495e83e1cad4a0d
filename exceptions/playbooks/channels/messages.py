"""Actions that are messages: e-mail, Slack, webhooks of one's own. Performing one is queueing it; the delivery tells the rest."""

from datetime import timedelta
from typing import Any

from exceptions.deliveries.services import queue_delivery
from exceptions.playbooks.channels.calls import (
    Found,
    Json,
    NotNeeded,
    NotPossible,
    Performed,
    Prepared,
    Tools,
    Work,
    undo_of,
)
from exceptions.playbooks.models import Attempt
from exceptions.playbooks.parameters import filled
from exceptions.playbooks.words import EFFECTIVE
from tenants.outgoing.addresses import shown_address
from tenants.outgoing.models import Channel, OutgoingTarget

WEBHOOK_TYPE = "exception.action"
SPARED = timedelta(hours=24)


class Messages:
    def prepare(self, work: Work, tools: Tools) -> Prepared:
        target = target_of(work) if work.action.name != "email_customer" else None
        if target is None and not work.subject.email:
            raise NotPossible("The order carries no e-mail address of the customer.")
        if target is None and work.actor.startswith("playbook:"):
            spare_customer(work)
        to = shown_address(target.channel, target.address) if target else masked(work.subject.email)
        request: Json = {"channel": work.action.channel, "to": to, **content_of(work)}
        return Prepared(request, "1 message", undo_of(work.action), calls=target)

    def perform(self, work: Work, prepared: Prepared, tools: Tools) -> Performed:
        target: OutgoingTarget | None = prepared.calls
        delivery = queue_delivery(
            key=work.key,
            channel=work.action.channel,
            target=target.name if target else "",
            recipient="" if target else work.subject.email,
            content=content_of(work),
            now=work.now,
            exception_id=work.subject.exception_id,
        )
        return Performed("The message is queued.", delivery.pk)

    def look_up(self, work: Work, tools: Tools) -> Found:
        """Queueing the same key again gives the same message, so there is nothing to be afraid of."""
        return Found.ABSENT


def spare_customer(work: Work) -> None:
    """No playbook writes to a customer twice a day about one order, however many things go wrong with it. Raises: NotNeeded."""
    earlier = Attempt.objects.filter(
        order_id=work.subject.order_pk, kind="email_customer", state__in=EFFECTIVE, sent_at__gt=work.now - SPARED
    ).exclude(key=work.key)
    last = earlier.order_by("-sent_at").values_list("sent_at", flat=True).first()
    if last is not None:
        raise NotNeeded(
            f"The customer was written to about this order at {last:%Y-%m-%d %H:%M} UTC; not again within a day."
        )


def target_of(work: Work) -> OutgoingTarget:
    """Of the order's own tenant. Raises: NotPossible."""
    name, channel = str(work.parameters["target"]), Channel(work.action.channel)
    found = OutgoingTarget.objects.filter(tenant_id=work.subject.tenant_id, name=name, channel=channel).first()
    if found is None:
        raise NotPossible(f"There is no {channel.label} “{name}” among the targets.")
    if not found.active:
        raise NotPossible(f"The target “{name}” is switched off.")
    return found


def content_of(work: Work) -> dict[str, Any]:
    words = work.subject.words()
    if work.action.channel == "webhook":
        return {"type": WEBHOOK_TYPE, "data": told(work)}
    text = filled(str(work.parameters["text"]), words)
    if work.action.channel == "slack":
        return {"text": text}
    return {"subject": filled(str(work.parameters["subject"]), words), "text": text}


def told(work: Work) -> dict[str, Any]:
    """Of the exception; nothing of the person who ordered."""
    subject = work.subject
    return {
        "exception_id": subject.exception_id,
        "order_id": subject.order_id,
        "merchant": subject.merchant,
        "reason_code": subject.reason_code,
        "severity": subject.severity,
        "order_status": subject.order_status,
        "opened_at": subject.opened_at.isoformat(),
        "due_at": subject.due_at.isoformat() if subject.due_at else None,
        "carrier": subject.carrier or None,
        "tracking_number": subject.tracking or None,
        "link": subject.link,
    }


def masked(mailbox: str) -> str:
    """`anna@example.com` is kept as `a…@example.com`."""
    name, _, domain = mailbox.partition("@")
    return f"{name[:1]}…@{domain}"
