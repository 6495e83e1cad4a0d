"""Dead letters for tests: refused events, and webhooks of a source whose mapping can be mended."""

import json
from contextlib import AbstractContextManager
from typing import Any

from django_tenants.utils import schema_context

from orders.models import DeadLetter
from tenants.models import Tenant, WebhookSource
from tests.orders.door_cast import WHEN, event, rows, send
from tests.orders.webhook_cast import SECRET, post, signature, source
from tests.programs import program

MAPPING: dict[str, Any] = {
    "event_id": "id",
    "event_type": "kind",
    "occurred_at": "at",
    "order_id": "order",
    "signature": {"encoding": "base64"},
}
KIND = "a word of theirs that is far too long for us"
TABLES = (
    "orders_event",
    "orders_order",
    "orders_stage",
    "orders_parcel",
    "orders_deadletter",
    "orders_letterreplay",
    "exceptions_record",
    "exceptions_timelineentry",
)


def erp(tenant: Tenant) -> WebhookSource:
    """A source of plain JSON whose mapping does not know the word KIND yet."""
    return source(tenant, "erp", provider="json", mapping=MAPPING)


def mend(row: WebhookSource, ours: str = "payment_failed") -> None:
    row.mapping = {**MAPPING, "types": {KIND: ours}}
    row.save(update_fields=["mapping"])


def refused_webhook(number: int, order: str = "") -> DeadLetter:
    body = json.dumps({"id": f"w{number}", "kind": KIND, "at": WHEN, "order": order or f"o{number}"}).encode()
    answer = post("acme/erp", body, **{"X-Signature": signature(body, SECRET)})
    assert json.loads(answer.content) == {"status": "dead_letter", "reason": "unmapped"}
    return DeadLetter.objects.latest("pk")


def tell(*, merchant: str = "", **changes: Any) -> int:
    """Sends an event as a program of acme; the connection stands where it stood afterwards."""
    with schema_context("acme"):
        return send(program("acme", "ingest", merchant=merchant), event(**changes)).status_code


def refused_event(**changes: Any) -> DeadLetter:
    assert tell(**changes) in (409, 422)
    return DeadLetter.objects.latest("pk")


def in_schema() -> AbstractContextManager[None]:
    """For tests that go through the API, which leaves the connection on the public schema."""
    return schema_context("acme")


def snapshot(schema: str = "acme") -> dict[str, list[Any]]:
    """Every row of every table that a replay could touch."""
    return {table: rows(f"SELECT t.* FROM {{s}}.{table} t ORDER BY 1", schema) for table in TABLES}


def statuses() -> list[str]:
    return list(DeadLetter.objects.order_by("pk").values_list("status", flat=True))
