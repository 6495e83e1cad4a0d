"""The client that talks to shops: Shopify's Admin API over HTTP, read only. Touches no database.

Every call has a time limit and a few tries; the shop's own wish to wait (429, Retry-After) is granted. A link to the
next page is followed only to the same host, redirects not at all, private addresses only where settings allow them.
"""

import ipaddress
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import stamina

TIMEOUT = httpx.Timeout(10, connect=5)
TRIES = 4
LONGEST_WAIT = 30.0
PAGE = 50  # each order costs two calls or more, and a page is what a cut run loses
MAX_ANSWER = 32 * 1024 * 1024
Json = dict[str, Any]


class ShopError(Exception):
    """The shop's API could not be read."""


class Busy(ShopError):
    """The shop asks to wait, or stumbled; a later try can help."""


@dataclass(frozen=True, slots=True)
class ShopClient:
    """One shop. `url` is its Admin API (`https://SHOP/admin/api/2026-01`); `transport` a seam for tests."""

    url: str
    token: str
    transport: httpx.BaseTransport | None = None
    allow_private: bool = False

    def orders_updated_since(self, since: datetime) -> Iterator[list[Json]]:
        """Pages of orders, the longest unchanged first. Raises: ShopError."""
        query = f"status=any&limit={PAGE}&order=updated_at+asc&updated_at_min={since:%Y-%m-%dT%H:%M:%SZ}"
        link = f"orders.json?{query}"
        while link:
            answer = self._get(link)
            yield _listed(answer, "orders")
            link = answer.links.get("next", {}).get("url", "")

    def transactions(self, order: str) -> list[Json]:
        return self._optional(f"orders/{order}/transactions.json", "transactions")

    def fulfillment_orders(self, order: str) -> list[Json]:
        return self._optional(f"orders/{order}/fulfillment_orders.json", "fulfillment_orders")

    def fulfillment_events(self, order: str, fulfillment: str) -> list[Json]:
        return self._optional(f"orders/{order}/fulfillments/{fulfillment}/events.json", "fulfillment_events")

    def _optional(self, path: str, name: str) -> list[Json]:
        """A list that this shop or this token's rights may not give; then it is empty."""
        answer = self._get(path, absent=(403, 404))
        return _listed(answer, name) if answer.status_code == 200 else []

    def _get(self, path: str, *, absent: tuple[int, ...] = ()) -> httpx.Response:
        base = self.url.rstrip("/") + "/"
        target = urljoin(base, path)
        if urlsplit(target)[:2] != urlsplit(base)[:2]:
            raise ShopError("The shop's answer points to another host; it was not followed.")
        if not self.allow_private:
            refuse_private(urlsplit(target).hostname or "")
        for attempt in stamina.retry_context(on=_wait_of, attempts=TRIES, timeout=90):
            with attempt:
                return self._once(target, absent)
        raise ShopError("unreachable")  # pragma: no cover - the loop above returns or raises

    def _once(self, target: str, absent: tuple[int, ...]) -> httpx.Response:
        headers = {"X-Shopify-Access-Token": self.token, "Accept": "application/json"}
        with httpx.Client(transport=self.transport, timeout=TIMEOUT, follow_redirects=False) as client:
            answer = client.get(target, headers=headers)
        if answer.status_code == 429 or answer.status_code >= 500:
            raise Busy(f"The shop answered {answer.status_code}.", answer.headers.get("Retry-After", ""))
        if answer.status_code != 200 and answer.status_code not in absent:
            raise ShopError(f"The shop answered {answer.status_code}; check the address and the token of the source.")
        if len(answer.content) > MAX_ANSWER:
            raise ShopError("The shop's answer is too large.")
        return answer


def _wait_of(error: Exception) -> bool | float:
    """Whether another try can help, or after how many seconds the shop wants it."""
    if isinstance(error, Busy):
        wish = str(error.args[1]) if len(error.args) > 1 else ""
        return min(float(wish), LONGEST_WAIT) if wish.replace(".", "", 1).isdigit() else True
    return isinstance(error, httpx.TransportError)


def _listed(answer: httpx.Response, name: str) -> list[Json]:
    try:
        body = answer.json()
    except ValueError:
        raise ShopError("The shop's answer is no JSON.") from None
    items = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(items, list):
        raise ShopError(f"The shop's answer has no list “{name}”.")
    return [item for item in items if isinstance(item, dict)]


def refuse_private(host: str) -> None:
    """Raises: ShopError when the host is, or stands for, an address inside our own network."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        raise Busy(f"The shop's host {host} cannot be found.") from None
    if not all(ipaddress.ip_address(address).is_global for address in found):
        raise ShopError("The shop's address lies inside a private network; it is not called.")
