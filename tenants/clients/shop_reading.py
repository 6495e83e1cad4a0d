"""Reads a shop: Shopify's Admin API by REST, for reconciliation.

The shop's own wish to wait (429, Retry-After) is granted. A link to the next page is followed only to the same host.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from tenants.clients.errors import Busy, Refused
from tenants.clients.outgoing import Answer, call, wait_of
from tenants.clients.retrying import retried

PAGE = 50  # each order costs two calls or more, and a page is what a cut run loses
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ShopClient:
    """One shop. `url` is its Admin API (`https://SHOP/admin/api/2026-01`); `transport` a seam for tests."""

    url: str
    token: str
    transport: httpx.BaseTransport | None = None
    allow_private: bool = False

    def orders_updated_since(self, since: datetime) -> Iterator[list[Json]]:
        """Pages of orders, the longest unchanged first. Raises: CallError."""
        query = f"status=any&limit={PAGE}&order=updated_at+asc&updated_at_min={since:%Y-%m-%dT%H:%M:%SZ}"
        link = f"orders.json?{query}"
        while link:
            answer = self._get(link)
            yield _listed(answer, "orders")
            link = _next(answer)

    def transactions(self, order: str) -> list[Json]:
        return self._optional(f"orders/{order}/transactions.json", "transactions")

    def fulfillment_orders(self, order: str) -> list[Json]:
        return self._optional(f"orders/{order}/fulfillment_orders.json", "fulfillment_orders")

    def fulfillment_events(self, order: str, fulfillment: str) -> list[Json]:
        return self._optional(f"orders/{order}/fulfillments/{fulfillment}/events.json", "fulfillment_events")

    def _optional(self, path: str, name: str) -> list[Json]:
        """A list that this shop or this token's rights may not give; then it is empty."""
        answer = self._get(path, absent=(403, 404))
        return _listed(answer, name) if answer.status == 200 else []

    def _get(self, path: str, *, absent: tuple[int, ...] = ()) -> Answer:
        base = self.url.rstrip("/") + "/"
        target = urljoin(base, path)
        if urlsplit(target)[:2] != urlsplit(base)[:2]:
            raise Refused("The shop's answer points to another host; it was not followed.")
        return retried(lambda: self._once(target, absent), harmless=True)

    def _once(self, target: str, absent: tuple[int, ...]) -> Answer:
        headers = {"X-Shopify-Access-Token": self.token, "Accept": "application/json"}
        answer = call("GET", target, headers=headers, transport=self.transport, allow_private=self.allow_private)
        if answer.status == 429 or answer.status >= 500:
            raise Busy(f"The shop answered {answer.status}.", wait_seconds=wait_of(answer.headers))
        if answer.status != 200 and answer.status not in absent:
            raise Refused(f"The shop answered {answer.status}; check the address and the token of the source.")
        return answer


def _next(answer: Answer) -> str:
    links = httpx.Response(200, headers=answer.headers).links
    return links.get("next", {}).get("url", "") or ""


def _listed(answer: Answer, name: str) -> list[Json]:
    try:
        body = json.loads(answer.body)
    except ValueError:
        raise Refused("The shop's answer is no JSON.") from None
    items = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(items, list):
        raise Refused(f"The shop's answer has no list “{name}”.")
    return [item for item in items if isinstance(item, dict)]
