"""The rules against the mock shop's truth, from the events only (issue: at least 95% right, at most 2% false alarms). Pure.

An order counts as right when every exception that it has had carries the truth's label, both at the instant at which it
opened and as of the end; an order in trouble without any exception counts as wrong. A healthy order's exception is
justified when the shop's own course of it missed that deadline or names that problem; this is counted here anew, without
the fold.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from exceptions.analyst.measure import Answer
from exceptions.analyst.rules import judge_case
from exceptions.analyst.seeded import BASE, SHOWN, Sample, Sighting, case_of, final_sightings, sightings
from exceptions.choices import Reason

LEAST_RIGHT, MOST_UNJUSTIFIED = 0.95, 0.02
MISSED = "(no exception)"
MINUTE, HOUR = 60, 3600
STARTS = {  # reason: from, until any of, seconds
    Reason.PAYMENT_DELAY: ("created", ("paid",), 30 * MINUTE),
    Reason.INVENTORY_DELAY: ("paid", ("routed",), 15 * MINUTE),
    Reason.PREPARATION_DELAY: ("routed", ("shipped",), 4 * HOUR),
    Reason.FULFILLMENT_DELAY: ("created", ("shipped",), 24 * HOUR),
}
NAMES = {
    Reason.PAYMENT_FAILED: ("payment_failed", ""),
    Reason.INVENTORY_SHORTAGE: ("held", "INVENTORY_OUT_OF_STOCK"),
    Reason.ADDRESS_INVALID: ("held", "INCORRECT_ADDRESS"),
    Reason.SHIPPING_DELAY: ("moved", "delayed"),
    Reason.DELIVERY_FAILED: ("moved", "failure"),
}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`answers`: one for each exception of a troubled order as it opened. Counts are of orders."""

    answers: Sequence[Answer]
    troubled: int
    right: int
    healthy: int
    unjustified: int

    @property
    def accuracy(self) -> float:
        return self.right / self.troubled if self.troubled else 0.0

    @property
    def false_alarms(self) -> float:
        return self.unjustified / self.healthy if self.healthy else 0.0

    @property
    def passed(self) -> bool:
        return self.accuracy >= LEAST_RIGHT and self.false_alarms <= MOST_UNJUSTIFIED


def evaluate(samples: Iterable[Sample], *, until: datetime = BASE + SHOWN) -> Evaluation:
    answers: list[Answer] = []
    troubled = right = healthy = unjustified = 0
    for sample in samples:
        if sample.problem is None:
            healthy += 1
            unjustified += any(not is_justified(sample, seen, until) for seen in sightings(sample, until=until))
            continue
        troubled += 1
        opened = list(judged(sample, sightings(sample, until=until)))
        answers += opened or [Answer(MISSED, 0.0, sample.problem)]
        whole = [*opened, *judged(sample, final_sightings(sample, until=until))]
        right += bool(opened) and all(one.right for one in whole)
    return Evaluation(answers, troubled, right, healthy, unjustified)


def judged(sample: Sample, seen: Iterable[Sighting]) -> Iterator[Answer]:
    for one in seen:
        judgement = judge_case(case_of(sample, one))
        yield Answer(judgement.label, judgement.confidence, str(sample.problem))


def is_justified(sample: Sample, seen: Sighting, until: datetime) -> bool:
    """By the shop's own course, in whole seconds since the epoch."""
    limit = int(until.timestamp())
    past = [one for one in sample.happenings if one.at <= limit]
    if seen.reason in NAMES:
        kind, word = NAMES[Reason(seen.reason)]
        return any(one.kind == kind and word in ("", one.data.get("reason"), one.data.get("status")) for one in past)
    times = {one.kind: one.at for one in reversed(past)}
    if seen.reason == Reason.DELIVERY_DELAY:
        arrived = [one.at for one in past if one.kind == "moved" and one.data["status"] == "delivered"]
        due = past[0].at + sample.promise_seconds
        return max(arrived, default=limit) > due
    start, ends, allowed = STARTS[Reason(seen.reason)]
    end = min((times[kind] for kind in ends if kind in times), default=limit)
    return start in times and end - times[start] > allowed
