"""Analyses, what people say of them, what it really was, and whether the AI is in use. One schema per tenant.

An analysis is a row from the moment it is wanted: the row is the queue, claimed with a lease.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from exceptions.analyst.words import Action, Blame, Fallback, Judge, Label, Origin


class State(models.TextChoices):
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"


class Analysis(models.Model):
    """What the analyst says of one occurrence of an exception. `rules_*` is what the rules say in any case."""

    exception = models.ForeignKey("exceptions.ExceptionRecord", models.CASCADE, related_name="analyses", db_index=False)
    occurrence = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, db_default=State.WAITING)
    claims = models.PositiveSmallIntegerField(db_default=0)  # how often claimed; only the last claim may write
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    judge = models.CharField(max_length=8, choices=Judge.choices, db_default="")
    fallback = models.CharField(max_length=16, choices=Fallback.choices, db_default="")
    note = models.CharField(max_length=300, db_default="")  # why an answer did not hold; for the team
    label = models.CharField(max_length=24, choices=Label.choices, db_default="")
    confidence = models.FloatField(null=True)
    blame = models.CharField(max_length=16, choices=Blame.choices, db_default="")
    root_cause = models.TextField(db_default="")
    evidence = models.JSONField(db_default=[])  # [{"event_id", "source", "shows"}]
    ops_note = models.TextField(db_default="")
    client_note = models.TextField(db_default="")
    action = models.CharField(max_length=24, choices=Action.choices, db_default="")
    rules_label = models.CharField(max_length=24, choices=Label.choices, db_default="")
    rules_confidence = models.FloatField(null=True)

    ai_tried = models.BooleanField(db_default=False)
    ai_label = models.CharField(max_length=24, choices=Label.choices, db_default="")  # even where it did not prevail
    ai_confidence = models.FloatField(null=True)
    input_hash = models.CharField(max_length=64, db_default="")
    provider = models.CharField(max_length=100, db_default="")
    model = models.CharField(max_length=100, db_default="")
    prompt_version = models.CharField(max_length=40, db_default="")
    tokens = models.PositiveIntegerField(db_default=0)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    latency_ms = models.PositiveIntegerField(null=True)

    carrier = models.CharField(max_length=64, db_default="")
    warehouse = models.CharField(max_length=64, db_default="")
    gateway = models.CharField(max_length=64, db_default="")
    skus = ArrayField(models.CharField(max_length=64), db_default=[])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exception", "occurrence"], name="analysis_once_per_occurrence"),
            models.CheckConstraint(
                condition=Q(state=State.DONE, finished_at__isnull=False, lease_until__isnull=True)
                & ~Q(label="")
                & ~Q(judge="")
                | Q(state__in=[State.WAITING, State.RUNNING]),
                name="analysis_done_says_what",
            ),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True) | Q(confidence__gte=0, confidence__lte=1),
                name="analysis_confidence_is_share",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[State.WAITING, State.RUNNING])
                | Q(judge=Judge.AI, fallback="")
                | (Q(judge=Judge.RULES) & ~Q(fallback="")),
                name="analysis_rules_say_why",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="analysis_waiting", condition=~Q(state=State.DONE)),
            models.Index(fields=["finished_at"], name="analysis_by_time", condition=Q(state=State.DONE)),
            models.Index(fields=["input_hash"], name="analysis_answers", condition=Q(judge=Judge.AI)),
        ]

    def __str__(self) -> str:
        return f"{self.label or self.state} of exception {self.exception_id}"


class Feedback(models.Model):
    """What a person says of an analysis; each has one word, and may change it."""

    analysis = models.ForeignKey(Analysis, models.CASCADE, related_name="feedback", db_index=False)
    actor = models.CharField(max_length=200)
    helpful = models.BooleanField(null=True)  # the thumb
    really = models.CharField(max_length=24, choices=Label.choices, db_default="")  # what it really was
    comment = models.CharField(max_length=500, db_default="")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["analysis", "actor"], name="feedback_once_per_person")]

    def __str__(self) -> str:
        return f"{self.actor} on {self.analysis_id}"


class KnownCause(models.Model):
    """What it really was, by each that knows. Of several the first in the order of `Origin` counts."""

    exception = models.ForeignKey("exceptions.ExceptionRecord", models.CASCADE, related_name="causes", db_index=False)
    origin = models.CharField(max_length=12, choices=Origin.choices)
    label = models.CharField(max_length=24, choices=Label.choices)
    actor = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exception", "origin"], name="cause_once_per_origin")]

    def __str__(self) -> str:
        return f"{self.label} by {self.origin}"


class AnalystSwitch(models.Model):
    """An AI analyst (a model with a prompt) was switched off or on. The last row of it counts; none: it is on."""

    model = models.CharField(max_length=100)
    prompt_version = models.CharField(max_length=40)
    on = models.BooleanField()
    actor = models.CharField(max_length=200)
    reason = models.CharField(max_length=500)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["model", "prompt_version", "-id"], name="analyst_switch_last")]

    def __str__(self) -> str:
        return f"{self.model} {'on' if self.on else 'off'}"
