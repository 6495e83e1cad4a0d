"""Whether an action whose answer never came has left its trace in the shop's order. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from exceptions.playbooks.channels.calls import Found, Work
from exceptions.playbooks.channels.shopify_calls import fulfillment_orders, handle_of, location_of
from tenants.clients.shop_requests import gid

Json = Mapping[str, Any]
PARTS = {"countryCode": "countryCodeV2"}  # asked by one name, answered by another


def trace_of(work: Work, order: Json) -> Found:
    return TRACES[work.action.name](work, order)


def seen(happened: bool) -> Found:
    return Found.HAPPENED if happened else Found.ABSENT


def holds_of(order: Json) -> list[Json]:
    return [hold for one in fulfillment_orders(order) for hold in one["fulfillmentHolds"]]


def _hold(work: Work, order: Json) -> Found:
    return seen(any(hold["handle"] == handle_of(work) for hold in holds_of(order)))


def _release(work: Work, order: Json) -> Found:
    """The holds that were named are gone."""
    calls = (work.request or {}).get("calls") or []
    named = {hold for call in calls for hold in call["variables"].get("holdIds", [])}
    return seen(not named & {hold["id"] for hold in holds_of(order)})


def _address(work: Work, order: Json) -> Found:
    known = order.get("shippingAddress") or {}
    wanted = work.parameters["address"]
    return seen(all(known.get(PARTS.get(part, part)) == text for part, text in wanted.items() if text))


def _tag(work: Work, order: Json) -> Found:
    return seen(set(work.parameters["tags"]) <= set(order["tags"]))


def _move(work: Work, order: Json) -> Found:
    wanted = gid("Location", work.parameters["location_id"])
    return seen(any(location_of(one) == wanted for one in fulfillment_orders(order)))


def _cancel(work: Work, order: Json) -> Found:
    return seen(bool(order.get("cancelledAt")))


def _refund(work: Work, order: Json) -> Found:
    return seen(any(work.key in (refund["note"] or "") for refund in order["refunds"]))


def _nobody_knows(work: Work, order: Json) -> Found:
    """A mail that the shop may have sent leaves nothing to look at."""
    return Found.UNCLEAR


TRACES: Mapping[str, Callable[[Work, Json], Found]] = {
    "shopify_hold": _hold,
    "shopify_release": _release,
    "shopify_address": _address,
    "shopify_tag": _tag,
    "shopify_move": _move,
    "shopify_reschedule": _nobody_knows,
    "shopify_tracking": _nobody_knows,
    "shopify_cancel": _cancel,
    "shopify_refund": _refund,
}
