"""What the shop knows of an order at some instant. Built by `state.view`."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class View:
    """`order` is the order as webhooks and Admin API give it; what hangs on it lies beside."""

    goods: Json
    created: int
    order: Json
    transactions: list[Json] = field(default_factory=list)
    fulfillment_orders: list[Json] = field(default_factory=list)
    events: dict[int, list[Json]] = field(default_factory=dict)  # by fulfillment id
    last: Json = field(default_factory=dict)  # what the last happening made: a transaction, an event, a hold, a refund

    def id_of(self, place: int) -> int:
        """Ids of what belongs to the order; places: 100 transactions, 200 fulfillments, 300 events, 400 others."""
        return int(self.goods["id"]) + place
