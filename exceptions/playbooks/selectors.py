"""Reads of playbooks and actions. All of it reads the schema that the connection stands in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Prefetch, Q, QuerySet

from exceptions.choices import Reason, Status, Verdict
from exceptions.playbooks.catalogue import ACTION_KINDS, ActionKind
from exceptions.playbooks.models import Approval, Attempt, DryRun, Plan, Playbook
from exceptions.playbooks.words import State

COUNTED_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one kind of action: how often it was done, and what the orders said afterwards where something was expected."""

    kind: ActionKind
    done: int = 0
    fulfilled: int = 0
    missed: int = 0
    failed: int = 0
    uncertain: int = 0
    waiting: int = 0

    @property
    def success_rate(self) -> float | None:
        """Of those that were decided; None where none was."""
        decided = self.fulfilled + self.missed
        return self.fulfilled / decided if decided else None

    @property
    def percent(self) -> int | None:
        return None if self.success_rate is None else round(self.success_rate * 100)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A reason with its playbook in force, if it has one, and how its plans went."""

    reason: Reason
    playbook: Playbook | None
    running: int = 0
    versions: int = 0


@dataclass(frozen=True, slots=True)
class Actions:
    """All that was, is and could be done about one exception."""

    attempts: Sequence[Attempt]
    plan: Plan | None
    dry_run: DryRun | None
    kinds: Sequence[ActionKind] = field(default=tuple(ACTION_KINDS.values()))


def actions_of(exception_id: int) -> Actions:
    """Attempts oldest first. Empty also for an exception that is not there."""
    words = Prefetch("approvals", Approval.objects.order_by("pk"))
    attempts = Attempt.objects.filter(exception_id=exception_id).select_related("plan__playbook", "delivery")
    plan = Plan.objects.filter(exception_id=exception_id).select_related("playbook").order_by("-pk").first()
    dry_run = DryRun.objects.filter(exception_id=exception_id).order_by("-pk").first()
    return Actions(list(attempts.prefetch_related(words).order_by("pk")), plan, dry_run)


def to_decide() -> QuerySet[Attempt]:
    """What waits for a person, the longest first: approvals, then suggestions."""
    waiting = Attempt.objects.filter(state__in=[State.AWAITING, State.SUGGESTED], exception__verdict=Verdict.ACTIVE)
    open_ones = waiting.exclude(exception__status=Status.RESOLVED)
    words = Prefetch("approvals", Approval.objects.order_by("pk"))
    return open_ones.select_related("exception", "plan__playbook").prefetch_related(words).order_by("state", "pk")


def outcomes(*, now: datetime) -> list[Outcome]:
    """Of each kind that was ever done in the last 90 days, the most frequent first."""

    def count(*states: State) -> Count:
        return Count("pk", filter=Q(state__in=states))

    columns = {
        "done": Count("pk"),
        "fulfilled": count(State.FULFILLED),
        "missed": count(State.MISSED),
        "failed": count(State.FAILED),
        "uncertain": count(State.UNCERTAIN, State.UNKNOWN),
        "waiting": count(State.EXPECTING),
    }
    rows = Attempt.objects.filter(sent_at__gt=now - COUNTED_FOR).values_list("kind").annotate(**columns)
    found = [Outcome(ACTION_KINDS[kind], *numbers) for kind, *numbers in rows.order_by("kind")]
    return sorted(found, key=lambda outcome: -outcome.done)


def shelves() -> list[Shelf]:
    """Every reason, in the order of the list."""
    newest = {book.reason_code: book for book in newest_playbooks()}
    running = counted(Plan.objects.filter(state="running").values_list("playbook__reason_code"))
    versions = counted(Playbook.objects.values_list("reason_code"))
    return [
        Shelf(reason, newest.get(reason.value), running.get(reason.value, 0), versions.get(reason.value, 0))
        for reason in Reason
    ]


def newest_playbooks() -> QuerySet[Playbook]:
    return Playbook.objects.order_by("reason_code", "-version").distinct("reason_code")


def counted(rows: QuerySet[Plan, tuple[str]] | QuerySet[Playbook, tuple[str]]) -> Mapping[str, int]:
    return {reason: number for reason, number in rows.order_by().annotate(Count("pk"))}


def versions_of(reason_code: str) -> list[Playbook]:
    """The newest first."""
    if reason_code not in Reason.values:
        return []
    return list(Playbook.objects.filter(reason_code=reason_code).order_by("-version"))
