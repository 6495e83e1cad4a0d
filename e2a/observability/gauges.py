"""What the servers beneath us say of themselves, asked when the metrics are read and never on the way of a request."""

from collections.abc import Iterable

import redis
from django.conf import settings
from django.db import connection
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from e2a.errors import DATABASE_DOWN
from e2a.postgresql.raw import raw_connection

CONNECTIONS = """
SELECT count(*) FILTER (WHERE state <> 'idle'), current_setting('max_connections')::int
FROM pg_stat_activity WHERE datname = current_database()"""


class Servers(Collector):
    def collect(self) -> Iterable[Metric]:
        """A server that does not answer is left out."""
        yield from database_gauges()
        yield from cache_gauges()


def database_gauges() -> Iterable[Metric]:
    try:
        row = raw_connection().execute(CONNECTIONS).fetchone()
    except DATABASE_DOWN:
        connection.close()
        return
    active, most = row or (0, 0)
    yield GaugeMetricFamily(
        "octup_db_connections_active", "Connections to our database that do something.", value=active
    )
    yield GaugeMetricFamily("octup_db_connections_max", "Connections that PostgreSQL allows.", value=most)


def cache_gauges() -> Iterable[Metric]:
    """The share of look-ups that found something, since the server started."""
    location = str(settings.CACHES["default"]["LOCATION"])
    client = redis.Redis.from_url(location, socket_timeout=0.5, socket_connect_timeout=0.5)
    try:
        said = client.info("stats")
    except (redis.RedisError, OSError):
        return
    finally:
        client.close()
    hits, misses = int(said["keyspace_hits"]), int(said["keyspace_misses"])
    gauge = GaugeMetricFamily(
        "octup_redis_cache_hit_rate", "Share of look-ups that found something.", labels=["cache_type"]
    )
    gauge.add_metric(["redis"], hits / (hits + misses) if hits + misses else 0.0)
    yield gauge


def registry_of(collectors: Iterable[Collector]) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    return registry
