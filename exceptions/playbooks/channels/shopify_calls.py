"""An action on a shop's order as calls of its Admin API, from what the shop says of the order. Pure."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from exceptions.playbooks.channels.calls import NotPossible, Work
from exceptions.playbooks.parameters import filled
from tenants.clients import shop_requests
from tenants.clients.shop_requests import ShopRequest

Json = Mapping[str, Any]
HOLDABLE = ("OPEN", "SCHEDULED", "ON_HOLD")
GOING = ("OPEN", "SCHEDULED", "ON_HOLD", "IN_PROGRESS")


def calls_of(work: Work, order: Json) -> Sequence[ShopRequest]:
    """Raises: NotPossible."""
    if order.get("cancelledAt") and work.action.name not in ("shopify_tag", "shopify_refund"):
        raise NotPossible("The order is cancelled in the shop already.")
    return BUILDERS[work.action.name](work, order)


def handle_of(work: Work) -> str:
    """Of a hold of ours: tells it from other apps' holds, and from a second try."""
    return f"e2a-{work.key}"


def note_of(work: Work) -> str:
    return filled(str(work.parameters.get("note") or ""), work.subject.words())


def _hold(work: Work, order: Json) -> list[ShopRequest]:
    found = [one["id"] for one in fulfillment_orders(order) if one["status"] in HOLDABLE]
    if not found:
        raise NotPossible("The shop has nothing left of this order that could be held.")
    reason, note = work.parameters["reason"], note_of(work)
    return [shop_requests.hold(one, reason=reason, note=note, handle=handle_of(work)) for one in found]


def _release(work: Work, order: Json) -> list[ShopRequest]:
    reason = work.parameters["reason"]
    found = [
        shop_requests.release(one["id"], ids)
        for one in fulfillment_orders(order)
        if (ids := [hold["id"] for hold in one["fulfillmentHolds"] if hold["reason"] == reason])
    ]
    if not found:
        raise NotPossible(f"The order has no hold with the reason {reason} in the shop.")
    return found


def _address(work: Work, order: Json) -> list[ShopRequest]:
    """Names and telephone stay as they are unless others are given."""
    known = order.get("shippingAddress") or {}
    kept = {key: known[key] for key in ("firstName", "lastName", "phone") if known.get(key)}
    return [shop_requests.update_order(work.subject.order_id, shippingAddress={**kept, **work.parameters["address"]})]


def _tag(work: Work, order: Json) -> list[ShopRequest]:
    found = [shop_requests.add_tags(work.subject.order_id, work.parameters["tags"])]
    if note := note_of(work):
        found.append(shop_requests.update_order(work.subject.order_id, note=with_line(order.get("note") or "", note)))
    return found


def with_line(note: str, line: str) -> str:
    """The note with one line more, once: what people wrote stays."""
    return note if line in note.splitlines() else f"{note}\n{line}".strip()


def _move(work: Work, order: Json) -> list[ShopRequest]:
    wanted = shop_requests.gid("Location", work.parameters["location_id"])
    found = [one["id"] for one in fulfillment_orders(order) if one["status"] in GOING and location_of(one) != wanted]
    if not found:
        raise NotPossible("Nothing of this order is left at another location.")
    return [shop_requests.move(one, wanted) for one in found]


def _reschedule(work: Work, order: Json) -> list[ShopRequest]:
    found = [one["id"] for one in fulfillment_orders(order) if one["status"] == "SCHEDULED"]
    if not found:
        raise NotPossible("Only a scheduled fulfillment can be rescheduled, and this order has none.")
    return [shop_requests.reschedule(one, work.parameters["fulfill_at"]) for one in found]


def _tracking(work: Work, order: Json) -> list[ShopRequest]:
    found = [
        shop_requests.notify_tracking(one["id"], {key: value for key, value in one["trackingInfo"][0].items() if value})
        for one in order.get("fulfillments") or []
        if one["status"] != "CANCELLED" and one["trackingInfo"]
    ]
    if not found:
        raise NotPossible("The order has no parcel with a tracking number yet.")
    return found


def _cancel(work: Work, order: Json) -> list[ShopRequest]:
    if order.get("fulfillments"):
        raise NotPossible("A part of the order was handed over already: the shop does not cancel it any more.")
    notify = bool(work.parameters.get("notify_customer"))
    return [
        shop_requests.cancel(
            work.subject.order_id, reason=work.parameters["reason"], note=signed_note(work), notify=notify
        )
    ]


def signed_note(work: Work) -> str:
    """With the key, by which a look finds it again."""
    return f"{note_of(work)} [E2A {work.key}]".strip()


def _refund(work: Work, order: Json) -> list[ShopRequest]:
    return [
        shop_requests.refund(
            work.subject.order_id,
            ways_back(work, order),
            note=signed_note(work),
            notify=bool(work.parameters.get("notify_customer")),
            key=work.key,
        )
    ]


def ways_back(work: Work, order: Json) -> list[dict[str, Any]]:
    """The asked sum by the ways that it came, in their order. Raises: NotPossible."""
    left = refund_cents(work, order)
    ways = []
    for way in order["suggestedRefund"]["suggestedTransactions"]:
        cents = min(left, cents_of(way["amountSet"]))
        if cents > 0:
            left -= cents
            ways.append(
                {
                    "orderId": order["id"],
                    "parentId": (way.get("parentTransaction") or {}).get("id"),
                    "gateway": way["gateway"],
                    "kind": "REFUND",
                    "amount": f"{cents // 100}.{cents % 100:02d}",
                }
            )
    return ways


def refund_cents(work: Work, order: Json) -> int:
    """Raises: NotPossible."""
    most = cents_of((order.get("suggestedRefund") or {}).get("amountSet"))
    wanted = int(work.parameters.get("amount_cents") or most)
    if most <= 0:
        raise NotPossible("The shop holds no money of this order that could be paid back.")
    if wanted > most:
        raise NotPossible(f"At most {most / 100:.2f} can be paid back, not {wanted / 100:.2f}.")
    return wanted


def money_of(work: Work, order: Json) -> tuple[int | None, str]:
    """(cents, currency) that the action moves."""
    if not work.action.moves_money:
        return None, ""
    bag = order["totalReceivedSet"]
    currency = str(bag["shopMoney"]["currencyCode"])
    if work.action.name == "shopify_refund":
        return refund_cents(work, order), currency
    return cents_of(bag) - cents_of(order["totalRefundedSet"]), currency


def fulfillment_orders(order: Json) -> list[Json]:
    return list((order.get("fulfillmentOrders") or {}).get("nodes") or [])


def location_of(one: Json) -> str:
    return str(((one.get("assignedLocation") or {}).get("location") or {}).get("id") or "")


def cents_of(bag: Any) -> int:
    return int(Decimal(bag["shopMoney"]["amount"]) * 100) if bag else 0


BUILDERS: Mapping[str, Callable[[Work, Json], Sequence[ShopRequest]]] = {
    "shopify_hold": _hold,
    "shopify_release": _release,
    "shopify_address": _address,
    "shopify_tag": _tag,
    "shopify_move": _move,
    "shopify_reschedule": _reschedule,
    "shopify_tracking": _tracking,
    "shopify_cancel": _cancel,
    "shopify_refund": _refund,
}
