"""The end-to-end check of a running stack: a shop's new orders come in, and all that must follow from them is looked for.

It asks the stack from outside, as programs do, and holds the tenant's tables against the shop's own words.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from analytics.totals import waiting
from e2a.postgresql.raw import database_now, raw_connection
from exceptions.analyst.models import State
from exceptions.choices import Status, Verdict
from exceptions.models import ExceptionRecord
from orders.models import Event, Order, Stage
from orders.stages import RUNNING
from tenants.models import WebhookSource

PAUSE_SECONDS = 0.25
FOUND_WITHIN = timedelta(seconds=5)
AT_REST = timedelta(seconds=10)  # after its last change the shop's word on an order must have arrived
PAGE = 250
Left = TypeVar("Left")


class Check(NamedTuple):
    name: str
    passed: bool
    says: str


class Shop:
    """The mock shop behind a source. Raises: httpx.HTTPError where it does not answer."""

    def __init__(self, source: WebhookSource) -> None:
        url = urlsplit(source.api_url)
        self.source = source
        self.client = httpx.Client(base_url=f"{url.scheme}://{url.netloc}", timeout=30)

    def make(self, orders: int) -> range:
        """The numbers of new orders."""
        said = self.client.post("/admin/orders/generate", json={"count": orders}).raise_for_status().json()
        first, last = (int(said[end].lstrip("#")) for end in ("first", "last"))
        return range(first, last + 1)

    def pending(self) -> int:
        """Webhooks that are due and not taken."""
        return int(self.client.get("/stats").raise_for_status().json()["deliveries"]["pending"])

    def existing(self, numbers: range) -> Iterator[dict[str, Any]]:
        """Those of the numbers that were ordered by now: some are ordered only later."""
        page, pages = 1, 1
        while page <= pages:
            query = {"limit": PAGE, "page": page}
            said = self.client.get("/admin/orders.json", params=query).raise_for_status().json()
            yield from (order for order in said["orders"] if order["order_number"] in numbers)
            page, pages = page + 1, said["pages"]


def end_to_end(shop: Shop, orders: int, seconds: float) -> Iterator[Check]:
    """The checks, each as it is done. `seconds`: for all waiting together. Reads the schema of the connection.

    Raises: httpx.HTTPError when the shop or the stack does not answer.
    """
    end = time.monotonic() + seconds
    api, web = (f"http://127.0.0.1:{port}" for port in (settings.E2A_API_PORT, settings.E2A_WEB_PORT))
    yield from (parts_run(name, address) for name, address in (("api", api), ("web", web)))
    yield forged_is_refused(api, shop.source)
    numbers = shop.make(orders)
    yield webhooks_are_taken(shop, end)
    yield nothing_waits(end)
    yield state_is_the_shops(shop, numbers)
    yield deadlines_are_judged()
    yield breaches_have_exceptions()
    yield exceptions_are_analysed(end)
    yield next_deadline_is_found(end)


def parts_run(name: str, address: str) -> Check:
    answer = httpx.get(f"{address}/readyz", timeout=10)
    away = [f"{part}: {state}" for part, state in answer.json()["parts"].items() if state != "ok"]
    return Check(f"{name} and what stands behind it", not away, ", ".join(away) or "all parts run")


def forged_is_refused(api: str, source: WebhookSource) -> Check:
    address = f"{api}/webhooks/{source.tenant.slug}/{source.name}"
    body = b'{"id": 1, "created_at": "2026-01-01T00:00:00Z"}'
    before = Event.objects.filter(order_ref="1").count()
    headers = {
        "content-type": "application/json",
        "x-shopify-topic": "orders/create",
        "x-shopify-hmac-sha256": "bm8gc2lnbmF0dXJlIG9mIG91cnM=",
        "x-shopify-webhook-id": "forged",
    }
    status = httpx.post(address, content=body, headers=headers, timeout=10).status_code
    stored = Event.objects.filter(order_ref="1").count() - before
    return Check("a forged webhook", status == 401 and not stored, f"answered {status}, {stored} stored")


def webhooks_are_taken(shop: Shop, end: float) -> Check:
    left = until(shop.pending, end)
    return Check("webhooks", not left, f"{left:,} not taken" if left else "all that are due were taken")


def nothing_waits(end: float) -> Check:
    left = until(waiting, end)
    text = ", ".join(f"{count:,} {kind}" for kind, count in left.items())
    return Check("processing", not left, text or "nothing waits")


def state_is_the_shops(shop: Shop, numbers: range) -> Check:
    """Order by order: known here, cancelled, paid and shipped as the shop says."""
    now = database_now(raw_connection())
    told = {str(order["id"]): order for order in shop.existing(numbers) if at_rest(order, now)}
    known = dict(Order.objects.filter(order_id__in=told).values_list("order_id", "status"))
    rows = Stage.objects.filter(order__order_id__in=told, ended_at__isnull=False, started_at__isnull=False)
    ended = set(rows.exclude(state="CANCELLED").values_list("order__order_id", "name"))
    wrong = [order for order, said in told.items() if not agrees(said, known.get(order), ended, order)]
    if wrong:
        return Check(
            "the shop's own state", False, f"{len(wrong):,} of {len(told):,} orders differ: {', '.join(wrong[:5])}"
        )
    return Check("the shop's own state", bool(told), f"{len(told):,} orders, all as the shop says")


def at_rest(order: dict[str, Any], now: datetime) -> bool:
    return datetime.fromisoformat(order["updated_at"]) < now - AT_REST


def agrees(said: dict[str, Any], status: str | None, ended: set[tuple[str, str]], order: str) -> bool:
    if status is None:
        return False
    if said["cancelled_at"]:
        return status in ("CANCELLED", "DELIVERED")
    paid = said["financial_status"] in ("paid", "refunded", "partially_refunded")
    shipped = said["fulfillment_status"] == "fulfilled"
    return ((order, "payment_processing") in ended, (order, "order_fulfillment") in ended) == (paid, shipped)


def deadlines_are_judged() -> Check:
    """None that passed over five seconds ago is still open: the tables are asked, not the radar."""
    now = database_now(raw_connection())
    missed = Stage.objects.filter(state=RUNNING, breached=False, due_at__lt=now - FOUND_WITHIN)
    count = missed.exclude(judge_at__gt=now).count()  # those of a source that settles have their turn later
    return Check("passed deadlines", not count, f"{count:,} passed unseen" if count else "each is in breach")


def breaches_have_exceptions() -> Check:
    query = """
    SELECT count(*) FROM orders_stage g WHERE g.breached AND NOT EXISTS (
      SELECT 1 FROM exceptions_record r WHERE r.order_id = g.order_id AND r.stage = g.name AND r.verdict <> 'none')"""
    ((count,),) = raw_connection().execute(query).fetchall()
    found = Stage.objects.filter(breached=True).count()
    return Check(
        "breaches",
        not count,
        f"{count:,} of {found:,} without an exception" if count else f"{found:,}, each with its exception",
    )


def exceptions_are_analysed(end: float) -> Check:
    wanted = ExceptionRecord.objects.filter(verdict=Verdict.ACTIVE, history=False).exclude(status=Status.RESOLVED)
    bare = until(wanted.exclude(analyses__state=State.DONE).count, end)  # new ones open all the while
    return Check(
        "analyses",
        not bare,
        f"{bare:,} exceptions without one" if bare else f"{wanted.count():,} exceptions, each with one",
    )


def next_deadline_is_found(end: float) -> Check:
    """The soonest deadline ahead is watched as it passes."""
    name, now = "the next deadline", database_now(raw_connection())
    latest = now + timedelta(seconds=end - time.monotonic()) - FOUND_WITHIN
    ahead = Stage.objects.filter(state=RUNNING, breached=False, due_at__gt=now, due_at__lt=latest)
    stage = ahead.order_by("due_at").select_related("order").first()
    if stage is None or stage.due_at is None:
        return Check(name, True, "none passes within the time given: not watched")
    due = stage.due_at
    while is_open(stage) and (now := database_now(raw_connection())) < due + FOUND_WITHIN:
        time.sleep(PAUSE_SECONDS)
        stage.refresh_from_db()
    words = f"order {stage.order.order_id}, {stage.name.replace('_', ' ')}"
    if stage.breached:
        return Check(name, True, f"{words}: in breach {max(0.0, (now - due).total_seconds()):.1f} s after it")
    if is_open(stage):
        return Check(name, False, f"{words}: passed, and not in breach {FOUND_WITHIN.seconds} s later")
    return Check(name, True, f"{words}: kept at the last moment")


def is_open(stage: Stage) -> bool:
    return stage.state == RUNNING and not stage.breached and stage.due_at is not None


def until(left: Callable[[], Left], end: float) -> Left:
    """What is left when nothing is, or when the time is over."""
    while (found := left()) and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
    return found
