"""Reads what explaining an order's due times takes: its facts, and the versions of the policy."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from e2a.postgresql.raw import raw_connection
from orders.explanation import Explanation, explain
from orders.facts import Fact
from orders.models import Order
from orders.statements import statements_of
from orders.versions import versions_from

ZONE = 'SELECT timezone FROM "public".tenants_tenant WHERE schema_name = %(schema)s'


class Explained(NamedTuple):
    """`timezone`: the tenant's, for what no calendar says; `now`: the database's."""

    stages: Sequence[Explanation]
    timezone: str
    now: datetime


def explain_order(schema: str, order: Order, *, stage: str = "") -> Explained:
    """Every stage that is not pending, or the one named. One round trip."""
    connection, texts = raw_connection(), statements_of(schema)
    with connection.pipeline():
        facts = connection.execute(texts.facts_by_ids, {"ids": [order.pk]})
        policies = connection.execute(texts.policies, {"schema": schema})
        zone = connection.execute(ZONE, {"schema": schema})
    listed, _, now = policies.fetchall()[0]
    found = [Fact(*row[2:8]) for row in facts.fetchall()]
    explained = explain(found, versions_from(connection, listed), merchant=order.merchant, stage=stage)
    return Explained(explained, zone.fetchall()[0][0], now)
