"""What the shop says of an order once some of its happenings are past. Pure; the same happenings give the same bytes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shopify_mock import state_goods, state_payment
from shopify_mock.batch import Happening
from shopify_mock.order_json import order_json
from shopify_mock.shop import local_iso
from shopify_mock.view import Json, View


def view(goods: Json, happenings: Sequence[Happening]) -> View:
    """The order after these happenings; the first of them is its creation."""
    found = View(goods, happenings[0].at, order_json(goods, happenings[0].at))
    for happening in happenings[1:]:
        found.order["updated_at"] = local_iso(happening.at)
        APPLY[happening.kind](found, happening.at, happening.data)
    return found


APPLY: Mapping[str, Callable[[View, int, Mapping[str, Any]], None]] = {
    "payment_pending": state_payment.pending,
    "payment_failed": state_payment.failed,
    "paid": state_payment.paid,
    "routed": state_goods.routed,
    "held": state_goods.held,
    "released": state_goods.released,
    "released_part": state_goods.released,
    "relocated": state_goods.relocated,
    "address_changed": state_goods.address_changed,
    "noted": state_goods.noted,
    "tagged": state_goods.tagged,
    "shipped": state_goods.shipped,
    "moved": state_goods.moved,
    "tracking_updated": state_goods.tracking_updated,
    "cancelled": state_payment.cancelled,
    "refunded": state_payment.refunded,
}
