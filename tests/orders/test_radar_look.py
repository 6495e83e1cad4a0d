"""The radar's look every second: what it finds, and that a plan for any instant reads no clock that is not due."""

from datetime import timedelta

import pytest
from django.db import connection

from e2a.postgresql.raw import database_now, raw_connection
from orders.looking import look_text
from orders.models import Event, Order, Stage
from orders.radar import LOOK, look
from tenants.models import Tenant

FAR = """
INSERT INTO orders_stage (order_id, name, state, judge_at)
SELECT o.id, 'delivery', 'RUNNING', now() + interval '1 day' FROM orders_order o"""
ORDERS = """
INSERT INTO orders_order (merchant, order_id) SELECT 'default', 'o' || n FROM generate_series(1, 5000) n"""


def test_look_tells_who_has_what_to_do(in_acme: Tenant, globex: Tenant) -> None:
    now = database_now(raw_connection())
    order = Order.objects.create(merchant="default", order_id="1", fold_retry_at=now + timedelta(hours=1))
    stage = Stage.objects.create(order=order, name="delivery", state="RUNNING", judge_at=now)

    def seen() -> list[tuple[str, bool, bool, bool]]:
        return look(raw_connection(), ["acme", "globex"], now)

    assert seen() == []  # an instant that is now has not passed
    Stage.objects.filter(pk=stage.pk).update(judge_at=now - timedelta(microseconds=1))
    assert seen() == [("acme", True, False, False)]
    Stage.objects.filter(pk=stage.pk).update(judge_at=None)
    Order.objects.filter(pk=order.pk).update(fold_retry_at=now)
    assert seen() == [("acme", False, True, False)]
    Order.objects.filter(pk=order.pk).update(fold_retry_at=None)
    Event.objects.create(
        source="ups", event_id="1", event_type="order_delivered", merchant="default", tracking_number="1Z",
        occurred_at=now, received_at=now, effective_at=now, payload={}, content_hash=b"0" * 16,
    )  # fmt: skip
    assert seen() == [("acme", False, False, True)]


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
def test_look_reads_no_clock_that_is_not_due(in_acme: Tenant, mode: str) -> None:
    with connection.cursor() as cursor:
        for text in (
            ORDERS,
            FAR,
            "ANALYZE orders_order",
            "ANALYZE orders_stage",
            f"SET LOCAL plan_cache_mode = {mode}",
        ):
            cursor.execute(text)
        cursor.execute(f"PREPARE look_at(timestamptz) AS {look_text(LOOK, ('acme',)).replace('%(now)s', '$1')}")
        cursor.execute("EXPLAIN EXECUTE look_at(now())")
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("DEALLOCATE look_at")
    assert "using stage_to_judge" in plan
    assert "Seq Scan on orders_stage" not in plan
    assert "Seq Scan on orders_order" not in plan
