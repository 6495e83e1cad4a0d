"""What a Shopify order carries besides its course, as the fold's detail keeps it. Pure.

What Shopify leaves out or gives in another form is left out here: no order is lost over its tags.
"""

from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any

from orders.carried import MOST_CENTS, MOST_SKUS, MOST_TAGS, country, word, words
from orders.events import parse_time
from orders.providers.reading import dig, objects
from tenants.currencies import currency_code, scale_of

TIER_MARK = "tier:"  # a customer's tag such as tier:gold
VIP = "vip"
METHODS = ("fulfillment_order.delivery_method", "delivery_method", "shipping_lines.0")
FULFIL_BY = ("fulfillment_order.fulfill_by", "fulfillment_order.fulfillBy", "fulfill_by")


def carries_of(order: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `orders.carried.Carried` that an order's body states."""
    line = dig(order, "shipping_lines.0")
    said: dict[str, Any] = {}
    for key, value in (
        ("sales_channel", order.get("source_name")),
        ("shipping_service", (line.get("title") or line.get("code")) if isinstance(line, dict) else None),
    ):
        if value and (text := word(value)):
            said[key] = text
    said |= country(code) if (code := dig(order, "shipping_address.country_code")) else {}
    if "tags" in order and (tags := words(order["tags"], MOST_TAGS)) is not None:
        said["tags"] = tags
    if "line_items" in order:
        said["skus"] = words([item.get("sku") for item in objects(order["line_items"])], MOST_SKUS) or []
    if tier := tier_of(order):
        said["customer_tier"] = tier
    return said | value_of(order)


def tier_of(order: Mapping[str, Any]) -> str:
    """By the customer's tags, else the order's: `tier:gold`, or plain `vip`."""
    tags = [*(words(dig(order, "customer.tags"), MOST_TAGS) or []), *(words(order.get("tags"), MOST_TAGS) or [])]
    named = next((tag[len(TIER_MARK) :].strip() for tag in tags if tag.lower().startswith(TIER_MARK)), "")
    return named or (VIP if any(tag.lower() == VIP for tag in tags) else "")


def value_of(order: Mapping[str, Any]) -> dict[str, Any]:
    """The total in minor units, half up."""
    currency = currency_code(order.get("currency"))
    if not currency:
        return {}
    try:
        cents = Decimal(str(order.get("total_price"))) * scale_of(currency)
    except ArithmeticError:  # no number, or one beyond all reckoning
        return {}
    if not cents.is_finite() or not 0 <= cents <= MOST_CENTS:
        return {}
    return {"value_cents": int(cents + Decimal("0.5")), "currency": currency}


def place_of(fulfillment_order: Mapping[str, Any]) -> dict[str, Any]:
    """The warehouse, by the name that people know it by."""
    name = dig(fulfillment_order, "assigned_location.name") or fulfillment_order.get("assigned_location_id")
    text = word(str(name)) if isinstance(name, str | int) and name else ""
    return {"warehouse": text} if text else {}


def carrier_of(fulfillment: Mapping[str, Any]) -> dict[str, Any]:
    text = word(fulfillment.get("tracking_company"))
    return {"carrier": text} if text else {}


def promises_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The delivery method's window, whose end is the promise, and by when it must ship."""
    said: dict[str, Any] = {}
    for method in METHODS:
        if until := instant_at(body, f"{method}.max_delivery_date_time"):
            said = {"promise": until, "window_until": until}
            said["window_from"] = instant_at(body, f"{method}.min_delivery_date_time")
            break
    if by := next((at for path in FULFIL_BY if (at := instant_at(body, path))), None):
        said["fulfil_by"] = by
    return said


def instant_at(body: Mapping[str, Any], path: str) -> str | None:
    value = dig(body, path)
    when = parse_time(value) if isinstance(value, str) else None
    return when.astimezone(UTC).isoformat() if when else None


def detail_with(detail: Mapping[str, Any], carries: Mapping[str, Any]) -> dict[str, Any] | None:
    """A detail that may be empty."""
    return {**detail, **({"carries": dict(carries)} if carries else {})} or None
