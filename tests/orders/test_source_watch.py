"""Missing order numbers and silence are seen, and open an exception that goes away by itself."""

from e2a.postgresql.raw import raw_connection
from orders.source_health import source_health
from orders.source_watch import watch_sources
from tenants.models import Tenant
from tests.orders.providers.shopify_cast import order
from tests.orders.webhook_cast import shopify, source, stored


def arrive(number: int, *, minutes_ago: int) -> None:
    """Order `number` came in so long ago."""
    shopify("orders/create", order(id=5000 + number, order_number=number), **{"X-Shopify-Event-Id": f"ev-{number}"})
    raw_connection().execute(
        """UPDATE "acme".orders_event SET received_at = now() - %s * interval '1 minute' WHERE order_ref = %s""",
        [minutes_ago, str(5000 + number)],
    )


def exceptions() -> list[tuple[str, str, str, str]]:
    rows = raw_connection().execute(
        'SELECT order_ref, reason_code, verdict, status FROM "acme".exceptions_record ORDER BY id'
    )
    return [tuple(row) for row in rows.fetchall()]


def test_missing_numbers_below_those_that_came_are_gaps(acme: Tenant) -> None:
    source(acme)
    for number in (1001, 1002, 1004, 1008):
        arrive(number, minutes_ago=10)
    arrive(1010, minutes_ago=1)
    [health] = source_health("acme", "acme")
    assert (health.gaps, health.missing_orders, health.healthy) == ([(1003, 1003), (1005, 1007)], 4, False)
    assert (health.path, health.events_today, health.waiting_letters) == ("/webhooks/acme/shopify", 5, 0)


def test_gap_opens_an_exception_and_its_filling_resolves_it(acme: Tenant) -> None:
    source(acme)
    arrive(1001, minutes_ago=9)
    arrive(1003, minutes_ago=9)
    assert (watch_sources("acme"), watch_sources("acme")) == (1, 0)
    assert ("source:shopify", "ORDERS_MISSING", "active", "OPEN") in exceptions()
    arrive(1002, minutes_ago=0)
    assert (watch_sources("acme"), watch_sources("acme")) == (1, 0)
    assert ("source:shopify", "ORDERS_MISSING", "over", "RESOLVED") in exceptions()


def test_silence_opens_an_exception_and_a_delivery_resolves_it(acme: Tenant) -> None:
    source(acme)
    for number in range(1001, 1022):
        arrive(number, minutes_ago=1100 - number)
    [health] = source_health("acme", "acme")
    assert health.silent_since == health.last_received_at
    assert watch_sources("acme") == 1
    assert ("source:shopify", "SOURCE_SILENT", "active", "OPEN") in exceptions()
    arrive(1022, minutes_ago=0)
    assert watch_sources("acme") == 1
    assert ("source:shopify", "SOURCE_SILENT", "over", "RESOLVED") in exceptions()


def test_healthy_source_has_no_news(acme: Tenant, globex: Tenant) -> None:
    source(acme)
    arrive(1001, minutes_ago=10)
    arrive(1002, minutes_ago=10)
    assert (watch_sources("acme"), watch_sources("globex")) == (0, 0)
    assert source_health("acme", "acme")[0].healthy
    assert source_health("globex", "globex") == []
    assert len(stored()) == 2
