"""The day's tokens and the provider's breaker. Written by plain SQL of `budget` and `breaker`: conditional updates only."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class AiBudget(models.Model):
    """Tokens of a UTC day. `schema` is a tenant's, or empty for the whole installation."""

    day = models.DateField()
    schema = models.CharField(max_length=63)
    reserved = models.BigIntegerField(db_default=0)  # by calls under way
    spent = models.BigIntegerField(db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "schema"], name="ai_budget_once_a_day"),
            models.CheckConstraint(condition=Q(reserved__gte=0, spent__gte=0), name="ai_budget_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.schema or 'all'} on {self.day}"


class AiReservation(models.Model):
    """A call's claim on the day's tokens: the most that it can cost, then what it did cost."""

    day = models.DateField()
    schema = models.CharField(max_length=63)
    tokens = models.BigIntegerField()
    used = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(used__isnull=True) | Q(used__gte=0, used__lte=F("tokens")), name="ai_never_above_claim"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="ai_open_claims", condition=Q(used__isnull=True))]

    def __str__(self) -> str:
        return f"{self.tokens} of {self.schema}"


class AiBreaker(models.Model):
    """Whether a provider's model may be asked. Closed while `open_until` is null."""

    name = models.CharField(max_length=200, primary_key=True)
    failures = models.PositiveIntegerField(db_default=0)  # in a row
    trips = models.PositiveSmallIntegerField(db_default=0)  # openings in a row: each waits longer
    open_until = models.DateTimeField(null=True)
    probing_until = models.DateTimeField(null=True)  # somebody is trying whether it works again
    reason = models.CharField(max_length=40, db_default="")
    changed_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name
