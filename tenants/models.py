"""Who: tenants, their merchants and people, their keys, sources and SLA policies. All in the public schema."""

from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django_tenants.models import DomainMixin, TenantMixin

from tenants.ai.models import AiBreaker, AiBudget, AiReservation  # noqa: F401  Django finds an app's tables here
from tenants.audit import audited
from tenants.fields import EncryptedTextField
from tenants.hosts import validate_host
from tenants.mapping import mapping_troubles
from tenants.outgoing.models import OutgoingTarget  # noqa: F401
from tenants.slugs import VISIBLE, validate_slug, validate_tenant_slug

SOURCE_LENGTH = 16


def zone_trouble(name: str) -> str:
    """A sentence, or nothing."""
    return "" if name in available_timezones() else f"“{name}” is no zone; use an IANA name such as Europe/Lisbon."


@audited("slug", "name", "timezone", "active", "billing")
class Tenant(TenantMixin):
    """A company that uses the installation. Its orders, events and exceptions live in a schema of its own."""

    auto_create_schema = False  # services.create_tenant makes it, so that a failure leaves neither row nor schema
    slug = models.CharField(
        max_length=40,
        unique=True,
        validators=[validate_tenant_slug],
        error_messages={"unique": "There is a tenant of this name already; choose another."},
    )
    name = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64, default="UTC", help_text="An IANA zone such as Europe/Lisbon.")
    active = models.BooleanField(default=True)
    billing = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises: ValidationError with sentences at the zone and the billing settings."""
        wrong: dict[str, list[str]] = {}
        if trouble := zone_trouble(self.timezone):
            wrong["timezone"] = [trouble]
        if not isinstance(self.billing, dict):
            wrong["billing"] = ['The billing settings must be a JSON object, such as {"currency": "EUR"}.']
        if wrong:
            raise ValidationError(wrong)


@audited("tenant", "domain", "is_primary")
class Domain(DomainMixin):
    """A host name at which a tenant's pages answer."""

    domain = models.CharField(
        max_length=253,
        unique=True,
        db_index=True,
        validators=[validate_host],
        help_text="Such as ops.example.com, without http:// or a port.",
        error_messages={"unique": "This host is a tenant's already; choose another."},
    )


@audited("username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser")
class User(AbstractUser):
    """A person. Accounts are shared by the installation; what a person may see is a membership in each tenant."""

    email = models.EmailField(unique=True)


class Role(models.TextChoices):
    VIEWER = "viewer", "Viewer"
    OPERATOR = "operator", "Operator"
    MANAGER = "manager", "Manager"


@audited("tenant", "user", "role")
class Membership(models.Model):
    """A person's role in a tenant; read at every request, so that removing it works at the next one."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_once_per_tenant"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant}"


@audited("tenant", "email", "role", "invited_by", "expires_at", "accepted_at", "revoked_at")
class Invitation(models.Model):
    """A role offered to an e-mail address. Only the digest of the link's token is kept."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    mail = models.ForeignKey("Mail", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_open_once_per_address",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.tenant}"


class Mail(models.Model):
    """An e-mail that must still go out: the row is the queue, a worker claims it by moving `due_at` (a lease).

    `due_at` is null once it was sent or given up; the text, which may hold a link's token, is erased then.
    """

    recipient = models.EmailField()
    subject = models.CharField(max_length=200)
    text = EncryptedTextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    due_at = models.DateTimeField(null=True, db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "e-mail"
        indexes = [models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="mail_due")]

    def __str__(self) -> str:
        return f"{self.subject} to {self.recipient}"


@audited("tenant", "slug", "name")
class Merchant(models.Model):
    """A client of the 3PL, whose orders they are. Events may name merchants that have no row yet."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="merchants")
    slug = models.CharField(max_length=64, validators=[validate_slug])
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["slug"]
        constraints = [models.UniqueConstraint(fields=["tenant", "slug"], name="merchant_once_per_tenant")]

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    INGEST = "ingest", "Ingest: send events"
    READ = "read", "Read: orders, exceptions, figures"
    OPERATE = "operate", "Operate: act on exceptions"
    ADMIN = "admin", "Admin: replay, health, configuration"


@audited("tenant", "name", "prefix", "scopes", "sources", "merchant", "expires_at", "revoked_at")
class ApiKey(models.Model):
    """A program's key, looked up at every request by its prefix; only the SHA-256 of the whole is kept."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=120, blank=True)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope.choices))
    sources = ArrayField(
        models.CharField(max_length=SOURCE_LENGTH),
        default=list,
        blank=True,
        help_text="Leave empty to allow every source.",
    )
    merchant = models.CharField(
        max_length=64,
        blank=True,
        validators=[validate_slug],
        help_text="Events that name no merchant belong to this one.",
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.prefix}…"

    def clean(self) -> None:
        """Raises: ValidationError with sentences at the scopes and the sources."""
        wrong: dict[str, list[str]] = {}
        if unknown := [scope for scope in self.scopes or () if scope not in Scope.values]:
            wrong["scopes"] = [f"“{unknown[0]}” is no scope; choose among {', '.join(Scope.values)}."]
        if bad := [name for name in self.sources or () if len(name) > SOURCE_LENGTH or not VISIBLE.fullmatch(name)]:
            wrong["sources"] = [f"“{bad[0]}” is no source's name: at most 16 visible ASCII characters without spaces."]
        if wrong:
            raise ValidationError(wrong)


class Provider(models.TextChoices):
    SHOPIFY = "shopify", "Shopify"
    EASYPOST = "easypost", "EasyPost"
    AFTERSHIP = "aftership", "AfterShip"
    KARRIO = "karrio", "Karrio"
    SHIPBOB = "shipbob", "ShipBob"
    STANDARD = "standard", "Standard Webhooks"
    SHIPHERO = "shiphero", "ShipHero"
    JSON = "json", "Plain JSON with a mapping"


@audited("tenant", "name", "provider", "merchant", "timezone", "settle_seconds", "mapping", "api_url", "active")
class WebhookSource(models.Model):
    """A provider's account that sends to `/webhooks/TENANT/NAME`. Its name is the `source` of its events."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="sources")
    name = models.CharField(max_length=SOURCE_LENGTH, validators=[validate_slug])
    provider = models.CharField(max_length=16, choices=Provider.choices)
    merchant = models.CharField(max_length=64, blank=True, validators=[validate_slug], help_text="Default: “default”.")
    timezone = models.CharField(max_length=64, default="UTC", help_text="For providers that send times without a zone.")
    settle_seconds = models.PositiveIntegerField(
        default=0, help_text="How long after its last receipt an order waits before a deadline counts as missed."
    )
    mapping = models.JSONField(
        default=dict, blank=True, help_text="For plain JSON: where each part of an event is found."
    )
    api_url = models.URLField(blank=True, help_text="The shop's Admin API, for reconciliation.")
    api_token = EncryptedTextField(blank=True)
    active = models.BooleanField(default=True)
    reconciled_until = models.DateTimeField(null=True, blank=True, editable=False)
    reconcile_asked_at = models.DateTimeField(null=True, editable=False)  # by a person; null once it is done
    reconcile_tried_at = models.DateTimeField(null=True, editable=False)  # the last end of one, good or bad
    reconcile_missing = models.PositiveIntegerField(null=True, editable=False)  # events that one found
    reconcile_error = models.CharField(max_length=300, db_default="", editable=False)
    refused_at = models.DateTimeField(null=True, editable=False)  # the last delivery without a valid signature
    refused_count = models.PositiveBigIntegerField(db_default=0, editable=False)  # of them, ever
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="source_once_per_tenant")]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_provider_display()})"

    def clean(self) -> None:
        """Raises: ValidationError with sentences at the mapping and the zone."""
        wrong: dict[str, list[str]] = {}
        if trouble := zone_trouble(self.timezone):
            wrong["timezone"] = [trouble]
        if self.provider in (Provider.JSON, Provider.STANDARD):
            wrong["mapping"] = mapping_troubles(self.mapping, standard=self.provider == Provider.STANDARD)
        if any(wrong.values()):
            raise ValidationError({field: texts for field, texts in wrong.items() if texts})


@audited("source", "created_at", "valid_until")
class WebhookSecret(models.Model):
    """A source's signing secret, encrypted. During a rotation the older one is valid until `valid_until`."""

    source = models.ForeignKey(WebhookSource, models.CASCADE, related_name="secrets")
    secret = EncryptedTextField()
    digest = models.CharField(max_length=64, unique=True)  # a secret is unique among all sources of the installation
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"secret of {self.source}"


@audited("tenant", "version", "valid_from", "rules", "note", "created_by")
class SlaPolicy(models.Model):
    """A version of a tenant's SLA configuration (CONTRACT 4). Versions are never edited; the first reaches back without limit."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="policies")
    version = models.PositiveIntegerField()
    valid_from = models.DateTimeField()
    rules = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-version"]
        verbose_name = "SLA policy"
        verbose_name_plural = "SLA policies"
        constraints = [models.UniqueConstraint(fields=["tenant", "version"], name="policy_version_once_per_tenant")]

    def __str__(self) -> str:
        return f"version {self.version}"


@audited("tenant", "rules", "based_on", "edited_by")
class PolicyDraft(models.Model):
    """What a tenant's next version of its SLA policy shall say: in the form of rules, of which some may not fit together yet.

    One at a time. Each change counts `revision` up, so that of two people who change it at once the second is told.
    """

    tenant = models.OneToOneField(Tenant, models.CASCADE, related_name="policy_draft")
    rules = models.JSONField()
    based_on = models.PositiveIntegerField()  # the version from which it was begun
    revision = models.PositiveIntegerField()
    edited_by = models.CharField(max_length=150, blank=True)
    edited_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "draft of an SLA policy"
        verbose_name_plural = "drafts of SLA policies"

    def __str__(self) -> str:
        return f"draft from version {self.based_on}"
