"""What is wrong: one exception per order and reason, and its timeline. One schema per tenant.

The verdict columns (verdict, opened_at, ended_at, due_at, severity, stage, occurrence_key) follow the fold and are written by the
book only; the rest are decisions, of people or of the reconcile table.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from e2a.postgresql.trigrams import TrigramIndex
from exceptions.analyst.models import Analysis, AnalystSwitch, Feedback, KnownCause  # noqa: F401  Django finds an app's tables here
from exceptions.choices import Kind, Reason, Resolution, ResolvedBy, Severity, Status, Verdict
from exceptions.deliveries.models import Delivery  # noqa: F401
from exceptions.desk.models import BulkRun, DeskColumns, SavedView  # noqa: F401
from exceptions.escalation.models import EscalationClock, EscalationPlan  # noqa: F401
from exceptions.incidents import models as incident_models  # noqa: F401
from exceptions.notifications.models import Notification, Preference  # noqa: F401
from exceptions.playbooks.models import Approval, Attempt, DryRun, Plan, Playbook  # noqa: F401
from exceptions.tags import TAG_LENGTH


class ExceptionRecord(models.Model):
    """What is wrong with an order for one reason. Every count reads the verdict, never the status (CONTRACT 4)."""

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="exceptions", db_index=False)
    merchant = models.CharField(max_length=64)
    order_ref = models.CharField(max_length=128)  # the order's id as its merchant knows it
    reason_code = models.CharField(max_length=24, choices=Reason.choices)
    status = models.CharField(max_length=16, choices=Status.choices, db_default=Status.OPEN)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    resolution = models.CharField(max_length=24, choices=Resolution.choices, null=True)
    opened_at = models.DateTimeField()  # the missed due time, or the problem's time
    ended_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    stage = models.CharField(max_length=24, null=True)  # null for a problem
    occurrence_count = models.PositiveIntegerField(db_default=1)
    occurrence_key = models.CharField(max_length=64)
    assignee_id = models.BigIntegerField(null=True)  # a tenants.User (public schema)
    snoozed_until = models.DateTimeField(null=True)
    tags = ArrayField(models.CharField(max_length=TAG_LENGTH), db_default=[])  # each once, as they were added
    acknowledged_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=8, choices=ResolvedBy.choices, null=True)
    priority = models.PositiveIntegerField(db_default=0)  # the sum of its parts, by the policy's weights
    priority_parts = models.JSONField(db_default={})  # {"severity": 70, "order_value": 15, …}
    history = models.BooleanField(db_default=False)  # born of history: tells nobody, acts on nothing, charges nothing
    resolution_attempts = models.PositiveSmallIntegerField(db_default=0)  # actions tried that should have solved it
    max_resolution_attempts = models.PositiveSmallIntegerField(null=True)  # of the order's policy, once it was planned
    resolution_blocked = models.BooleanField(db_default=False)  # the playbook stops until a person has looked
    resolution_blocked_reason = models.CharField(max_length=300, db_default="")
    planned_occurrence = models.PositiveIntegerField(db_default=0)  # through which its playbook was begun
    analysed_occurrence = models.PositiveIntegerField(db_default=0)  # the last one that an analysis was wanted for
    first_seen_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "exceptions_record"
        constraints = [
            models.UniqueConstraint(fields=["order", "reason_code"], name="exception_once_per_reason"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="exception_status_known"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="exception_severity_known"),
            models.CheckConstraint(
                condition=Q(verdict=Verdict.OVER, ended_at__isnull=False)
                | Q(verdict__in=[Verdict.ACTIVE, Verdict.NONE], ended_at__isnull=True),
                name="exception_over_has_end",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=Status.RESOLVED,
                    resolution__isnull=False,
                    resolved_at__isnull=False,
                    resolved_by__in=ResolvedBy.values,
                )
                | Q(
                    ~Q(status=Status.RESOLVED),
                    resolution__isnull=True,
                    resolved_at__isnull=True,
                    resolved_by__isnull=True,
                ),
                name="exception_resolved_says_how",
            ),
            models.CheckConstraint(condition=Q(occurrence_count__gte=1), name="exception_occurred"),
        ]
        indexes = [
            models.Index(fields=["-opened_at", "-id"], name="exception_newest", condition=~Q(verdict=Verdict.NONE)),
            models.Index(
                fields=["-opened_at", "-id"],
                include=["status", "severity"],
                name="exception_active",
                condition=~Q(verdict=Verdict.NONE) & ~Q(status=Status.RESOLVED),
            ),
            models.Index(
                fields=["-priority", "-opened_at", "-id"],
                name="exception_by_priority",
                condition=~Q(verdict=Verdict.NONE) & ~Q(status=Status.RESOLVED),
            ),
            models.Index(
                fields=["assignee_id", "-opened_at", "-id"],
                name="exception_assignee",
                condition=Q(assignee_id__isnull=False),
            ),
            models.Index(fields=["order_ref"], name="exception_by_order"),
            TrigramIndex("order_ref", "merchant", name="exception_search"),
            GinIndex(fields=["tags"], name="exception_tags", condition=~Q(tags=[])),
            models.Index(fields=["snoozed_until"], name="exception_to_wake", condition=Q(snoozed_until__isnull=False)),
            models.Index(
                fields=["id"],
                name="exception_to_plan",
                condition=Q(verdict=Verdict.ACTIVE, history=False, planned_occurrence__lt=F("occurrence_count"))
                & ~Q(status=Status.RESOLVED),
            ),
            models.Index(
                fields=["-id"],
                name="exception_to_analyse",
                condition=Q(analysed_occurrence__lt=F("occurrence_count"))
                & (Q(verdict=Verdict.ACTIVE) | Q(verdict=Verdict.OVER, history=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason_code} of {self.order_ref}"


class TimelineEntry(models.Model):
    """One change of an exception: what, when, who or what did it, why. Append-only."""

    exception = models.ForeignKey(ExceptionRecord, models.CASCADE, related_name="timeline", db_index=False)
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=24, choices=Kind.choices)
    actor = models.CharField(max_length=200)  # fold, radar, user:NAME, key:PREFIX
    reason = models.TextField(db_default="")
    detail = models.JSONField(db_default={})  # what the kind needs: {"from": …, "to": …}, {"resolution": …}

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(actor=""), name="timeline_has_actor")]
        indexes = [
            models.Index(fields=["exception", "id"], name="timeline_in_order"),
            BrinIndex(fields=["at"], name="timeline_by_time", autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor}"
