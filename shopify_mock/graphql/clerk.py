"""Does what apps ask by mutations: checks it as Shopify would, and turns the order's life."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from shopify_mock import courses
from shopify_mock.courses import Course
from shopify_mock.desk import Desk
from shopify_mock.goods import FIRST_ORDER_ID, ID_STEP
from shopify_mock.inbox import Inbox
from shopify_mock.lives import Lives, Moment
from shopify_mock.shop import DOMAIN, NAME, gid
from shopify_mock.state_payment import paid_back, received
from shopify_mock.view import View
from shopify_mock.words import WAREHOUSES

Json = dict[str, Any]
GID = re.compile(r"gid://shopify/(?P<kind>[A-Za-z]+)/(?P<id>\d{1,18})")
NEEDED = {"address1": "Address", "city": "City", "zip": "ZIP code", "countryCode": "Country"}
SHAPES = {"address1": "address1", "address2": "address2", "city": "city", "zip": "zip"}
MOST_HOLDS = 10


@dataclass(slots=True)
class UserError(Exception):
    """The shop understood and says no: an answer of HTTP 200."""

    field: tuple[str, ...]
    message: str
    code: str | None = None


class Clerk:
    def __init__(self, desk: Desk) -> None:
        self.desk, self.lives, self.inbox = desk, Lives(desk), Inbox(desk.store)

    def find(self, identity: str, kind: str, field: str = "id") -> tuple[int, View]:
        """The order that a global id belongs to, and what is known of it. Raises: UserError."""
        match = GID.fullmatch(identity)
        if match is not None and match["kind"] == kind:
            number = int(match["id"])
            order = number - (number - FIRST_ORDER_ID) % ID_STEP
            moment = self.lives.moment(order, time.time())
            if moment is not None and owns(moment.found, identity, kind):
                return order, moment.found
        raise UserError((field,), f"{kind} does not exist", "NOT_FOUND")

    def after(self, order: int) -> View:
        moment = self.lives.moment(order, time.time())
        assert moment is not None
        return moment.found

    def update_order(self, given: Mapping[str, Any]) -> View:
        """`tags` and `note` overwrite what is there, as they do at Shopify."""
        order, _ = self.find(given["id"], "Order")
        if "shippingAddress" in given:
            address = address_of(given["shippingAddress"])
            self._tell(order, "orderUpdate", given, "address_changed", address=address)
        if "note" in given:
            self._tell(order, "orderUpdate", given, "noted", note=given["note"])
        return self.after(order)

    def add_tags(self, identity: str, tags: list[str]) -> View:
        order, _ = self.find(identity, "Order")
        self._tell(order, "tagsAdd", {"tags": tags}, "tagged", tags=[tag.strip() for tag in tags if tag.strip()])
        return self.after(order)

    def hold(self, identity: str, given: Mapping[str, Any]) -> View:
        order, _ = self.find(identity, "FulfillmentOrder")
        handle = given.get("handle") or given.get("externalId") or ""

        def turn(moment: Moment) -> Course:
            check_going(moment)
            routed = moment.found.fulfillment_orders[0]
            holds = routed["fulfillment_holds"]
            if routed["status"] not in ("open", "on_hold", "scheduled"):
                raise UserError(("id",), "The fulfillment order is not in a holdable state.", "INVALID_STATE")
            if any(hold.get("handle") == handle for hold in holds):
                taken = "The handle must be unique among the holds of this app."
                raise UserError(("fulfillmentHold", "handle"), taken, "DUPLICATE_FULFILLMENT_HOLD_HANDLE")
            if len(holds) >= MOST_HOLDS:
                raise UserError(("id",), "The fulfillment order has as many holds as it can take.", "TOO_MANY_HOLDS")
            data = {"reason": given["reason"], "notes": given.get("reasonNotes") or "", "handle": handle}
            return courses.held(moment.at, data)

        self.lives.act(order, "fulfillmentOrderHold", dict(given), turn)
        return self.after(order)

    def release(self, identity: str, hold_ids: list[str] | None) -> View:
        order, _ = self.find(identity, "FulfillmentOrder")

        def turn(moment: Moment) -> Course:
            check_going(moment)
            routed = moment.found.fulfillment_orders[0]
            present = [hold["id"] for hold in routed["fulfillment_holds"]]
            if not present:
                raise UserError(("id",), "The fulfillment order is not on hold.", "INVALID_STATE")
            holds = present if hold_ids is None else hold_ids
            if set(holds) - set(present):
                raise UserError(("holdIds",), "The fulfillment hold does not exist.", "NOT_FOUND")
            return courses.released(moment.found, moment.past, holds, at=moment.at, rng=moment.rng, pace=moment.pace)

        self.lives.act(order, "fulfillmentOrderReleaseHold", {"holdIds": hold_ids}, turn)
        return self.after(order)

    def move(self, identity: str, location: str) -> View:
        order, found = self.find(identity, "FulfillmentOrder")
        place = next((place for place in WAREHOUSES if gid("Location", place[0]) == location), None)
        if place is None:
            raise UserError(("newLocationId",), "Location not found.")
        if found.fulfillment_orders[0]["status"] not in ("open", "on_hold"):
            raise UserError(("id",), "The fulfillment order cannot be moved in its present state.")
        if found.fulfillment_orders[0]["assigned_location_id"] == place[0]:
            raise UserError(("newLocationId",), "The fulfillment order is at that location already.")
        self._tell(order, "fulfillmentOrderMove", {"newLocationId": location}, "relocated", warehouse=list(place))
        return self.after(order)

    def reschedule(self, identity: str) -> View:
        """No order of this shop is ever scheduled, so none can be rescheduled."""
        self.find(identity, "FulfillmentOrder")
        raise UserError(("id",), "Fulfillment order must be scheduled.")

    def update_tracking(self, identity: str, given: Mapping[str, Any], notify: bool) -> tuple[View, int]:
        order, found = self.find(identity, "Fulfillment", "fulfillmentId")
        parts = [part["admin_graphql_api_id"] for part in found.order["fulfillments"]]
        parcel = parts.index(identity)
        self._tell(order, "fulfillmentTrackingInfoUpdate", given, "tracking_updated", parcel=parcel, **given)
        after = self.after(order)
        if notify:
            self._write_to_customer(after, "is on its way", after.order["fulfillments"][parcel]["tracking_url"])
        return after, parcel

    def cancel(self, identity: str, given: Mapping[str, Any]) -> str:
        """The id of the job that does it."""
        order, _ = self.find(identity, "Order", "orderId")
        note = given.get("staffNote") or ""

        def turn(moment: Moment) -> Course:
            check_going(moment)
            if moment.found.order["fulfillment_status"]:
                raise UserError(("orderId",), "Cannot cancel an order that was fulfilled, even in part.", "INVALID")
            back = (given.get("refundMethod") or {}).get("originalPaymentMethodsRefund", False)
            return courses.cancelled(moment.found, at=moment.at, reason=given["reason"], refund=bool(back), note=note)

        number = self.lives.act(order, "orderCancel", dict(given), turn)
        if given.get("notifyCustomer"):
            self._write_to_customer(self.after(order), "was cancelled", "")
        return gid("Job", int(number or 0))

    def refund(self, given: Mapping[str, Any], key: str) -> tuple[View, int]:
        """The order and which of its refunds it is; the same key again gives the same refund."""
        order, _ = self.find(given["orderId"], "Order", "orderId")
        cents = sum(cents_of(one["amount"]) for one in given.get("transactions") or [])
        with self.lives.store.writing():
            known = self.lives.store.rows("SELECT input FROM act WHERE key = ?", (key,))
            if known:
                return self.after(order), int(json.loads(known[0]["input"])["place"])
            remembered = dict(given)

            def turn(moment: Moment) -> Course:
                rest = received(moment.found) - paid_back(moment.found)
                if not 0 < cents <= rest:
                    raise UserError(("transactions",), "Refund amount must be above 0 and within what was paid.")
                remembered["place"] = len(moment.found.order["refunds"])
                return courses.told("refunded", moment.at, cents=cents, note=given.get("note"))

            self.lives.act(order, "refundCreate", remembered, turn, key=key)
        found = self.after(order)
        if given.get("notify"):
            self._write_to_customer(found, "was refunded", "")
        return found, int(remembered["place"])

    def job_done(self, identity: str) -> bool | None:
        """None for a job that the shop does not know."""
        match = GID.fullmatch(identity)
        number = int(match["id"]) if match and match["kind"] == "Job" else 0
        rows = self.lives.store.rows("SELECT done_at FROM act WHERE id = ? AND operation = 'orderCancel'", (number,))
        return rows[0]["done_at"] <= time.time() if rows else None

    def _tell(self, order: int, operation: str, given: Mapping[str, Any], kind: str, **data: Any) -> None:
        self.lives.act(order, operation, dict(given), lambda moment: courses.told(kind, moment.at, **data))

    def _write_to_customer(self, found: View, what: str, more: str) -> None:
        order = found.order
        subject = f"Your order {order['name']} {what}"
        text = f"Hello {order['customer']['first_name']},\n\nyour order {order['name']} {what}.\n{more}\n\n{NAME}\n"
        self.inbox.keep("mail", sender=f"orders@{DOMAIN}", recipient=order["email"], subject=subject, body=text)


def owns(found: View, identity: str, kind: str) -> bool:
    known = {
        "Order": [found.order],
        "FulfillmentOrder": found.fulfillment_orders,
        "Fulfillment": found.order["fulfillments"],
    }
    return any(one["admin_graphql_api_id"] == identity for one in known.get(kind, []))


def check_going(moment: Moment) -> None:
    """Raises: UserError for an order that was cancelled, or is being so."""
    soon = any(step.kind == "cancelled" and step.at <= moment.at + 5 for step in moment.ahead)
    if moment.found.order["cancelled_at"] or soon:
        raise UserError(("id",), "The order has been cancelled.", "INVALID_STATE")


def address_of(given: Mapping[str, Any]) -> Json:
    """Raises: UserError with what is missing."""
    for name, title in NEEDED.items():
        if not str(given.get(name) or "").strip():
            raise UserError(("input", "shippingAddress", name), f"{title} can't be blank")
    return {ours: given.get(theirs) for theirs, ours in SHAPES.items()}


def cents_of(amount: str) -> int:
    """Raises: UserError."""
    try:
        cents = Decimal(amount) * 100
    except InvalidOperation:
        cents = Decimal("NaN")
    if not cents.is_finite() or cents != cents.to_integral_value():
        raise UserError(("transactions", "amount"), "Amount is not valid.")
    return int(cents)
