"""What another policy would have made of past orders: each judged twice, as it stands and under the draft. Nothing is written.

`simulate` is pure and takes any stream of orders; `stored_orders` reads them from a tenant's tables, chunk by chunk. Whoever runs
it in the background takes from the generator as far as it likes: after each chunk it yields how far it has come.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from e2a.postgresql.raw import raw_connection
from orders.facts import Fact
from orders.sla import Verdict, fold
from orders.stages import COMPLETED, STAGES, StageVerdict
from orders.statements import quoted
from tenants.policy import Policy, PolicyVersion

CHUNK = 1_000
MOST_LISTED = 10_000  # orders that change sides; the others are only counted
IN_PERIOD = "o.began_at >= %(start)s AND o.began_at < %(end)s"
COUNT = f"SELECT count(*) FROM {{s}}.orders_order o WHERE {IN_PERIOD}"
NEXT = f"""
SELECT o.id, o.merchant, o.order_id FROM {{s}}.orders_order o
WHERE {IN_PERIOD} AND o.id > %(after)s ORDER BY o.id LIMIT %(most)s"""
FACTS = """
SELECT order_id, source, event_id, event_type, effective_at, received_at, detail::json
FROM {s}.orders_event WHERE order_id = ANY(%(ids)s) AND NOT quarantined"""


class StoredOrder(NamedTuple):
    """An order as it came: its facts are all that a verdict takes."""

    pk: int
    merchant: str
    order_id: str
    facts: Sequence[Fact]


@dataclass(slots=True)
class Tally:
    """Of one stage. `warnings`: passed their warning point; `saved`: of those that ended, the ones in time."""

    with_target: int = 0
    breaches: int = 0
    warnings: int = 0
    saved: int = 0

    def add(self, stage: StageVerdict, at_risk_at: datetime | None, now: datetime) -> None:
        if stage.due_at is None and stage.target_seconds is None:
            return
        warned = at_risk_at is not None and (stage.ended_at or now) > at_risk_at
        self.with_target += 1
        self.breaches += stage.breached
        self.warnings += warned
        self.saved += warned and stage.state == COMPLETED and not stage.breached


class Crossing(NamedTuple):
    """An order that is in breach of a stage on one side only, and the rules that say so."""

    pk: int
    merchant: str
    order_id: str
    stage: str
    late_now: bool
    late_then: bool
    rule_now: str
    rule_then: str
    due_now: datetime | None
    due_then: datetime | None


@dataclass(slots=True)
class Simulation:
    """What has been found so far. `now`, `then`: by stage, as it stands and under the draft."""

    now: dict[str, Tally] = field(default_factory=lambda: {stage.name: Tally() for stage in STAGES})
    then: dict[str, Tally] = field(default_factory=lambda: {stage.name: Tally() for stage in STAGES})
    orders: int = 0
    crossings: list[Crossing] = field(default_factory=list)
    crossed: int = 0  # all of them, listed or not
    by_rule: dict[tuple[str, str, bool], int] = field(default_factory=dict)  # (stage, rule of the draft, late then)
    failed: list[str] = field(default_factory=list)  # ids of orders whose facts cannot be judged

    def breaches(self) -> dict[str, tuple[int, int]]:
        """By stage: as it stands, under the draft."""
        return {name: (self.now[name].breaches, self.then[name].breaches) for name in self.now}


def simulate(
    orders: Iterable[StoredOrder], policies: Sequence[PolicyVersion], draft: Policy, *, now: datetime
) -> Iterator[Simulation]:
    """The same object again and again, after every CHUNK orders and at the end.

    `policies`: those in force, each order keeps its own; the draft is taken for all. Every source counts as settled.
    """
    found = Simulation()
    drafted = (PolicyVersion(0, now, draft),)
    for order in orders:
        try:
            before = fold(order.facts, policies, now, settle=None, merchant=order.merchant)
            after = fold(order.facts, drafted, now, settle=None, merchant=order.merchant)
        except Exception:  # each order in its own try, as the judge does it
            found.failed.append(order.order_id)
        else:
            compare(found, order, before, after, now)
        found.orders += 1
        if found.orders % CHUNK == 0:
            yield found
    yield found


def compare(found: Simulation, order: StoredOrder, before: Verdict, after: Verdict, now: datetime) -> None:
    for tallies, verdict in ((found.now, before), (found.then, after)):
        for name, stage in verdict.stages.items():
            watch = verdict.watches.get(name)
            tallies[name].add(stage, watch.at_risk_at if watch else None, now)
    for name, was in before.stages.items():
        is_then = after.stages[name]
        if was.breached != is_then.breached:
            found.crossed += 1
            key = (name, after.rule, is_then.breached)
            found.by_rule[key] = found.by_rule.get(key, 0) + 1
            if len(found.crossings) < MOST_LISTED:
                found.crossings.append(crossing(order, name, before, after))


def crossing(order: StoredOrder, name: str, before: Verdict, after: Verdict) -> Crossing:
    was, is_then = before.stages[name], after.stages[name]
    return Crossing(
        pk=order.pk,
        merchant=order.merchant,
        order_id=order.order_id,
        stage=name,
        late_now=was.breached,
        late_then=is_then.breached,
        rule_now=before.rule,
        rule_then=after.rule,
        due_now=was.due_at,
        due_then=is_then.due_at,
    )


def count_stored(schema: str, *, start: datetime, end: datetime) -> int:
    """Orders that began in [start, end)."""
    row = raw_connection().execute(COUNT.format(s=quoted(schema)), {"start": start, "end": end}).fetchone()
    return int(row[0]) if row else 0


def stored_orders(schema: str, *, start: datetime, end: datetime) -> Iterator[StoredOrder]:
    """Those that began in [start, end), by number; each chunk in short reads, so that no snapshot is held between them."""
    after: int | None = 0
    while after is not None:
        orders, after = next_orders(schema, start=start, end=end, after=after)
        yield from orders


def next_orders(schema: str, *, start: datetime, end: datetime, after: int) -> tuple[list[StoredOrder], int | None]:
    """The next CHUNK of them after that number, and the number of the last; None: there are no more."""
    connection, name = raw_connection(), quoted(schema)
    asked = {"start": start, "end": end, "after": after, "most": CHUNK}
    rows = connection.execute(NEXT.format(s=name), asked).fetchall()
    if not rows:
        return [], None
    facts: dict[int, list[Fact]] = {row[0]: [] for row in rows}
    for order, *columns in connection.execute(FACTS.format(s=name), {"ids": list(facts)}).fetchall():
        facts[order].append(Fact(*columns))
    orders = [StoredOrder(key, merchant, order_id, facts[key]) for key, merchant, order_id in rows if facts[key]]
    return orders, rows[-1][0]
