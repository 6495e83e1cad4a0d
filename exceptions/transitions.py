"""What a person may do with an exception, from which state, and what the timeline then says. Pure.

OPEN → ACKNOWLEDGED → IN_PROGRESS → RESOLVED, any step may be left out; reopening leads back to OPEN.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from exceptions.choices import Kind, Resolution, ResolvedBy, Status, Verdict
from exceptions.tags import MOST_TAGS

UNRESOLVED = (Status.OPEN, Status.ACKNOWLEDGED, Status.IN_PROGRESS)
FOR_PEOPLE = (
    Resolution.MANUAL,
    Resolution.CORRECTED,
    Resolution.RESHIPPED,
    Resolution.REFUNDED,
    Resolution.CUSTOMER_INFORMED,
    Resolution.FALSE_ALARM,
    Resolution.NO_ACTION,
)
RESOLUTION_CHOICES = [(word.value, word.label) for word in FOR_PEOPLE]
LONGEST_SNOOZE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Act:
    """A change: the statuses it starts from, the columns it writes, what the timeline keeps."""

    kind: Kind
    sources: tuple[str, ...]
    columns: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """What decides whether an act is possible."""

    status: str
    verdict: str
    assignee_id: int | None
    snoozed_until: datetime | None
    tags: Sequence[str] = ()


def acknowledge(*, at: datetime) -> Act:
    return Act(Kind.ACKNOWLEDGED, (Status.OPEN,), {"status": Status.ACKNOWLEDGED, "acknowledged_at": at})


def start() -> Act:
    return Act(Kind.STARTED, (Status.OPEN, Status.ACKNOWLEDGED), {"status": Status.IN_PROGRESS})


def resolve(*, resolution: str, at: datetime, label: str = "") -> Act:
    """`label`: what it really was, if the person says so (analyst.words.Label)."""
    columns = {
        "status": Status.RESOLVED,
        "resolution": resolution,
        "resolved_at": at,
        "resolved_by": ResolvedBy.PERSON,
        "snoozed_until": None,
    }
    detail = {"resolution": resolution} | ({"label": label} if label else {})
    return Act(Kind.RESOLVED, UNRESOLVED, columns, detail)


def reopen() -> Act:
    columns = {
        "status": Status.OPEN,
        "resolution": None,
        "resolved_at": None,
        "resolved_by": None,
        "acknowledged_at": None,
    }
    return Act(Kind.REOPENED, (Status.RESOLVED,), columns)


def assign(*, assignee_id: int | None, name: str) -> Act:
    """Hands over, whoever has it now; None takes it off everybody. `name` is kept for the timeline."""
    return Act(Kind.ASSIGNED, UNRESOLVED, {"assignee_id": assignee_id}, {"to": name})


def take(*, assignee_id: int, name: str) -> Act:
    """Assigns to oneself what nobody has yet: of two who take at once, one gets it."""
    return Act(Kind.ASSIGNED, UNRESOLVED, {"assignee_id": assignee_id}, {"to": name, "taken": True})


def snooze(*, until: datetime) -> Act:
    return Act(Kind.SNOOZED, UNRESOLVED, {"snoozed_until": until}, {"until": until.isoformat()})


def wake() -> Act:
    return Act(Kind.WOKEN, UNRESOLVED, {"snoozed_until": None})


def comment(*, mentions: Mapping[int, str] | None = None) -> Act:
    """`mentions`: user names by id of those whom it names."""
    named = [{"id": user_id, "name": name} for user_id, name in (mentions or {}).items()]
    return Act(Kind.COMMENTED, tuple(Status.values), detail={"mentions": named} if named else {})


def tag(*, name: str) -> Act:
    return Act(Kind.TAGGED, tuple(Status.values), detail={"tag": name})


def untag(*, name: str) -> Act:
    return Act(Kind.UNTAGGED, tuple(Status.values), detail={"tag": name})


def refusal(act: Act, state: State) -> str | None:
    """The sentence that says why an act is not possible now; None when it is."""
    if state.status not in act.sources:
        return f"It is {state.status} now; this needs it to be {' or '.join(act.sources)}. Nothing was changed."
    if act.kind == Kind.REOPENED and state.verdict == Verdict.NONE:
        return "A later event showed that this never was, so there is nothing to reopen. Nothing was changed."
    if act.kind == Kind.ASSIGNED:
        return refused_assignment(act, state)
    if act.kind == Kind.WOKEN and state.snoozed_until is None:
        return "It is not snoozed. Nothing was changed."
    if act.kind in (Kind.TAGGED, Kind.UNTAGGED):
        return refused_tag(act, state)
    return None


def refused_tag(act: Act, state: State) -> str | None:
    name = act.detail["tag"]
    if act.kind == Kind.UNTAGGED:
        return None if name in state.tags else f"It has no tag “{name}”. Nothing was changed."
    if name in state.tags:
        return f"It has the tag “{name}” already. Nothing was changed."
    return f"It has {MOST_TAGS} tags, which is the most. Nothing was changed." if len(state.tags) >= MOST_TAGS else None


def refused_assignment(act: Act, state: State) -> str | None:
    if act.columns["assignee_id"] == state.assignee_id:
        return f"It is assigned to {act.detail['to'] or 'nobody'} already. Nothing was changed."
    if act.detail.get("taken") and state.assignee_id is not None:
        return "Somebody else has it already; name yourself as `assignee` to take it over. Nothing was changed."
    return None
