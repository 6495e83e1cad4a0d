"""The report on a tenant's data: every number in it can be counted by hand."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from e2a.postgresql.raw import raw_connection
from tenants.models import Tenant
from tests.orders.letters.cast import erp, refused_webhook, snapshot, tell
from tests.orders.test_source_watch import arrive
from tests.orders.webhook_cast import source


def ago(**length: int) -> str:
    return (datetime.now(UTC) - timedelta(**length)).isoformat()


def report(tenant: str = "acme") -> dict[str, Any]:
    out = StringIO()
    call_command("data_quality_check", tenant, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return found


def test_nothing_is_found_where_nothing_is(in_acme: Tenant) -> None:
    found = report()
    assert found["orders"] == {"orders": 0, "contradicting": 0, "without_created": 0, "not_judged": 0}
    assert [found[key] for key in ("events", "dead_letters", "waiting_events", "missing_numbers")] == [[], [], [], []]
    assert found["troubles"] == 0


def test_each_kind_of_trouble_is_counted(in_acme: Tenant, globex: Tenant) -> None:
    tell(event_id="1", order_id="A", event_type="order_created", occurred_at=ago(hours=40))
    tell(event_id="2", order_id="A", event_type="order_cancelled", occurred_at=ago(hours=3))
    tell(event_id="3", order_id="A", event_type="order_delivered", occurred_at=ago(hours=2))
    tell(event_id="4", order_id="B", event_type="order_packed", occurred_at=ago(hours=-2))
    tell(event_id="5", order_id="C", event_type="order_created", occurred_at=ago(days=30))
    tell(event_id="6", order_id="A", event_type="order_cancelled", occurred_at=ago(hours=1))
    again = ago(hours=1)
    for number in ("7", "8"):
        tell(event_id=number, order_id="A", event_type="order_updated", occurred_at=again)
    tell(event_id="8", order_id="other", event_type="order_updated", occurred_at=again)
    erp(in_acme)
    refused_webhook(1)
    refused_webhook(1)
    raw_connection().execute(
        """INSERT INTO acme.orders_event (source, event_id, event_type, merchant, order_ref, tracking_number, occurred_at,
          received_at, effective_at, payload, content_hash)
        VALUES ('ups', 'w', 'order_delivered', 'default', '', '1Z', now(), now() - interval '2 hours', now(), '{}', '')"""
    )
    before = snapshot()
    found = report()
    assert snapshot() == before
    assert found["orders"] == {"orders": 3, "contradicting": 1, "without_created": 1, "not_judged": 0}
    assert found["contradictions"] == [
        {"order_id": "A", "merchant": "default", "contradiction": "Delivered after it was cancelled."}
    ]
    assert found["without_created"] == [{"order_id": "B", "merchant": "default"}]
    [waiting] = found["waiting_events"]
    assert (waiting["source"], waiting["events"], 7190 < waiting["oldest_seconds"] < 7300) == ("ups", 1, True)
    ups, wms = found["events"]
    assert (ups["source"], ups["from_the_future"]) == ("ups", 1)
    assert {key: wms[key] for key in ("events", "from_the_future", "late", "history", "told_again", "quarantined")} == {
        "events": 8, "from_the_future": 1, "late": 1, "history": 1, "told_again": 1, "quarantined": 0,
    }  # fmt: skip
    assert 7100 < wms["furthest_ahead_seconds"] <= 7200
    assert found["dead_letters"] == [
        {"source": "erp", "reason": "unmapped", "status": "waiting", "letters": 1, "refusals": 2},
        {"source": "wms", "reason": "conflict", "status": "waiting", "letters": 1, "refusals": 1},
    ]
    assert found["troubles"] == 1 + 1 + 1 + 2 + 2
    assert report("globex")["troubles"] == 0
    out = StringIO()
    call_command("data_quality_check", "acme", stdout=out)
    assert "  1 have no order_created: B\n" in out.getvalue()
    assert "  erp: 1 dead letters unmapped, waiting (refused 2 times)" in out.getvalue()


def test_missing_numbers_and_silence_are_in_it(in_acme: Tenant) -> None:
    source(in_acme)
    for number in [*range(1001, 1022), 1023]:
        arrive(number, minutes_ago=1100 - number)
    found = report()
    assert found["missing_numbers"] == [{"source": "shopify", "orders": 1, "ranges": [[1022, 1022]]}]
    assert [row["source"] for row in found["silent_sources"]] == ["shopify"]


def test_unknown_tenant(db: None) -> None:
    with pytest.raises(CommandError, match="There is no active tenant “nobody”"):
        report("nobody")
