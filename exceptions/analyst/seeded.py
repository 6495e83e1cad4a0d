"""Orders of the mock shop, made in this process from a seed, as the analyst would meet them. Pure.

The shop's webhooks go through Shopify's adapter and the fold; its truth stays beside, where no rule can see it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from exceptions.analyst.case import Case, Subject, Today, make_case, told_of
from exceptions.analyst.telling import Told
from orders.facts import Fact
from orders.ports import Finding
from orders.providers.delivery import Delivery
from orders.providers.shopify import Shopify
from orders.sla import Verdict, findings, fold
from orders.stages import RUNNING
from shopify_mock.batch import Happening, PlannedOrder, make_batch
from shopify_mock.config import Settings
from shopify_mock.planning import plan_deliveries
from shopify_mock.webhooks import body_of, headers_of
from tenants.policy import DEFAULT_RULES, PolicyVersion, parse_policy

BASE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SHOWN = timedelta(seconds=150)  # by then even the deadlines that fall just after the base have passed
MOMENT = timedelta(seconds=1)
POLICIES = (PolicyVersion(1, datetime(1970, 1, 1, tzinfo=UTC), parse_policy(DEFAULT_RULES)),)
Event = tuple[Fact, Told]


@dataclass(frozen=True, slots=True)
class Sample:
    """An order with its truth: `problem` is a label or None; `happenings` are the shop's own."""

    order_id: str
    problem: str | None
    happenings: Sequence[Happening]
    promise_seconds: int
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Sighting:
    """An exception of a sample, the instant of its opening and what the fold then said."""

    reason: str
    at: datetime
    finding: Finding
    verdict: Verdict


def make_samples(
    *, troubled: int, healthy: int, seed: int = 2026, base: datetime = BASE, settings: Settings | None = None
) -> list[Sample]:
    """`settings`: what the shop's webhooks suffer on their way; by default nothing."""
    count = troubled + healthy
    now = int(base.timestamp())
    batch = make_batch(seed=seed, base=now, count=count, first_number=1001, problem_share=troubled / max(count, 1))
    plan = plan_deliveries(batch, seed=seed, now=float(now), delay=2, settings=settings or Settings())
    by_order: dict[int, list[tuple[int, str, str, str]]] = {}
    for sent in plan:
        if sent.state != "dropped":
            found = by_order.setdefault(sent.order_id, [])
            found.append((sent.sequence, sent.topic, sent.event_id, sent.webhook_id))
    return [sample_of(order, by_order.get(order.id, [])) for order in batch]


def sample_of(order: PlannedOrder, sent: Sequence[tuple[int, str, str, str]]) -> Sample:
    events: dict[tuple[str, str], Event] = {}
    for sequence, topic, event_id, webhook_id in sent:
        for event in read_webhook(order, sequence, topic, event_id, webhook_id):
            events.setdefault((event[0].source, event[0].event_id), event)
    return Sample(str(order.id), order.problem, order.happenings, order.goods["promise"], list(events.values()))


def read_webhook(order: PlannedOrder, sequence: int, topic: str, event_id: str, webhook_id: str) -> Iterator[Event]:
    happening = order.happenings[sequence]
    body = body_of(topic, order.goods, order.happenings[: sequence + 1])
    sent = headers_of(
        topic=topic, event_id=event_id, webhook_id=webhook_id, triggered_at=happening.at, body=body, secret="none"
    )
    received = datetime.fromtimestamp(happening.at + 2, UTC)
    headers = {name.lower(): value for name, value in sent.items()}
    for told in SHOPIFY.read(Delivery(source="shopify", body=body, headers=headers, now=received)).events:
        at = min(told.occurred_at, received)
        fact = Fact(told.source, told.event_id, told.event_type, at, received, told.detail)
        yield fact, told_of(msgspec.json.decode(told.payload), told.detail)


SHOPIFY = Shopify()


def sightings(sample: Sample, *, until: datetime = BASE + SHOWN) -> list[Sighting]:
    """Every exception that the order has had by `until`, each as of the instant at which it opened."""
    found: dict[str, Sighting] = {}
    times = sorted({fact.effective_at for fact, _ in sample.events if fact.effective_at <= until})
    while times:
        at = times.pop(0)
        verdict = fold([fact for fact, _ in sample.events if fact.effective_at <= at], POLICIES, at)
        for reason, finding in findings(verdict).items():
            found.setdefault(reason, Sighting(reason, at, finding, verdict))
        following = next_deadline(verdict)
        if following and following <= until and (not times or following < times[0]):
            times.insert(0, following)
    return list(found.values())


def next_deadline(verdict: Verdict) -> datetime | None:
    """The instant just after the next due time that would be missed."""
    due = [stage.due_at for stage in verdict.stages.values() if stage.state == RUNNING and not stage.breached]
    return min((at + MOMENT for at in due if at), default=None)


def case_of(sample: Sample, seen: Sighting, *, today: Today | None = None) -> Case:
    finding = seen.finding
    subject = Subject(
        seen.reason,
        finding.verdict,
        finding.severity,
        finding.opened_at,
        finding.due_at,
        finding.ended_at,
        finding.stage,
    )
    events = [event for event in sample.events if event[0].effective_at <= seen.at]
    return make_case(subject, events, seen.verdict, now=seen.at, today=today)


def final_sightings(sample: Sample, *, until: datetime = BASE + SHOWN) -> list[Sighting]:
    """The same exceptions as of `until`, when all that happened by then is known."""
    known = [fact for fact, _ in sample.events if fact.effective_at <= until]
    verdict = fold(known, POLICIES, until)
    return [Sighting(reason, until, finding, verdict) for reason, finding in findings(verdict).items()]
