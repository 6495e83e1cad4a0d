"""What an action knows of its exception and order: read once before it is prepared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse

from exceptions.choices import Reason
from exceptions.models import ExceptionRecord
from orders.models import Event, Parcel
from orders.privacy import REDACTED
from tenants.hosts import address_of
from tenants.models import Domain, Provider, Tenant, WebhookSource

TOLD_BY = ("order_created", "order_updated", "payment_confirmed")
LOOKED_AT = 5


@dataclass(frozen=True, slots=True)
class Subject:
    """`money_cents` is what the order is worth, in `currency`; None where no event says it. `shop`: where it can be changed."""

    schema: str
    tenant_id: int
    exception_id: int
    order_pk: int
    order_id: str
    merchant: str
    reason_code: str
    severity: str
    order_status: str
    due_at: datetime | None
    opened_at: datetime
    money_cents: int | None
    currency: str
    email: str
    customer: str
    carrier: str
    tracking: str
    link: str
    shop: WebhookSource | None

    def words(self) -> Mapping[str, str]:
        """For the placeholders of texts."""
        return {
            "order": self.order_id,
            "merchant": self.merchant,
            "reason": str(Reason(self.reason_code).label) if self.reason_code in Reason.values else self.reason_code,
            "tracking": self.tracking or "not known yet",
            "carrier": self.carrier or "the carrier",
            "customer": self.customer or "customer",
            "due": f"{self.due_at:%Y-%m-%d %H:%M} UTC" if self.due_at else "not set",
            "link": self.link,
        }


def subject_of(tenant: Tenant, record: ExceptionRecord) -> Subject:
    """The connection stands in the tenant's schema; `record.order` is read with it or on demand."""
    events = Event.objects.filter(order_id=record.order_id, quarantined=False)
    newest = events.filter(event_type__in=TOLD_BY).order_by("-effective_at", "-pk")
    payloads = list(newest.values_list("payload", flat=True)[:LOOKED_AT])
    parcel = Parcel.objects.filter(order_id=record.order_id).order_by("-pk").first()
    return Subject(
        schema=tenant.schema_name,
        tenant_id=tenant.pk,
        exception_id=record.pk,
        order_pk=record.order_id,
        order_id=record.order_ref,
        merchant=record.merchant,
        reason_code=record.reason_code,
        severity=record.severity,
        order_status=record.order.status,
        due_at=record.due_at,
        opened_at=record.opened_at,
        money_cents=record.order.value_cents,
        currency=record.order.currency,
        email=email_of(payloads),
        customer=first_name_of(payloads),
        carrier=parcel.carrier if parcel else "",
        tracking=parcel.tracking_number if parcel else "",
        link=link_of(tenant, record.pk),
        shop=shop_of(tenant, events.values_list("source", flat=True).distinct()),
    )


def shop_of(tenant: Tenant, sources: Iterable[str]) -> WebhookSource | None:
    """The Shopify source that told of the order and whose Admin API is set."""
    shops = WebhookSource.objects.filter(tenant=tenant, provider=Provider.SHOPIFY, active=True, name__in=list(sources))
    return shops.exclude(api_url="").order_by("pk").first()


def link_of(tenant: Tenant, exception_id: int) -> str:
    host = Domain.objects.filter(tenant=tenant, is_primary=True).values_list("domain", flat=True).first() or ""
    try:
        path = reverse("exception", args=[exception_id])
    except NoReverseMatch:
        path = f"/exceptions/{exception_id}/"
    return address_of(host, path)


def text_of(payloads: Iterable[Any], name: str) -> str:
    for payload in payloads:
        value = payload.get(name) if isinstance(payload, dict) else None
        if isinstance(value, str) and value and value != REDACTED:
            return value
    return ""


def email_of(payloads: list[Any]) -> str:
    people = [payload.get("customer") for payload in payloads if isinstance(payload, dict)]
    return text_of(payloads, "email") or text_of(people, "email")


def first_name_of(payloads: list[Any]) -> str:
    people = [payload.get("customer") for payload in payloads if isinstance(payload, dict)]
    return text_of(people, "first_name")[:60]
