"""Playbooks, the plan of an exception, its attempts and who approved them. One schema per tenant.

An attempt is a row from the moment it is planned: the row is the queue, claimed by a conditional update with a lease.
"""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from exceptions.choices import Reason
from exceptions.playbooks.catalogue import KIND_CHOICES
from exceptions.playbooks.words import EFFECTIVE, OPEN, UNDER_WAY, Mode, PlanState, State


class Playbook(models.Model):
    """A version of what is done about one reason; never edited. The newest of its reason is in force.

    `steps`: as `exceptions.playbooks.steps` reads them, in their order. An exception keeps the version it began under.
    """

    reason_code = models.CharField(max_length=24, choices=Reason.choices)
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=60)
    enabled = models.BooleanField()
    steps = models.JSONField()
    note = models.CharField(max_length=200, db_default="")
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reason_code", "version"], name="playbook_version_once_per_reason")
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"


class Plan(models.Model):
    """One occurrence of an exception under its playbook. `step`: the place of the present one."""

    exception = models.ForeignKey("exceptions.ExceptionRecord", models.CASCADE, related_name="plans", db_index=False)
    occurrence = models.PositiveIntegerField()
    playbook = models.ForeignKey(Playbook, models.PROTECT, related_name="plans")
    state = models.CharField(max_length=8, choices=PlanState.choices, db_default=PlanState.RUNNING)
    step = models.PositiveSmallIntegerField(db_default=0)
    took = models.BooleanField(db_default=False)  # the playbook, not a person, set the exception in progress
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=200, db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exception", "occurrence"], name="plan_once_per_occurrence"),
            models.CheckConstraint(
                condition=Q(state=PlanState.RUNNING, ended_at__isnull=True)
                | (~Q(state=PlanState.RUNNING) & Q(ended_at__isnull=False)),
                name="plan_ended_or_running",
            ),
        ]
        indexes = [models.Index(fields=["id"], name="plan_running", condition=Q(state=PlanState.RUNNING))]

    def __str__(self) -> str:
        return f"plan of exception {self.exception_id}"


class Attempt(models.Model):
    """One action, tried once. `key` is its idempotency key, `request` what was sent (without secrets), `answer` what came."""

    exception = models.ForeignKey("exceptions.ExceptionRecord", models.CASCADE, related_name="attempts", db_index=False)
    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="+", db_index=False)
    plan = models.ForeignKey(Plan, models.CASCADE, null=True, related_name="attempts")  # null: a person's own
    step = models.PositiveSmallIntegerField(null=True)
    kind = models.CharField(max_length=24, choices=KIND_CHOICES)
    mode = models.CharField(max_length=12, choices=Mode.choices)
    parameters = models.JSONField(db_default={})
    irreversible = models.BooleanField(db_default=False)
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    actor = models.CharField(max_length=200)  # playbook:NAME, or who ran it
    state = models.CharField(max_length=12, choices=State.choices)
    due_at = models.DateTimeField(null=True)  # not before; of a claim: the end of its lease
    tries = models.PositiveSmallIntegerField(db_default=0)

    approver = models.CharField(max_length=12, db_default="")
    approvals_needed = models.PositiveSmallIntegerField(db_default=0)
    money_cents = models.BigIntegerField(null=True)  # at stake
    currency = models.CharField(max_length=3, db_default="")

    request = models.JSONField(null=True)
    answer = models.TextField(db_default="")
    outcome = models.CharField(max_length=500, db_default="")  # a sentence
    cost = models.CharField(max_length=100, db_default="")
    undo = models.CharField(max_length=200, db_default="")
    delivery = models.ForeignKey("exceptions.Delivery", models.SET_NULL, null=True, related_name="attempts")

    expects = models.JSONField(db_default=[])  # event types
    expect_seconds = models.PositiveIntegerField(null=True)
    expect_until = models.DateTimeField(null=True)
    met_by = models.CharField(max_length=200, db_default="")  # the event that fulfilled it

    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan"],
                name="attempt_one_open_per_plan",
                condition=Q(state__in=OPEN),
                violation_error_message="The playbook's step before is not over yet.",
            ),
            # The last word on "never twice": whoever comes second cannot even be written down.
            models.UniqueConstraint(
                fields=["order", "kind"],
                name="attempt_irreversible_once",
                condition=Q(irreversible=True, state__in=EFFECTIVE),
            ),
            models.CheckConstraint(
                condition=Q(due_at__isnull=False) | ~Q(state__in=[State.PLANNED, *UNDER_WAY, State.EXPECTING]),
                name="attempt_open_is_due",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="attempt_due",
                condition=Q(state__in=[State.PLANNED, *UNDER_WAY, State.EXPECTING]),
            ),
            models.Index(
                fields=["id"], name="attempt_to_decide", condition=Q(state__in=[State.SUGGESTED, State.AWAITING])
            ),
            models.Index(fields=["exception", "id"], name="attempt_in_order"),
            models.Index(fields=["kind", "ended_at"], name="attempt_outcomes", condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of exception {self.exception_id}"


class DryRun(models.Model):
    """What an action would do, asked by a person and answered by a worker, since the shop may have to be read for it."""

    exception = models.ForeignKey("exceptions.ExceptionRecord", models.CASCADE, related_name="dry_runs", db_index=False)
    kind = models.CharField(max_length=24, choices=KIND_CHOICES)
    parameters = models.JSONField(db_default={})
    actor = models.CharField(max_length=200)
    asked_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True)
    possible = models.BooleanField(null=True)
    outcome = models.CharField(max_length=500, db_default="")  # why it is not possible
    request = models.JSONField(null=True)
    cost = models.CharField(max_length=100, db_default="")
    undo = models.CharField(max_length=200, db_default="")
    money_cents = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, db_default="")

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="dry_run_waiting", condition=Q(answered_at__isnull=True)),
            models.Index(fields=["exception", "-id"], name="dry_run_newest"),
        ]

    def __str__(self) -> str:
        return f"dry run of {self.kind} for exception {self.exception_id}"


class Approval(models.Model):
    """One person's word on an attempt."""

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="approvals", db_index=False)
    actor = models.CharField(max_length=200)
    approved = models.BooleanField()
    reason = models.CharField(max_length=500, db_default="")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["attempt", "actor"], name="approval_once_per_person")]

    def __str__(self) -> str:
        return f"{self.actor} on attempt {self.attempt_id}"
