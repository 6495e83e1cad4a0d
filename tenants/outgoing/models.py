"""A tenant's outgoing targets. In the public schema; addresses and secrets are encrypted at rest."""

from django.db import models
from django.db.models.functions import Now

from tenants.audit import audited
from tenants.fields import EncryptedTextField
from tenants.slugs import validate_slug


class Channel(models.TextChoices):
    SLACK = "slack", "Slack channel"
    EMAIL = "email", "E-mail addresses"
    WEBHOOK = "webhook", "Signed webhook"


@audited("tenant", "name", "channel", "active")
class OutgoingTarget(models.Model):
    """`address`: an https address, or e-mail addresses with commas between. A Slack address opens its channel to anybody.

    `secret` signs webhooks; during a rotation `old_secret` signs too, until `old_secret_until`.
    """

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="outgoing_targets")
    name = models.CharField(max_length=32, validators=[validate_slug])
    channel = models.CharField(max_length=8, choices=Channel.choices)
    address = EncryptedTextField()
    secret = EncryptedTextField(blank=True)
    old_secret = EncryptedTextField(blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    active = models.BooleanField(default=True)
    created_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="target_once_per_tenant"),
            models.CheckConstraint(condition=models.Q(channel__in=Channel.values), name="target_channel_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_channel_display()})"
