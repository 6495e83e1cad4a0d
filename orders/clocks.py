"""The clock of a stage: at risk, late, and how bad that is, at an instant (CONTRACT 4). Pure.

All that time alone changes of a stage is computed here, by the fold and by the radar alike, from what is stored of the clock.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from orders.deadlines import Deadline
from orders.stages import CRITICAL_FACTOR, RUNNING, STAGES, Ladder, StageVerdict, next_raise, severity_of
from tenants.weights import CRITICAL, HIGH, LOW, MEDIUM, Step, raised

SEVERITIES = {stage.name: stage.severity for stage in STAGES}


class Watch(NamedTuple):
    """What a rule adds to a stage's clock; time does not change it. Without a rule's word a stage has none.

    `opens`: whether being at risk is an exception; `ladder`: the severities, where they are not the usual ones.
    """

    at_risk_at: datetime | None = None
    opens: bool = False
    ladder: Ladder = ()


UNWATCHED = Watch()


def measured(
    run: StageVerdict, name: str, deadline: Deadline, watch: Watch, *, waits_until: datetime | None, now: datetime
) -> StageVerdict:
    """The verdict on a stage that has started. `waits_until`: until when a source that reports late is waited for."""
    state, start, ended = run.state, run.started_at, run.ended_at
    due, _, target = deadline
    if ended is None:
        clock = StageVerdict(state, start, None, due, False, "", target)
        return judged_running(clock, name, watch, waits_until=waits_until, now=now)
    if due is not None and ended > due:
        severity = severity_of(SEVERITIES[name], ended - due, target, watch.ladder)
        return StageVerdict(state, start, ended, due, True, severity, target)
    risked = watch.at_risk_at is not None and ended > watch.at_risk_at
    return StageVerdict(state, start, ended, due, False, LOW if risked else "", target)


def judged_running(
    clock: StageVerdict, name: str, watch: Watch, *, waits_until: datetime | None, now: datetime
) -> StageVerdict:
    """A running stage at `now`. With an open pause it has no due time, but it stays at risk if it was before."""
    _, start, _, due, _, _, target, _ = clock
    risk = watch.at_risk_at
    waiting = waits_until is not None and now < waits_until
    if due is not None and now > due and not waiting:
        reached = severity_of(SEVERITIES[name], now - due, target, watch.ladder)
        return StageVerdict(
            RUNNING, start, None, due, True, reached, target, next_raise(due, target, reached, watch.ladder)
        )
    if risk is None and due is None:
        return StageVerdict(RUNNING, start, None, None, False, "", target)
    if risk is not None and now > risk and not waiting:
        return StageVerdict(RUNNING, start, None, due, False, LOW, target, due)
    following = min(point for point in (risk, due) if point is not None)
    judge_at = following if waits_until is None or waits_until < following else waits_until
    return StageVerdict(RUNNING, start, None, due, False, "", target, judge_at)


def pass_time(stage: StageVerdict, now: datetime, name: str, watch: Watch = UNWATCHED) -> StageVerdict:
    """What time alone makes of a stored verdict: equal to the fold of the same facts at `now`."""
    if stage.judge_at is None:
        return stage
    waits_until = None if stage.severity else stage.judge_at  # once at risk or late, it has been waited for
    return judged_running(stage, name, watch, waits_until=waits_until, now=now)


def ladder_of(name: str, steps: Sequence[Step] | None, raise_by: int, target_seconds: int | None) -> Ladder:
    """The severities of one clock; empty where they are the usual ones. A step that raises nothing is left out."""
    if steps is None and not raise_by:
        return ()
    ladder: list[tuple[int, str]] = []
    for severity, seconds, times in usual_steps(name) if steps is None else steps:
        if times and target_seconds is None:
            continue
        after, high = seconds + int(times * (target_seconds or 0)), raised(severity, raise_by)
        if not ladder or high != ladder[-1][1]:
            ladder.append((after, high))
    return tuple(ladder)


def usual_steps(name: str) -> list[Step]:
    least = SEVERITIES[name]
    first = [Step(least)] if least != MEDIUM else [Step(MEDIUM), Step(HIGH, after_targets=1)]
    return [*first, Step(CRITICAL, after_targets=CRITICAL_FACTOR)]
