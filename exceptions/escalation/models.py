"""A tenant's escalation: what is in force, and how far each exception has come. In the tenant's schema."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class EscalationPlan(models.Model):
    """A version; the highest is in force, none is ever edited. `chains`, `rota`: as `chain` and `rota` read them."""

    version = models.PositiveIntegerField(unique=True)
    chains = models.JSONField()
    rota = models.JSONField()
    actor = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"version {self.version}"


class EscalationClock(models.Model):
    """Since when an exception waits, without the time that it was snoozed. Whoever writes a row holds the exception's lock.

    `due_at`: when the next step may be due by any chain; null when none is, or while it is snoozed.
    """

    exception = models.OneToOneField(
        "exceptions.ExceptionRecord", models.CASCADE, primary_key=True, related_name="escalation"
    )
    started_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    done = ArrayField(models.CharField(max_length=100), db_default=[])  # the keys of the steps that were taken

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True) | Q(due_at__isnull=True), name="escalation_paused_is_not_due"
            )
        ]
        indexes = [models.Index(fields=["due_at"], name="escalation_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"of exception {self.exception_id}"
