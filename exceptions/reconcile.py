"""The table of CONTRACT 4 that joins the fold's verdicts with people's decisions. Pure.

The verdict columns always follow the fold. The status follows it only where the table says so: a person's word stands until the
problem occurs anew.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from exceptions.choices import Kind, Resolution, ResolvedBy, Status, Verdict
from orders.ports import AT_RISK_OCCURRENCE, Finding

NOTHING: Mapping[str, Any] = {}


class Snapshot(NamedTuple):
    """The columns of an exception that reconciling reads and writes."""

    status: str
    severity: str
    verdict: str
    resolution: str | None
    opened_at: datetime
    ended_at: datetime | None
    due_at: datetime | None
    stage: str | None
    occurrence_count: int
    occurrence_key: str
    snoozed_until: datetime | None
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    resolved_by: str | None
    history: bool
    priority: int = 0
    priority_parts: Mapping[str, int] = NOTHING

    @property
    def is_resolved(self) -> bool:
        return self.status == Status.RESOLVED

    @property
    def is_settled_by_decision(self) -> bool:
        """A person's word stands, and so does that of a playbook, which a person wrote."""
        return self.resolved_by in (ResolvedBy.PERSON, ResolvedBy.PLAYBOOK)


class Entry(NamedTuple):
    """A row of the timeline, but for who and when."""

    kind: str
    detail: Mapping[str, Any] = NOTHING


class Decision(NamedTuple):
    """What to write: the row's new columns (None: nothing) and its timeline. `surfaced`: opened or reopened."""

    row: Snapshot | None = None
    entries: tuple[Entry, ...] = ()
    surfaced: bool = False


UNCHANGED = Decision()


def reconcile(
    before: Finding | None, now: Finding | None, exception: Snapshot | None, *, at: datetime, history: bool = False
) -> Decision:
    """What becomes of one order's exception for one reason. `at` is the present instant. Source: CONTRACT 4.

    To have a stored exception checked whatever the caller held before (after a repair), pass None as `before`.
    """
    if before == now:
        return UNCHANGED
    if exception is None:
        return born(now, at, history) if now else UNCHANGED
    if now is None:
        return retracted(exception, at)
    if now.verdict == "active":
        return active(now, exception, history)
    return over(now, exception, at)


def born(now: Finding, at: datetime, history: bool) -> Decision:
    """A first exception: opened, or, when it is over already, resolved from birth and silent."""
    row = Snapshot(
        status=Status.OPEN,
        severity=now.severity,
        verdict=now.verdict,
        resolution=None,
        opened_at=now.opened_at,
        ended_at=now.ended_at,
        due_at=now.due_at,
        stage=now.stage,
        occurrence_count=1,
        occurrence_key=now.occurrence_key,
        snoozed_until=None,
        acknowledged_at=None,
        resolved_at=None,
        resolved_by=None,
        history=history,
    )
    if now.verdict == "active":
        return Decision(row, (Entry(Kind.OPENED, {"severity": now.severity}),), surfaced=True)
    return Decision(resolved(row, now.how, at), (Entry(Kind.RESOLVED, {"resolution": now.how, "born": True}),))


def active(now: Finding, exception: Snapshot, history: bool) -> Decision:
    followed = follow(exception, now)
    if is_warning_come_true(now, exception):
        return Decision(
            followed, (Entry(Kind.BREACHED, {"from": exception.severity, "to": now.severity}),), surfaced=True
        )
    if is_new_occurrence(now, exception) or (exception.is_resolved and not exception.is_settled_by_decision):
        row = reopened(followed)._replace(occurrence_count=exception.occurrence_count + 1, history=history)
        return Decision(row, (Entry(Kind.REOPENED, {"occurrence": row.occurrence_count}),), surfaced=True)
    if exception.is_resolved:
        return write_if_changed(exception, followed, ())
    return write_if_changed(exception, followed, differences(exception, followed))


def over(now: Finding, exception: Snapshot, at: datetime) -> Decision:
    row = follow(exception, now)
    again = is_new_occurrence(now, exception) and not is_warning_come_true(now, exception)
    if again:
        row = row._replace(occurrence_count=exception.occurrence_count + 1)
    if not exception.is_resolved and (again or exception.verdict != Verdict.OVER):
        return Decision(resolved(row, now.how, at), (Entry(Kind.RESOLVED, {"resolution": now.how}),))
    if exception.resolved_by == ResolvedBy.FOLD:
        row = row._replace(resolution=now.how)
    if again:
        return Decision(row, (Entry(Kind.RECURRED, {"occurrence": row.occurrence_count, "how": now.how}),))
    if exception.verdict == Verdict.ACTIVE:
        return Decision(row, (Entry(Kind.ENDED, {"how": now.how}),))
    return write_if_changed(exception, row, differences(exception, row))


def retracted(exception: Snapshot, at: datetime) -> Decision:
    """It never was: out of every count. What a person resolved stays as the person left it."""
    if exception.verdict == Verdict.NONE:
        return UNCHANGED
    row = exception._replace(verdict=Verdict.NONE, ended_at=None)
    if not exception.is_resolved:
        row = resolved(row, Resolution.FALSE_ALARM, at)
    elif not exception.is_settled_by_decision:
        row = row._replace(resolution=Resolution.FALSE_ALARM)
    return Decision(row, (Entry(Kind.RETRACTED),))


def is_new_occurrence(now: Finding, exception: Snapshot) -> bool:
    """Another run of the problem, after the known one. A late fact that only extends or rekeys the known run makes none."""
    return now.occurrence_key != exception.occurrence_key and now.opened_at > exception.opened_at


def is_warning_come_true(now: Finding, exception: Snapshot) -> bool:
    """The stage was at risk, nobody has closed that, and now it is late: the same exception goes on, more severe."""
    warned = exception.occurrence_key == AT_RISK_OCCURRENCE != now.occurrence_key
    return warned and not exception.is_resolved and exception.verdict == Verdict.ACTIVE


def follow(exception: Snapshot, now: Finding) -> Snapshot:
    return exception._replace(
        verdict=now.verdict,
        opened_at=now.opened_at,
        ended_at=now.ended_at,
        due_at=now.due_at,
        severity=now.severity,
        stage=now.stage,
        occurrence_key=now.occurrence_key,
    )


def resolved(row: Snapshot, how: str | None, at: datetime) -> Snapshot:
    return row._replace(
        status=Status.RESOLVED, resolution=how, resolved_at=at, resolved_by=ResolvedBy.FOLD, snoozed_until=None
    )


def reopened(row: Snapshot) -> Snapshot:
    return row._replace(
        status=Status.OPEN,
        resolution=None,
        resolved_at=None,
        resolved_by=None,
        snoozed_until=None,
        acknowledged_at=None,
    )


def differences(was: Snapshot, row: Snapshot) -> tuple[Entry, ...]:
    """Rows of the timeline for what changed besides the status: the severity, and what a late fact put right."""
    entries = []
    if row.severity != was.severity:
        entries.append(Entry(Kind.SEVERITY_CHANGED, {"from": was.severity, "to": row.severity}))
    corrected = {
        name: [getattr(was, name), getattr(row, name)]
        for name in ("verdict", "opened_at", "ended_at", "resolution")
        if getattr(was, name) != getattr(row, name)
    }
    if corrected:
        entries.append(Entry(Kind.CORRECTED, corrected))
    return tuple(entries)


def write_if_changed(was: Snapshot, row: Snapshot, entries: tuple[Entry, ...]) -> Decision:
    return Decision(row, entries) if row != was else UNCHANGED
