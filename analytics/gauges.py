"""Each tenant's numbers for Prometheus, counted when the metrics are read, and at most every ten seconds."""

import time
from collections.abc import Iterable
from threading import Lock

from django.db import connection
from django_tenants.utils import schema_context
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from analytics.selectors import Metrics, metrics_of
from e2a.errors import DATABASE_DOWN
from e2a.postgresql.raw import database_now, raw_connection
from tenants.models import Tenant

FRESH_SECONDS = 10.0


class Counted:
    """The last count of this process."""

    lock = Lock()
    at = 0.0
    tenants: dict[str, Metrics] = {}


class Tenants(Collector):
    def collect(self) -> Iterable[Metric]:
        """Without PostgreSQL there is nothing to tell."""
        try:
            counted = counted_lately()
        except DATABASE_DOWN:
            connection.close()
            return
        active = GaugeMetricFamily("octup_active_exceptions", "Exceptions not resolved.", labels=["tenant", "severity"])
        compliance = GaugeMetricFamily(
            "octup_sla_compliance_rate", "Of the deadlines of the tenant's day, the share kept.", labels=["tenant"]
        )
        for schema, metrics in counted.items():
            for severity, count in metrics.active.items():
                active.add_metric([schema, severity], count)
            if metrics.sla_compliance_rate is not None:
                compliance.add_metric([schema], metrics.sla_compliance_rate)
        yield active
        yield compliance


def counted_lately() -> dict[str, Metrics]:
    with Counted.lock:
        if not Counted.at or time.monotonic() - Counted.at > FRESH_SECONDS:
            Counted.tenants, Counted.at = count_all(), time.monotonic()
        return Counted.tenants


def count_all() -> dict[str, Metrics]:
    now = database_now(raw_connection())
    found = {}
    for schema, zone in Tenant.objects.filter(active=True).values_list("schema_name", "timezone"):
        with schema_context(schema):
            found[schema] = metrics_of(zone, now)
    return found
