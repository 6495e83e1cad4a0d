"""Simulations as rows: what is tried on which orders, how far it is, and what it found."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models.functions import Now


class SimulationStatus(models.TextChoices):
    RUNNING = "running", "On its way"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"


class SimulationRun(models.Model):
    """A policy tried on the orders that began in [start, end): the row is its own queue. Whoever works on it holds the lease.

    The orders up to `position` are judged. Nothing but this row and its crossings is written.
    """

    asked_at = models.DateTimeField(db_default=Now())  # the instant as of which both sides are judged
    asked_by = models.CharField(max_length=150)
    title = models.CharField(max_length=200)  # what is tried, in words
    rules = models.JSONField()  # the whole policy that is tried
    draft_revision = models.PositiveIntegerField(null=True)  # of the tenant's draft, if it is that
    start = models.DateTimeField()
    end = models.DateTimeField()
    status = models.CharField(max_length=16, choices=SimulationStatus.choices, db_default=SimulationStatus.RUNNING)
    started_at = models.DateTimeField(null=True)  # when a worker first took it
    finished_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(db_default=0)  # leases since it last got on
    trouble = models.CharField(max_length=500, db_default="")
    total = models.PositiveIntegerField(null=True)  # orders of the period
    position = models.BigIntegerField(db_default=0)
    orders = models.PositiveIntegerField(db_default=0)
    crossed = models.PositiveIntegerField(db_default=0)  # (order, stage) that change sides, listed or not
    listed = models.PositiveIntegerField(db_default=0)
    failed = models.PositiveIntegerField(db_default=0)  # orders whose facts cannot be judged
    tallies = models.JSONField(db_default={})  # {"now": {stage: [with_target, breaches, warnings, saved]}, "then": …}
    by_rule = models.JSONField(db_default=[])  # [[stage, rule of the draft, late then, number], …]
    published_version = models.PositiveIntegerField(null=True)  # once it was put in force

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["status"], condition=models.Q(status="running"), name="one_simulation_at_once"
            )
        ]

    def __str__(self) -> str:
        return f"simulation {self.pk}"

    @property
    def last_day(self) -> datetime:
        """The last instant of the period, which does not include its end."""
        return self.end - timedelta(microseconds=1)


class SimulationCrossing(models.Model):
    """An order that is in breach of a stage on one side only. `order_pk` is no reference: the order may go meanwhile."""

    run = models.ForeignKey(SimulationRun, models.CASCADE, related_name="crossings")
    order_pk = models.BigIntegerField()
    merchant = models.CharField(max_length=64)
    order_ref = models.CharField(max_length=128)
    stage = models.CharField(max_length=24)
    late_then = models.BooleanField()
    rule_now = models.CharField(max_length=80)
    rule_then = models.CharField(max_length=80)
    due_now = models.DateTimeField(null=True)
    due_then = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.order_ref} {self.stage}"
