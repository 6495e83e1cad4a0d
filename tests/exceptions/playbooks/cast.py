"""Exceptions of orders in a shop that is really there: the demo's shop, called without a socket."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from django.utils import timezone

from exceptions.deliveries.sender import Ways
from exceptions.models import ExceptionRecord
from exceptions.playbooks.channels.calls import Tools
from exceptions.playbooks.decisions import Decider
from exceptions.playbooks.executor import Desk
from exceptions.playbooks.library import save_playbook
from exceptions.playbooks.models import Attempt, Playbook
from exceptions.playbooks.working import Round, work_round
from orders.models import Event, Order
from shopify_mock.config import access_token_of
from shopify_mock.desk import Desk as ShopDesk
from shopify_mock.graphql.api import GraphQL, Silence
from tenants.models import Tenant, WebhookSource
from tests.exceptions.cast import make_exception
from tests.shopify_mock.receiver import SECRET, desk_of

ANNA = Decider("user:anna", frozenset({"read", "operate"}))
BEN = Decider("user:ben", frozenset({"read", "operate"}))
MAX = Decider("user:max", frozenset({"read", "operate", "admin"}))
MIA = Decider("user:mia", frozenset({"read", "operate", "admin"}))
KEY = Decider("key:abc", frozenset({"read", "operate", "admin"}))
URL = "https://shop.example/admin/api/2026-10"


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now

    def go(self, **length: float) -> None:
        self.now += timedelta(**length)


@dataclass
class Shop:
    """`sent`: the fields that were asked, in turn. `before`, `after`: what happens to a call before or after it is done."""

    desk: ShopDesk
    sent: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda asked: None
    after: Callable[[str], None] = lambda asked: None

    def __post_init__(self) -> None:
        self.graphql = GraphQL(self.desk)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith("/graphql.json")
        asked = next(word for word in FIELDS if f"{word}(" in request.content.decode())
        self.sent.append(asked)
        self.before(asked)
        try:
            said = self.graphql.answer(request.content, request.headers["X-Shopify-Access-Token"])
        except Silence:
            raise httpx.ReadTimeout("silence") from None
        self.after(asked)
        return httpx.Response(said.status, json=said.body)

    def mutations(self) -> list[str]:
        return [asked for asked in self.sent if asked not in ("order", "job")]

    def orders(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.desk.orders({"limit": "250"})["orders"]
        return found

    def find(self, true: Callable[[dict[str, Any], dict[str, Any] | None], bool]) -> dict[str, Any]:
        """The first order, with its fulfillment order, of which this is true."""
        for order in self.orders():
            moment = self.graphql.clerk.lives.moment(order["id"], 2**33)
            assert moment is not None
            routed = moment.found.fulfillment_orders
            if true(order, routed[0] if routed else None):
                return order
        raise AssertionError("there is no such order")

    def held(self, reason: str) -> dict[str, Any]:
        def is_held(order: dict[str, Any], routed: dict[str, Any] | None) -> bool:
            return bool(routed) and [hold["reason"] for hold in (routed or {})["fulfillment_holds"]] == [reason]

        return self.find(is_held)

    def open(self, financial: str = "paid") -> dict[str, Any]:
        """Routed, paid, not shipped, held by nobody."""

        def is_open(order: dict[str, Any], routed: dict[str, Any] | None) -> bool:
            going = routed is not None and routed["status"] == "open"
            return going and order["financial_status"] == financial and not order["cancelled_at"]

        return self.find(is_open)

    def now(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """The order as it is by now."""
        found = self.desk.order(int(order["id"]), datetime.now(UTC).timestamp() + 5)
        assert found is not None
        return found


FIELDS = (
    "fulfillmentOrderReleaseHold",
    "fulfillmentOrderHold",
    "fulfillmentOrderMove",
    "fulfillmentOrderReschedule",
    "fulfillmentTrackingInfoUpdate",
    "orderUpdate",
    "tagsAdd",
    "orderCancel",
    "refundCreate",
    "job",
    "order",
)


def shop_at(home: Path, count: int = 60) -> Shop:
    """Its lives stand still: no order moves on by itself while a test looks."""
    desk = desk_of(home)
    desk.change_settings({"problem_share": 0.5})
    desk.generate({"count": count})
    with desk.store.writing() as database:
        past = "SELECT 1 FROM happening h WHERE h.order_id = o.id AND h.at <= unixepoch()"
        database.execute("DELETE FROM delivery")
        database.execute(
            f"DELETE FROM happening WHERE order_id IN (SELECT id FROM shop_order o WHERE NOT EXISTS ({past}))"
        )
        database.execute(f"DELETE FROM shop_order AS o WHERE NOT EXISTS ({past})")
        database.execute("DELETE FROM happening WHERE at > unixepoch()")
    return Shop(desk)


def source_of(tenant: Tenant, name: str = "shopify") -> WebhookSource:
    return WebhookSource.objects.create(
        tenant=tenant, name=name, provider="shopify", api_url=URL, api_token=access_token_of(SECRET)
    )


def exception_of(order: Mapping[str, Any], reason: str = "ADDRESS_INVALID", **columns: Any) -> ExceptionRecord:
    """In the schema that the connection stands in, with the event that told of the order."""
    record = make_exception(str(order["id"]), reason_code=reason, **columns)
    value = round(float(order["total_price"]) * 100)
    Order.objects.filter(pk=record.order_id).update(value_cents=value, currency=order["currency"])
    tell(record, "order_created", dict(order), source="shopify")
    return ExceptionRecord.objects.select_related("order").get(pk=record.pk)


def tell(
    record: ExceptionRecord,
    event_type: str,
    payload: Mapping[str, Any] | None = None,
    *,
    at: datetime | None = None,
    source: str = "wms",
) -> Event:
    """A fact that is stored but not judged."""
    when = at or timezone.now()
    return Event.objects.create(
        order_id=record.order_id,
        source=source,
        event_id=f"{event_type}-{Event.objects.count()}",
        event_type=event_type,
        merchant=record.merchant,
        order_ref=record.order_ref,
        occurred_at=when,
        received_at=when,
        effective_at=when,
        payload=dict(payload or {}),
        content_hash=b"0" * 16,
    )


def playbook(tenant: Tenant, *steps: dict[str, Any], reason: str = "ADDRESS_INVALID", **more: Any) -> Playbook:
    return save_playbook(
        tenant=tenant,
        reason_code=reason,
        name=more.pop("name", "mend"),
        steps=list(steps),
        enabled=True,
        actor="user:max",
        now=timezone.now(),
        **more,
    )


def step(kind: str, mode: str = "automatic", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "mode": mode, **more}


TAG = step("shopify_tag", parameters={"tags": ["late"]})
RELEASE = step(
    "shopify_release", parameters={"reason": "INCORRECT_ADDRESS"}, expects=["address_corrected"], within_minutes=60
)


@dataclass
class Team:
    """A tenant's playbooks at work against a shop."""

    tenant: Tenant
    shop: Shop
    clock: Clock = field(default_factory=Clock)
    ways: Ways = field(default_factory=Ways)

    def desk(self) -> Desk:
        return Desk(self.tenant, Tools(transport=self.shop.transport), self.clock)

    def round(self) -> Round:
        done = work_round(self.desk(), ways=self.ways)
        assert done is not None
        return done


def states(record: ExceptionRecord) -> list[tuple[str, str]]:
    rows = Attempt.objects.filter(exception=record).order_by("pk")
    return list(rows.values_list("kind", "state"))


def only(record: ExceptionRecord) -> Attempt:
    return Attempt.objects.get(exception=record)
