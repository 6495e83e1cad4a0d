"""Changes a shop's orders: Shopify's GraphQL Admin API.

An answer of HTTP 200 may be a refusal (`userErrors`) or a wish to wait (THROTTLED). What was sent and not answered is
not sent again unless it may be: whoever asked looks at the order first.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tenants.clients.errors import Busy, CallError, Refused, Unsure
from tenants.clients.outgoing import LONGEST_WAIT, Answer, call, wait_of
from tenants.clients.retrying import retried
from tenants.clients.shop_requests import ShopRequest

TRIES = 3
WHOLE_SECONDS = 25.0
THROTTLED, UNSURE_CODES = "THROTTLED", ("INTERNAL_SERVER_ERROR", "TIMEOUT")
ERROR_LISTS = ("orderCancelUserErrors", "userErrors")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cost:
    """In points: what the call cost, and what is left of how many."""

    actual: int
    left: int
    most: int


@dataclass(frozen=True, slots=True)
class Reply:
    """`data` is what the asked field gave; None for what the shop does not know."""

    data: Json | None
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class ShopWriter:
    """One shop. `url` is its Admin API (`https://SHOP/admin/api/2026-10`); `transport` a seam for tests."""

    url: str
    token: str
    transport: httpx.BaseTransport | None = None
    allow_private: bool = False

    @property
    def endpoint(self) -> str:
        return f"{self.url.rstrip('/')}/graphql.json"

    def send(self, request: ShopRequest) -> Reply:
        """Raises: Busy, Refused (with the shop's own words), Unsure."""
        return retried(lambda: self._once(request), harmless=request.harmless, tries=TRIES, seconds=WHOLE_SECONDS)

    def _once(self, request: ShopRequest) -> Reply:
        content = json.dumps({"query": request.query, "variables": dict(request.variables)}).encode()
        headers = {
            "X-Shopify-Access-Token": self.token,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        answer = call(
            "POST",
            self.endpoint,
            headers=headers,
            content=content,
            transport=self.transport,
            allow_private=self.allow_private,
        )
        return reply_of(answer, request.field)


def reply_of(answer: Answer, field: str) -> Reply:
    """Raises: Busy, Refused, Unsure."""
    if answer.status == 429:
        raise Busy("The shop asks to wait.", wait_seconds=wait_of(answer.headers))
    if answer.status >= 500:
        raise Unsure(f"The shop answered {answer.status}; whether it did what was asked is not known.")
    if answer.status != 200:
        raise Refused(f"The shop answered {answer.status}; check the address and the token of the source.")
    try:
        body = json.loads(answer.body)
    except ValueError:
        raise Unsure("The shop's answer is no JSON; whether it did what was asked is not known.") from None
    if not isinstance(body, dict):
        raise Unsure("The shop's answer is no object; whether it did what was asked is not known.")
    if errors := body.get("errors"):
        raise top_error(errors, body)
    data = body.get("data")
    if not isinstance(data, dict) or field not in data:
        raise Unsure(f"The shop's answer says nothing of {field}.")
    found = data[field]
    refuse_user_errors(found)
    return Reply(found if isinstance(found, dict) else None, cost_of(body))


def top_error(errors: Any, body: Mapping[str, Any]) -> CallError:
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {"message": errors}
    code = (first.get("extensions") or {}).get("code", "")
    if code == THROTTLED:
        return Busy("The shop's call limit is reached.", wait_seconds=throttle_wait(body))
    if code in UNSURE_CODES:
        return Unsure(f"The shop stumbled: {str(first.get('message'))[:200]}")
    return Refused(f"The shop refuses: {str(first.get('message'))[:300]}")


def throttle_wait(body: Mapping[str, Any]) -> float:
    """Until the bucket holds what the call costs."""
    cost = (body.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    missing = float(cost.get("requestedQueryCost") or 50) - float(status.get("currentlyAvailable") or 0)
    return min(max(0.5, missing / max(1.0, float(status.get("restoreRate") or 50))), LONGEST_WAIT)


def refuse_user_errors(found: Any) -> None:
    """Raises: Refused."""
    if not isinstance(found, dict):
        return
    for name in ERROR_LISTS:
        if errors := found.get(name):
            told = [f"{'.'.join(error.get('field') or [])}: {error.get('message')}".strip(": ") for error in errors]
            raise Refused(f"The shop refuses: {'; '.join(told)[:500]}")


def cost_of(body: Mapping[str, Any]) -> Cost | None:
    cost = (body.get("extensions") or {}).get("cost")
    if not isinstance(cost, dict):
        return None
    status = cost.get("throttleStatus") or {}
    return Cost(
        int(cost.get("actualQueryCost") or cost.get("requestedQueryCost") or 0),
        int(status.get("currentlyAvailable") or 0),
        int(status.get("maximumAvailable") or 0),
    )
