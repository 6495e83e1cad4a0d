"""A shop that drops, doubles and reorders its webhooks: after reconciliation the state is its own truth."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx

from e2a.postgresql.raw import raw_connection
from orders.reconcile_shop import reconcile_source
from shopify_mock.batch import PlannedOrder, make_batch
from shopify_mock.state import view
from tenants.clients import ShopClient
from tenants.models import Tenant, WebhookSource
from tests.orders.providers.test_shop_lives import webhooks
from tests.orders.webhook_cast import SECRET, post, signature, source

OTHER = "shop-secret-of-globex-0123456789"
STAGES = """
SELECT o.order_id, o.status, o.held, g.name, g.state, g.started_at, g.ended_at, g.due_at, g.breached
FROM "{s}".orders_stage g JOIN "{s}".orders_order o ON o.id = g.order_id"""
EXCEPTIONS = """
SELECT order_ref, reason_code, verdict, opened_at, ended_at FROM "{s}".exceptions_record WHERE verdict <> 'none'"""


def state(schema: str) -> tuple[set[Any], set[Any]]:
    """What CONTRACT 4 calls the state: the stages, and the exceptions that are or were."""
    rows = [raw_connection().execute(text.format(s=schema)).fetchall() for text in (STAGES, EXCEPTIONS)]
    return set(rows[0]), set(rows[1])


def shop_of(batch: list[PlannedOrder]) -> Callable[[WebhookSource], ShopClient]:
    """The shop's Admin API over its own truth."""
    found = {str(planned.id): view(planned.goods, planned.happenings) for planned in batch}

    def answer(request: httpx.Request) -> httpx.Response:
        parts = request.url.path.removesuffix(".json").split("/")[4:]
        if parts == ["orders"]:
            return httpx.Response(200, json={"orders": [one.order for one in found.values()]})
        one = found[parts[1]]
        if parts[2] == "fulfillments":
            return httpx.Response(200, json={"fulfillment_events": one.events[int(parts[3])]})
        return httpx.Response(200, json={parts[2]: getattr(one, parts[2])})

    return lambda row: ShopClient(row.api_url, "tok", transport=httpx.MockTransport(answer), allow_private=True)


def deliver(path: str, batch: list[PlannedOrder], secret: str, rng: Random | None = None) -> None:
    """All webhooks in their order; with a random source 5% never, 10% twice, and all of them shuffled."""
    sent = [one for planned in batch for one in webhooks(planned)]
    if rng:
        sent = [one for one in sent if rng.random() >= 0.05]
        sent += [one for one in sent if rng.random() < 0.1]
        rng.shuffle(sent)
    for one in sent:
        headers = {**one.headers, "x-shopify-hmac-sha256": signature(one.body, secret)}
        headers = {name: value for name, value in headers.items() if name != "content-type"}
        assert post(path, one.body, **headers).status_code == 200


Truth = tuple[str, bool, dict[str, tuple[datetime | None, datetime | None]]]


def truth_of(planned: PlannedOrder) -> Truth:
    """What the shop planned, read off its own happenings and no webhook: status, held, and when each stage began and ended."""
    at = {happening.kind: when(happening.at) for happening in reversed(planned.happenings)}
    shipped, delivered = (arrivals(planned, kind) for kind in ("shipped", "delivered"))
    packed = min(arrivals(planned, "label_printed").values(), default=None)
    whole = planned.goods["parcels"]
    fulfilled = max(shipped.values()) if len(shipped) == whole else None
    arrived = max(delivered.values()) if len(delivered) == whole else None
    cancelled = at.get("cancelled")
    steps = [("DELIVERED", arrived), ("CANCELLED", cancelled), ("FULFILLED", fulfilled), ("PACKED", packed)]
    steps += [("ALLOCATED", at.get("routed")), ("PAID", at.get("paid")), ("CREATED", at["created"])]
    holds = [happening.kind for happening in planned.happenings if happening.kind in ("held", "released")]
    stages = {
        "payment_processing": (at["created"], at.get("paid") or cancelled),
        "inventory_check": (at.get("paid"), at.get("routed") or cancelled),
        "shipping_preparation": (at.get("routed"), packed or cancelled),
        "order_fulfillment": (at["created"], fulfilled or cancelled),
        "delivery": (at["created"], arrived or cancelled),
    }
    begun = {name: clock for name, clock in stages.items() if clock[0] is not None}
    return next(name for name, reached in steps if reached), holds[-1:] == ["held"], begun


def arrivals(planned: PlannedOrder, what: str) -> dict[int, datetime]:
    """Parcel → when it was first shipped, or moved to that status."""
    found: dict[int, datetime] = {}
    for happening in planned.happenings:
        if what in (happening.kind, happening.data.get("status")):
            found.setdefault(happening.data["parcel"], when(happening.at))
    return found


def when(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def known_of(schema: str) -> dict[str, Truth]:
    orders = raw_connection().execute(f'SELECT order_id, status, held FROM "{schema}".orders_order').fetchall()
    stages: dict[str, dict[str, Any]] = {order: {} for order, _, _ in orders}
    for order, _, _, name, state, started, ended, *_ in raw_connection().execute(STAGES.format(s=schema)).fetchall():
        if started is not None and state != "SKIPPED":
            stages[order][name] = (started.astimezone(UTC), ended.astimezone(UTC) if ended else None)
    return {order: (status, held, stages[order]) for order, status, held in orders}


def test_reconciled_state_is_the_shops_own_truth(acme: Tenant, globex: Tenant) -> None:
    base = int((datetime.now(UTC) - timedelta(hours=60)).timestamp())
    batch = make_batch(seed=7, base=base, count=40, first_number=1001, problem_share=0.5)
    source(acme, api_url="https://shop.example/admin/api/2026-10")
    source(globex, secret=OTHER)
    deliver("acme/shopify", batch, SECRET, Random(5))
    deliver("globex/shopify", batch, OTHER)
    truth = {str(planned.id): truth_of(planned) for planned in batch}
    assert state("acme") != state("globex")
    assert known_of("acme") != truth
    done = reconcile_source("acme", "shopify", client_of=shop_of(batch))
    assert done is not None and done.missing > 0
    assert state("acme") == state("globex")
    known = known_of("acme")
    assert known.keys() == truth.keys()
    for order, told in truth.items():
        assert known[order] == told, order
