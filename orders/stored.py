"""Verdicts in the form in which the tables keep them: columns, and the JSON in some of them. Pure."""

from collections.abc import Sequence
from typing import Any

from orders.carried import NOTHING, Carried
from orders.clocks import UNWATCHED, Watch
from orders.promise import NOT_PROMISED, Promised
from orders.sla import StageVerdict, Verdict
from tenants.weights import NO_BEARING, Bearing

CARRIED_COLUMNS = (*Carried._fields, *Promised._fields, "rule", "bearing")  # the last ones that LOCK reads
USUAL = (*NOTHING, *NOT_PROMISED, "", None)


def carried_columns(verdict: Verdict) -> tuple[Any, ...]:
    """The values of CARRIED_COLUMNS."""
    bearing = None if verdict.bearing == NO_BEARING else list(verdict.bearing)
    return (*verdict.carried, *verdict.promised, verdict.rule, bearing)


def carried_json(columns: Sequence[Any]) -> dict[str, Any]:
    """Only what somebody said."""
    return {name: value for name, value, usual in zip(CARRIED_COLUMNS, columns, USUAL, strict=True) if value != usual}


def stage_json(stage: StageVerdict, watch: Watch) -> dict[str, Any]:
    return {
        "state": stage.state,
        "started_at": stage.started_at,
        "ended_at": stage.ended_at,
        "due_at": stage.due_at,
        "breached": stage.breached,
        "severity": stage.severity or "",
        "target_seconds": stage.target_seconds,
        "judge_at": stage.judge_at,
        **watch_json(watch),
    }


def watch_json(watch: Watch) -> dict[str, Any]:
    """Only what its rule says; a key left out reads as null."""
    said: dict[str, Any] = {}
    if watch.at_risk_at is not None:
        said["at_risk_at"] = watch.at_risk_at
    if watch.opens or watch.ladder:
        said["watch"] = {"opens": watch.opens, "ladder": watch.ladder}
    return said


def watch_from(at_risk_at: Any, watch: Any) -> Watch:
    if at_risk_at is None and watch is None:
        return UNWATCHED
    said = watch or {"opens": False, "ladder": ()}
    return Watch(at_risk_at, said["opens"], tuple((after, severity) for after, severity in said["ladder"]))


def bearing_from(stored: Any) -> Bearing:
    return Bearing(*stored) if stored else NO_BEARING
