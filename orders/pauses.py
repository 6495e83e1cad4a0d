"""What stops an order's clocks under its rule: holds of reasons that count, and problems that do (address unclear). Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from orders.facts import Fact
from orders.holds import Pause, holds_of, pauses_of, union
from orders.problems import PROBLEMS
from tenants.policy_rules import EVERY_HOLD, Pausing

PROBLEM_OF = {problem.reason: problem for problem in PROBLEMS}


class NamedPause(NamedTuple):
    """A pause with what made it. `reason`: of the hold, or of the problem; `actor`: a person, or the source that told."""

    since: datetime
    until: datetime | None
    kind: Literal["hold", "problem"]
    reason: str
    actor: str
    counts: bool  # whether the rule lets it stop the clocks


def counting_pauses(facts: Sequence[Fact], pausing: Pausing) -> list[Pause]:
    """The union of all that stops the clocks."""
    if pausing is EVERY_HOLD:
        return pauses_of(facts)
    return union(Pause(each.since, each.until) for each in named_pauses(facts, pausing) if each.counts)


def named_pauses(facts: Sequence[Fact], pausing: Pausing) -> list[NamedPause]:
    """Each hold and each run of a pausing problem by itself, by beginning."""
    found = [
        NamedPause(hold.since, hold.until, "hold", reason_of(hold.fact), actor_of(hold.fact), counts)
        for hold in holds_of(facts)
        for counts in [pausing.counts(reasons_of(hold.fact))]
    ]
    for reason in pausing.problems:
        found += problem_runs(facts, reason)
    return sorted(found, key=lambda pause: pause.since)


def reason_of(fact: Fact) -> str:
    return (fact.detail and fact.detail.get("reason")) or ""


def reasons_of(fact: Fact) -> list[str]:
    """A shop may give several, separated by commas."""
    return [part.strip() for part in reason_of(fact).split(",") if part.strip()]


def actor_of(fact: Fact) -> str:
    return (fact.detail and fact.detail.get("actor")) or fact.source


def problem_runs(facts: Iterable[Fact], reason: str) -> list[NamedPause]:
    """From each naming of the problem to the cure that follows it; one at the same instant cures."""
    problem = PROBLEM_OF[reason]
    named: list[tuple[datetime, str]] = []
    cures: list[datetime] = []
    for fact in facts:
        if fact.event_type == problem.event_type:
            named.append((fact.effective_at, fact.source))
        elif fact.event_type in problem.cures:
            cures.append(fact.effective_at)
    runs: list[NamedPause] = []
    for since, source in sorted(named):
        if runs and (runs[-1].until is None or since <= runs[-1].until):
            continue
        until = min((cure for cure in cures if cure >= since), default=None)
        runs.append(NamedPause(since, until, "problem", reason, source, True))
    return runs
