"""Actions on a shop's order: read it, call, and read it again where the call alone says nothing (a cancelling's job)."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from exceptions.playbooks.channels.calls import (
    Found,
    Json,
    NotPossible,
    Performed,
    Prepared,
    Tools,
    Work,
    undo_of,
)
from exceptions.playbooks.channels.shopify_calls import calls_of, money_of
from exceptions.playbooks.channels.shopify_traces import trace_of
from tenants.clients import shop_requests
from tenants.clients.errors import CallError, Unsure
from tenants.clients.shop_requests import ShopRequest
from tenants.clients.shop_writing import Cost, Reply, ShopWriter

JOB_LOOKS = 6
JOB_PAUSE_SECONDS = 1.5


class Shopify:
    def prepare(self, work: Work, tools: Tools) -> Prepared:
        shop = writer_of(work, tools)
        reply = shop.send(shop_requests.read_order(work.subject.order_id))
        if reply.data is None:
            raise NotPossible("The shop does not know this order.")
        calls = calls_of(work, reply.data)
        money, currency = money_of(work, reply.data)
        shown = [{"query": " ".join(call.query.split()), "variables": dict(call.variables)} for call in calls]
        request: Json = {"method": "POST", "url": shop.endpoint, "calls": shown}
        if work.action.name == "shopify_address":
            request["before"] = reply.data.get("shippingAddress")
        return Prepared(request, cost_text(calls, reply.cost), undo_of(work.action), money, currency, calls)

    def perform(self, work: Work, prepared: Prepared, tools: Tools) -> Performed:
        shop = writer_of(work, tools)
        calls: Sequence[ShopRequest] = prepared.calls
        reply = Reply(None, None)
        for number, call in enumerate(calls):
            try:
                reply = shop.send(call)
            except CallError as error:
                if number == 0 or isinstance(error, Unsure):
                    raise
                raise Unsure(f"{number} of {len(calls)} calls were done; then: {error.sentence}") from None
        if work.action.name == "shopify_cancel":
            return Performed(self._wait_for_job(shop, work, reply.data or {}, tools))
        return Performed(f"The shop took {len(calls)} calls." if len(calls) > 1 else "The shop took it.")

    def look_up(self, work: Work, tools: Tools) -> Found:
        reply = writer_of(work, tools).send(shop_requests.read_order(work.subject.order_id))
        return Found.UNCLEAR if reply.data is None else trace_of(work, reply.data)

    def _wait_for_job(self, shop: ShopWriter, work: Work, data: dict[str, Any], tools: Tools) -> str:
        """Success is what the order says afterwards. What the shop began is done whatever these looks meet."""
        job = (data.get("job") or {}).get("id", "")
        try:
            for _ in range(JOB_LOOKS):
                found = shop.send(shop_requests.read_job(job)).data
                if found is None or found["done"]:
                    break
                tools.sleep(JOB_PAUSE_SECONDS)
            order = shop.send(shop_requests.read_order(work.subject.order_id)).data or {}
        except CallError:
            order = {}
        if order.get("cancelledAt"):
            return f"The shop cancelled the order at {order['cancelledAt']}."
        return "The shop took the cancelling and is still at it."


def writer_of(work: Work, tools: Tools) -> ShopWriter:
    """Raises: NotPossible."""
    shop = work.subject.shop
    if shop is None:
        raise NotPossible("This order comes from no Shopify source whose Admin API is set.")
    return ShopWriter(
        shop.api_url, shop.api_token, transport=tools.transport, allow_private=settings.E2A_ALLOW_PRIVATE_OUTGOING
    )


def cost_text(calls: Sequence[ShopRequest], cost: Cost | None) -> str:
    points = sum(call.cost for call in calls)
    left = f" of {cost.left} left" if cost else ""
    return f"{len(calls)} {'call' if len(calls) == 1 else 'calls'}, about {points} points{left}"
