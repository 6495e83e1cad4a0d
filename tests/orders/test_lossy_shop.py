"""A shop that drops, doubles and reorders its webhooks: after reconciliation the state is its own truth."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from e2a.postgresql.raw import raw_connection
from orders.reconcile_shop import reconcile_source
from shopify_mock.batch import PlannedOrder, make_batch
from shopify_mock.config import access_token_of
from shopify_mock.desk import Desk
from tenants.clients import ShopClient
from tenants.models import Tenant, WebhookSource
from tests.api_server import ApiServer
from tests.live import eventually
from tests.orders.providers.test_shop_lives import webhooks
from tests.orders.webhook_cast import post, signature, source
from tests.shopify_mock.receiver import SECRET as SHOP_SECRET
from tests.shopify_mock.receiver import desk_of, sending, serving

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


def deliver(path: str, batch: list[PlannedOrder], secret: str) -> None:
    """Every webhook once, in its order: a shop that loses nothing."""
    for one in (one for planned in batch for one in webhooks(planned)):
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


def lossy_shop(home: Path) -> tuple[Desk, list[PlannedOrder]]:
    """The mock, told to lose, double and reorder; and what it planned of what has happened by now."""
    desk = desk_of(home)
    desk.change_settings({"problem_share": 0.5, "drop": 0.05, "double": 0.1, "reorder": 1})
    base = int((datetime.now(UTC) - timedelta(hours=60)).timestamp())
    desk.generate({"count": 60, "seed": 7}, now=base)
    batch = make_batch(seed=7, base=base, count=60, first_number=1001, problem_share=0.5)
    now = datetime.now(UTC).timestamp()
    begun = [(planned, tuple(one for one in planned.happenings if one.at <= now)) for planned in batch]
    return desk, [replace(planned, happenings=past) for planned, past in begun if past]


def test_reconciled_state_is_the_shops_own_truth(api: ApiServer, tmp_path: Path) -> None:
    """Its own sender and Admin API, over sockets, against the door's own server; the other tenant's shop loses nothing."""
    acme, globex = (Tenant.objects.get(slug=slug) for slug in ("acme", "globex"))
    desk, batch = lossy_shop(tmp_path)
    row = source(acme, secret=SHOP_SECRET, api_token=access_token_of(SHOP_SECRET))
    source(globex, secret=OTHER)
    deliver("globex/shopify", batch, OTHER)
    with sending(desk, f"http://127.0.0.1:{api.port}/webhooks/acme/shopify"):
        eventually(lambda: not desk.store.stats(time.time())["deliveries"]["pending"], 60, "its webhooks are not taken")
    sent = desk.store.stats(time.time())["deliveries"]
    assert sent["dropped"] > 0.02 * sent["sent"] and sent["doubled"] > 0.05 * sent["sent"] and not sent["failed"]
    truth = {str(planned.id): truth_of(planned) for planned in batch}
    assert state("acme") != state("globex")
    assert known_of("acme") != truth
    with serving(desk) as shop:
        WebhookSource.objects.filter(pk=row.pk).update(api_url=f"{shop.base_url}/admin/api/2026-10")
        done = reconcile_source("acme", "shopify", client_of=over_loopback)
    assert done is not None and done.missing > 0
    known = known_of("acme")
    assert known.keys() == truth.keys()
    for order, told in truth.items():
        assert known[order] == told, order
    assert state("acme") == state("globex")


def over_loopback(row: WebhookSource) -> ShopClient:
    """As settings give it, but that this shop is on the same machine."""
    return ShopClient(row.api_url, row.api_token, allow_private=True)
