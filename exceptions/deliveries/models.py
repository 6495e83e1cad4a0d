"""A message that must go out. The row is the queue; `log` tells each try."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from tenants.fields import EncryptedTextField
from tenants.outgoing.models import Channel


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    SENDING = "sending", "Being sent"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"
    UNCERTAIN = "uncertain", "Not known"  # it may have arrived, and is not sent again


class Delivery(models.Model):
    """`key` is its identity: the same key again is the same message. `target` names an outgoing target of the tenant;

    without one, `recipient` is a person's e-mail address. `content`: `subject` and `text`, or a webhook's `type` and `data`.
    """

    key = models.CharField(max_length=100, unique=True)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    target = models.CharField(max_length=32, db_default="")
    recipient = EncryptedTextField(db_default="")
    user_id = models.BigIntegerField(null=True)  # whose notification it is: not sent once that person has left
    content = EncryptedTextField()  # JSON
    exception = models.ForeignKey(
        "exceptions.ExceptionRecord", models.CASCADE, null=True, related_name="deliveries", db_index=False
    )
    state = models.CharField(max_length=12, choices=DeliveryState.choices, db_default=DeliveryState.WAITING)
    tries = models.PositiveSmallIntegerField(db_default=0)
    due_at = models.DateTimeField(null=True, db_default=Now())  # the next try, or the end of the lease of this one
    log = models.JSONField(db_default=[])  # [{"at", "outcome", "answer", "ms"}]
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="delivery_channel_known"),
            models.CheckConstraint(
                condition=Q(state__in=[DeliveryState.WAITING, DeliveryState.SENDING], due_at__isnull=False)
                | Q(
                    state__in=[DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.UNCERTAIN],
                    ended_at__isnull=False,
                ),
                name="delivery_ended_or_due",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="delivery_due",
                condition=Q(state__in=[DeliveryState.WAITING, DeliveryState.SENDING]),
            ),
            models.Index(fields=["-created_at", "-id"], name="delivery_newest"),
            models.Index(
                fields=["user_id", "-created_at"], name="delivery_to_person", condition=Q(user_id__isnull=False)
            ),
            models.Index(fields=["exception"], name="delivery_of", condition=Q(exception__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.key}"
