"""What a tenant's tables hold, counted, and what of it still waits. All of it reads the schema that the connection stands in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, F, Q
from django.db.models.functions import Now

from exceptions.analyst.models import Analysis, State
from exceptions.choices import Status, Verdict
from exceptions.incidents.models import Incident
from exceptions.incidents.words import Ending
from exceptions.models import ExceptionRecord
from exceptions.playbooks.models import Attempt
from exceptions.playbooks.planning import ACTIONABLE
from exceptions.playbooks.words import UNDER_WAY
from exceptions.playbooks.words import State as Act
from orders.models import DeadLetter, DeadLetterStatus, Event, Order, Stage
from orders.selectors import STAGE_NAMES

RADAR_BEHIND = timedelta(seconds=10)
ANSWERED_WITHIN = timedelta(seconds=30)
TO_BEGIN = ACTIONABLE & Q(planned_occurrence__lt=F("occurrence_count"))


@dataclass(frozen=True, slots=True)
class Totals:
    """`exceptions`: by reason, then severity, those that never were left out. `invoices`: None where there is no such table.

    `incidents` (without those merged into others or dissolved) and `actions`: by state. `solved`: exceptions after one of whose actions came what was expected of it.
    """

    events: int
    orders: int
    dead_letters: int
    breaches: dict[str, int]
    exceptions: dict[str, dict[str, int]]
    active_exceptions: int
    incidents: dict[str, int]
    analyses: dict[str, int]
    actions: dict[str, int]
    solved: int
    invoices: int | None


def totals() -> Totals:
    real = ExceptionRecord.objects.exclude(verdict=Verdict.NONE)
    exceptions: dict[str, dict[str, int]] = {}
    for reason, severity, count in (
        real.values_list("reason_code", "severity").annotate(Count("pk")).order_by("reason_code")
    ):
        exceptions.setdefault(reason, {})[severity] = count
    late = dict(Stage.objects.filter(breached=True).values_list("name").annotate(Count("pk")))
    judged = Analysis.objects.filter(state=State.DONE).values_list("judge").annotate(Count("pk"))
    real_ones = Incident.objects.exclude(closed_how__in=[Ending.MERGED, Ending.DISSOLVED])
    return Totals(
        events=Event.objects.count(),
        orders=Order.objects.count(),
        dead_letters=letters_waiting(),
        breaches={name: late.get(name, 0) for name in STAGE_NAMES},
        exceptions=exceptions,
        active_exceptions=real.exclude(status=Status.RESOLVED).count(),
        incidents=dict(real_ones.values_list("state").annotate(Count("pk")).order_by("state")),
        analyses=dict(judged),
        actions=dict(Attempt.objects.values_list("state").annotate(Count("pk")).order_by("state")),
        solved=Attempt.objects.filter(state=Act.FULFILLED).values("exception").distinct().count(),
        invoices=rows_of("billing_invoice"),
    )


def letters_waiting() -> int:
    return DeadLetter.objects.filter(status=DeadLetterStatus.WAITING).count()


def last_receipt() -> datetime | None:
    """When an event of an order was last received."""
    newest = Order.objects.exclude(order_id__startswith="source:").order_by("-last_received_at", "-id")
    return newest.values_list("last_received_at", flat=True).first()


def waiting() -> dict[str, int]:
    """What is not processed yet, by kind; empty when nothing is."""
    found = {
        "orders to judge again": Order.objects.filter(fold_retry_at__isnull=False).count(),
        "deadlines to look at": Stage.objects.filter(judge_at__lt=Now() - RADAR_BEHIND).count(),
        "analyses to make": Analysis.objects.filter(~Q(state=State.DONE)).count(),
        "playbooks to begin": ExceptionRecord.objects.filter(TO_BEGIN).count(),
        "actions to do": Attempt.objects.filter(state__in=[Act.PLANNED, *UNDER_WAY], due_at__lte=Now()).count(),
        "answers to actions": first_answers(),
    }
    return {kind: count for kind, count in found.items() if count}


def first_answers() -> int:
    """Actions done a moment ago, while none has led to anything yet: what comes of the first is worth waiting for."""
    lately = Attempt.objects.filter(state=Act.EXPECTING, sent_at__gt=Now() - ANSWERED_WITHIN).exclude(kind="wait")
    return 0 if Attempt.objects.filter(state=Act.FULFILLED).exists() else lately.count()


def rows_of(table: str) -> int | None:
    """None when the schema has no such table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(quote_ident(current_schema()) || '.' || %s)", [table])
        if cursor.fetchone()[0] is None:
            return None
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        return int(cursor.fetchone()[0])
