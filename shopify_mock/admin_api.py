"""The shop's Admin API (REST, read only): orders by `updated_at`, and what hangs on an order.

Answers as Shopify does: token in `X-Shopify-Access-Token`, pages by `page_info` in the Link header, a leaky bucket of
calls with 429 and Retry-After. One addition: a fulfillment order lists `released_fulfillment_holds` with their times.
Source: shopify.dev, "REST Admin API" (orders, transactions, fulfillments, fulfillment orders, fulfillment events).
"""

import base64
import binascii
import hmac
import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import Any
from urllib.parse import urlencode

from shopify_mock.desk import Desk
from shopify_mock.errors import WrongRequest
from shopify_mock.goods import FIRST_ORDER_ID, ID_STEP
from shopify_mock.shop import API_VERSION, CURRENCY, DOMAIN, HOME, NAME, SHOP_ID, ZONE
from shopify_mock.state import view
from shopify_mock.view import View

Json = dict[str, Any]
PATH = re.compile(r"/admin/api/(?:20\d\d-\d\d|unstable)/(?P<rest>[a-z0-9_/]+)\.json")
PART = re.compile(r"(?P<kind>orders|fulfillments|fulfillment_orders)/(?P<id>\d{1,18})(?:/(?P<sub>[a-z0-9_/]+))?")
FOREVER = 2**40
KEPT = ("updated_at_min", "updated_at_max", "order", "status")  # what a page hands on to the next


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


class Bucket:
    """Calls fill it by one, time empties it."""

    def __init__(self) -> None:
        self._level, self._at = 0.0, time.monotonic()
        self._lock = threading.Lock()

    def take(self, size: float, leak: float) -> tuple[bool, float]:
        """Whether the call may pass, and the level after it."""
        with self._lock:
            now = time.monotonic()
            self._level = max(0.0, self._level - (now - self._at) * leak)
            self._at = now
            passes = self._level + 1 <= size
            self._level += passes
            return passes, self._level


class AdminApi:
    def __init__(self, desk: Desk) -> None:
        self.desk, self.store = desk, desk.store
        self._bucket = Bucket()

    def answer(self, path: str, query: Mapping[str, str], token: str, host: str) -> Answer:
        if not hmac.compare_digest(token.encode(), self.desk.config.access_token.encode()):
            wrong = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return Answer(401, {"errors": wrong})
        size = self.desk.settings.api_bucket
        passes, level = self._bucket.take(size, self.desk.settings.api_leak_per_second)
        limit = {"X-Shopify-Shop-Api-Call-Limit": f"{ceil(level)}/{int(size)}", "X-Shopify-API-Version": API_VERSION}
        if not passes:
            wrong = "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."
            return Answer(429, {"errors": wrong}, {**limit, "Retry-After": "2.0"})
        try:
            found = self._read(path, query, host)
        except WrongRequest as error:
            found = Answer(400, {"errors": str(error)})
        return Answer(found.status, found.body, {**limit, **found.headers})

    def _read(self, path: str, query: Mapping[str, str], host: str) -> Answer:
        rest = match["rest"] if (match := PATH.fullmatch(path)) else ""
        if rest == "orders":
            return self._orders(path, query, host)
        if rest == "orders/count":
            return Answer(200, {"count": self.desk.orders({"limit": "1"})["total"]})
        if rest == "shop":
            return Answer(200, {"shop": shop_json()})
        if match := PART.fullmatch(rest):
            found = self._part(match["kind"], int(match["id"]), match["sub"] or "")
            if found is not None:
                return Answer(200, found)
        return Answer(404, {"errors": "Not Found"})

    def _view(self, order: int) -> View | None:
        last = self.store.known(order, time.time())
        return None if last is None else view(*self.store.history(order, through=last))

    def _part(self, kind: str, identity: int, sub: str) -> Json | None:
        """Ids of what belongs to an order lie within 4096 above it."""
        from_order = identity if kind == "orders" else identity - (identity - FIRST_ORDER_ID) % ID_STEP
        found = self._view(from_order)
        if found is None:
            return None
        if kind == "orders":
            return _of_order(found, sub)
        if kind == "fulfillment_orders" and found.fulfillment_orders and not sub:
            return {"fulfillment_order": found.fulfillment_orders[0]}
        return _of_order(found, f"fulfillments/{identity}/{sub}") if kind == "fulfillments" else None

    def _orders(self, path: str, query: Mapping[str, str], host: str) -> Answer:
        asked = dict(query)
        if "page_info" in asked:
            asked = {**_cursor(asked["page_info"]), **{k: v for k, v in asked.items() if k == "limit"}}
        limit = _limit(asked.get("limit", "50"))
        by_id = "since_id" in asked or asked.get("order", "").startswith("id")
        rows = self.store.changed(
            now=int(time.time()),
            least=_time(asked, "updated_at_min", 0),
            most=_time(asked, "updated_at_max", FOREVER),
            key="id" if by_id else "updated_at",
            after=_whole(asked, "after"),
            after_id=_whole(asked, "after_id" if "after_id" in asked else "since_id"),
            limit=limit + 1,
        )
        now = time.time()
        orders = [order for row in rows[:limit] if (order := self.desk.order(row["id"], now))]
        headers = {}
        if len(rows) > limit:
            last = rows[limit - 1]
            kept = {name: value for name, value in asked.items() if name in KEPT}
            kept |= {"after": str(last["updated_at"]), "after_id": str(last["id"])}
            kept |= {"since_id": str(last["id"])} if by_id else {}
            info = base64.urlsafe_b64encode(json.dumps(kept).encode()).decode()
            following = urlencode({"limit": limit, "page_info": info})
            headers["Link"] = f'<http://{host}{path}?{following}>; rel="next"'
        return Answer(200, {"orders": chosen(orders, asked)}, headers)


def chosen(orders: list[Json], asked: Mapping[str, str]) -> list[Json]:
    """Without `status` Shopify gives open orders only. `fields` and the other filters are not offered."""
    status = asked.get("status", "open")
    if status not in ("open", "closed", "cancelled", "any"):
        raise WrongRequest("status must be open, closed, cancelled or any.")
    kinds = {"open": "closed_at", "closed": "closed_at", "cancelled": "cancelled_at"}
    return [o for o in orders if status == "any" or (o[kinds[status]] is None) == (status == "open")]


def _of_order(found: View, sub: str) -> Json | None:
    if not sub:
        return {"order": found.order}
    lists: dict[str, list[Json]] = {
        "transactions": found.transactions,
        "fulfillments": found.order["fulfillments"],
        "fulfillment_orders": found.fulfillment_orders,
        "refunds": found.order["refunds"],
    }
    if sub in lists:
        return {sub: lists[sub]}
    parts = sub.strip("/").split("/")
    if parts[0] == "fulfillments" and len(parts) > 1 and parts[1].isdigit() and int(parts[1]) in found.events:
        return _of_fulfillment(found, int(parts[1]), parts[2:])
    return None


def _of_fulfillment(found: View, identity: int, sub: list[str]) -> Json | None:
    if sub == ["events"]:
        return {"fulfillment_events": found.events[identity]}
    return None if sub else {"fulfillment": next(f for f in found.order["fulfillments"] if f["id"] == identity)}


def shop_json() -> Json:
    return {
        "id": SHOP_ID,
        "name": NAME,
        "myshopify_domain": DOMAIN,
        "domain": DOMAIN,
        "currency": CURRENCY,
        "iana_timezone": str(ZONE),
        **HOME,
    }


def _cursor(text: str) -> dict[str, str]:
    try:
        found = json.loads(base64.urlsafe_b64decode(text))
    except (binascii.Error, ValueError):
        found = None
    if not isinstance(found, dict):
        raise WrongRequest("page_info is not one of ours.")
    return {str(key): str(value) for key, value in found.items()}


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 250:
        raise WrongRequest("limit must be a whole number from 1 to 250.")
    return int(text)


def _whole(asked: Mapping[str, str], name: str) -> int:
    text = asked.get(name, "0")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise WrongRequest(f"{name} must be a whole number.")
    return int(text)


def _time(asked: Mapping[str, str], name: str, default: int) -> int:
    """Times without a zone are taken as the shop's. A `+` that was not encoded arrives as a blank."""
    if name not in asked:
        return default
    try:
        found = datetime.fromisoformat(asked[name].replace(" ", "+"))
    except ValueError:
        raise WrongRequest(f"{name} must be a time in ISO 8601.") from None
    return int((found if found.tzinfo else found.replace(tzinfo=ZONE)).astimezone(UTC).timestamp())
