"""Incidents: rules, what they found, which exceptions belong, who or what did what. One schema per tenant.

Membership follows the fold (`exceptions.incidents.folding`); what people decide is kept beside it, and outlives later rounds.
"""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from exceptions.choices import Reason
from exceptions.incidents.words import Dimension, Ending, IncidentKind, IncidentState

MOST_WINDOW_MINUTES = 72 * 60


class IncidentRule(models.Model):
    """Exceptions with the same values in all `dimensions`, each at most `window_minutes` after the one before, are one incident
    once they concern `minimum` orders. An exception belongs to the first rule, by `place`, that makes an incident of it.
    """

    name = models.CharField(max_length=40, unique=True)  # a slug, in its address
    title = models.CharField(max_length=80)
    dimensions = ArrayField(models.CharField(max_length=20, choices=Dimension.choices))
    reasons = ArrayField(models.CharField(max_length=24, choices=Reason.choices), db_default=[])  # empty: any
    window_minutes = models.PositiveIntegerField()
    minimum = models.PositiveIntegerField()
    enabled = models.BooleanField(db_default=True)
    place = models.PositiveSmallIntegerField()
    updated_at = models.DateTimeField(db_default=Now())
    updated_by = models.CharField(max_length=200)

    class Meta:
        ordering = ("place", "id")
        constraints = [
            models.CheckConstraint(condition=Q(minimum__gte=2), name="incident_rule_folds_several"),
            models.CheckConstraint(
                condition=Q(window_minutes__gte=1, window_minutes__lte=MOST_WINDOW_MINUTES), name="incident_rule_window"
            ),
            models.CheckConstraint(condition=Q(dimensions__len__gte=1), name="incident_rule_shares_something"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.window_minutes)


class Incident(models.Model):
    """Exceptions that share something within a window. The counts are the fold's; who confirmed or silenced it is people's.

    `quiet_until`: a person has ended it; what else comes until then belongs to it and opens nothing. `stake`: {currency: cents}
    of the orders that still have an open exception, `value` of all its orders; orders without a value are counted beside.
    """

    rule = models.ForeignKey(IncidentRule, models.PROTECT, related_name="incidents", db_index=False)
    key = models.TextField()  # the shared values in small letters, as the fold compares them
    shared = models.JSONField()  # {dimension: value}
    state = models.CharField(max_length=12, choices=IncidentState.choices, db_default=IncidentState.OPEN)
    first_at = models.DateTimeField()  # the earliest and the latest opening among its exceptions
    last_at = models.DateTimeField()
    found_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    exceptions = models.PositiveIntegerField(db_default=0)
    live = models.PositiveIntegerField(db_default=0)  # of these, active and not resolved
    orders = models.PositiveIntegerField(db_default=0)
    orders_live = models.PositiveIntegerField(db_default=0)
    merchants = models.PositiveIntegerField(db_default=0)
    told_orders = models.PositiveIntegerField(db_default=0)  # when the timeline last told of its size
    stake = models.JSONField(db_default={})
    stake_unpriced = models.PositiveIntegerField(db_default=0)
    stake_rank = models.PositiveIntegerField(db_default=0)  # the largest amount at stake in whole units, for sorting
    value = models.JSONField(db_default={})
    value_unpriced = models.PositiveIntegerField(db_default=0)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=200, db_default="")
    silenced_at = models.DateTimeField(null=True)
    silenced_by = models.CharField(max_length=200, db_default="")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=200, db_default="")
    closed_how = models.CharField(max_length=12, choices=Ending.choices, db_default="")
    quiet_until = models.DateTimeField(null=True)
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="merged", db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=IncidentState.values), name="incident_state_known"),
            models.CheckConstraint(
                condition=Q(state=IncidentState.CLOSED, closed_at__isnull=False, closed_how__in=Ending.values)
                | Q(~Q(state=IncidentState.CLOSED), closed_at__isnull=True, closed_how=""),
                name="incident_closed_says_how",
            ),
            models.CheckConstraint(
                condition=Q(quiet_until__isnull=True) | Q(state=IncidentState.CLOSED), name="incident_quiet_is_closed"
            ),
        ]
        indexes = [
            models.Index(fields=["rule", "key", "-last_at"], name="incident_by_key"),
            models.Index(
                fields=["-stake_rank", "-last_at", "-id"],
                name="incident_by_stake",
                condition=~Q(state=IncidentState.CLOSED),
            ),
            models.Index(fields=["-last_at", "-id"], name="incident_newest"),
            models.Index(fields=["-changed_at"], name="incident_changed"),
        ]

    def __str__(self) -> str:
        return f"incident {self.pk}"


class IncidentMember(models.Model):
    """An exception in an incident. `occurrence`: of the exception, as it was folded; the next one is folded anew.

    A row that a person took out stays, and keeps that occurrence out of every incident.
    """

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="members", db_index=False)
    exception = models.ForeignKey(
        "exceptions.ExceptionRecord", models.CASCADE, related_name="memberships", db_index=False
    )
    occurrence = models.PositiveIntegerField()
    joined_at = models.DateTimeField()
    taken_out_at = models.DateTimeField(null=True)
    taken_out_by = models.CharField(max_length=200, db_default="")

    class Meta:
        constraints = [
            # The last word on "in one incident at most", whatever two rounds or people do at once.
            models.UniqueConstraint(
                fields=["exception"], name="incident_one_per_exception", condition=Q(taken_out_at__isnull=True)
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "-exception"], name="incident_members"),
            models.Index(fields=["exception"], name="incident_taken_out", condition=Q(taken_out_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"exception {self.exception_id} in incident {self.incident_id}"


class IncidentEntry(models.Model):
    """One change of an incident: what, when, who or what did it, why. Append-only."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="timeline", db_index=False)
    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=IncidentKind.choices)
    actor = models.CharField(max_length=200)  # incidents, user:NAME, key:PREFIX
    reason = models.TextField(db_default="")
    detail = models.JSONField(db_default={})

    class Meta:
        indexes = [models.Index(fields=["incident", "id"], name="incident_timeline")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor}"


class IncidentRound(models.Model):
    """One row: the tenant's version (`exceptions.live`) before the last round, so that a round with nothing new does nothing."""

    version = models.TextField(db_default="")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"round at {self.at}"
