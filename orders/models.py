"""What happened: orders, their events (facts), stages (verdicts), parcels and dead letters. One schema per tenant."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from orders.simulator.models import SimulationCrossing, SimulationRun  # noqa: F401  Django finds an app's tables here


class OrderStatus(models.TextChoices):
    CREATED = "CREATED", "Created"
    PAID = "PAID", "Paid"
    ALLOCATED = "ALLOCATED", "Allocated"
    PACKED = "PACKED", "Packed"
    FULFILLED = "FULFILLED", "Fulfilled"
    DELIVERED = "DELIVERED", "Delivered"
    RETURNED = "RETURNED", "Returned"
    CANCELLED = "CANCELLED", "Cancelled"


class Order(models.Model):
    """An order of a merchant. All but its identity and its receipts is a verdict: rewritten by the fold, never patched."""

    merchant = models.CharField(max_length=64)
    order_id = models.CharField(max_length=128)
    status = models.CharField(max_length=16, choices=OrderStatus.choices, db_default=OrderStatus.CREATED)
    held = models.BooleanField(db_default=False)
    began_at = models.DateTimeField(null=True)
    policy_id = models.BigIntegerField(null=True)  # the SlaPolicy version it began under (public schema)
    contradiction = models.CharField(max_length=200, db_default="")
    problems = models.JSONField(db_default={})
    first_received_at = models.DateTimeField(db_default=Now())
    last_received_at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True)
    history = models.BooleanField(db_default=False)
    folded_through = models.BigIntegerField(db_default=0)  # the newest event that the stored verdict has seen
    fold_attempts = models.PositiveSmallIntegerField(db_default=0)
    fold_retry_at = models.DateTimeField(null=True)
    fold_error = models.CharField(max_length=500, db_default="")
    # What it carries, as last stated; see orders.carried.
    sales_channel = models.CharField(max_length=64, db_default="")
    shipping_service = models.CharField(max_length=64, db_default="")
    carrier = models.CharField(max_length=64, db_default="")
    warehouse = models.CharField(max_length=64, db_default="")
    destination_country = models.CharField(max_length=2, db_default="")
    customer_tier = models.CharField(max_length=64, db_default="")
    skus = ArrayField(models.TextField(), db_default=[])
    tags = ArrayField(models.TextField(), db_default=[])
    value_cents = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, db_default="")
    promised_at = models.DateTimeField(null=True)
    fulfil_by = models.DateTimeField(null=True)
    window_from = models.DateTimeField(null=True)
    window_until = models.DateTimeField(null=True)
    rule = models.CharField(max_length=80, db_default="")  # of the policy, that takes the order
    bearing = models.JSONField(
        null=True
    )  # tenants.weights.Bearing: what it adds to its exceptions' severity and priority

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "order_id"], name="order_identity")]
        indexes = [
            models.Index(fields=["-last_received_at", "-id"], name="order_by_last_receipt"),
            models.Index(
                fields=["fold_retry_at"], name="order_fold_retry", condition=models.Q(fold_retry_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.order_id


class Event(models.Model):
    """A fact: append-only. `order` is null while a carrier's event waits for the order that its tracking number belongs to."""

    order = models.ForeignKey(Order, models.CASCADE, null=True, related_name="events")
    source = models.CharField(max_length=16)
    event_id = models.CharField(max_length=128)
    event_type = models.CharField(max_length=32)
    merchant = models.CharField(max_length=64)
    order_ref = models.CharField(max_length=128, db_default="")  # the order id as it was sent
    tracking_number = models.CharField(max_length=128, db_default="")
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    effective_at = models.DateTimeField()  # the earlier of both, set once
    payload = models.JSONField()
    detail = models.JSONField(null=True)  # the few keys of the payload that the fold reads
    content_hash = models.BinaryField(max_length=16)
    correlation_id = models.CharField(max_length=64, db_default="")
    history = models.BooleanField(db_default=False)
    quarantined = models.BooleanField(db_default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "event_id"], name="event_identity")]
        indexes = [
            models.Index(fields=["source", "received_at"], name="event_by_source"),
            models.Index(fields=["received_at"], name="event_waiting", condition=models.Q(order__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.source}/{self.event_id}"


class StageState(models.TextChoices):
    PENDING = "PENDING", "Pending"  # never stored: a stage without a row
    RUNNING = "RUNNING", "Running"
    COMPLETED = "COMPLETED", "Completed"
    SKIPPED = "SKIPPED", "Skipped"
    CANCELLED = "CANCELLED", "Cancelled"


class Stage(models.Model):
    """The verdict on one stage of an order. `judge_at` is the next instant at which it changes without any event."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="stages", db_index=False)
    name = models.CharField(max_length=24)
    state = models.CharField(max_length=16, choices=StageState.choices)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    breached = models.BooleanField(db_default=False)
    severity = models.CharField(max_length=8, db_default="")
    target_seconds = models.BigIntegerField(null=True)
    judge_at = models.DateTimeField(null=True)
    at_risk_at = models.DateTimeField(null=True)  # the warning point; past it, and not late, the severity is LOW
    watch = models.JSONField(null=True)  # what its rule adds to its clock: {"opens": …, "ladder": …}

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "name"], name="stage_once_per_order")]
        indexes = [
            models.Index(fields=["judge_at"], name="stage_to_judge", condition=models.Q(judge_at__isnull=False)),
            models.Index(fields=["due_at"], name="stage_by_due", condition=models.Q(due_at__isnull=False)),
            models.Index(
                fields=["ended_at"],
                name="stage_by_end",
                condition=models.Q(due_at__isnull=False, ended_at__isnull=False),
            ),
            models.Index(
                fields=["due_at", "id"],
                name="stage_at_risk",
                condition=models.Q(state="RUNNING", severity="LOW", breached=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Parcel(models.Model):
    """A parcel of an order, as its fulfilment named it; how a carrier's event finds the order."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="parcels")
    shipment_id = models.CharField(max_length=128, db_default="")
    carrier = models.CharField(max_length=64, db_default="")
    tracking_number = models.CharField(max_length=128, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "shipment_id", "tracking_number"], name="parcel_once_per_order")
        ]

    def __str__(self) -> str:
        return self.tracking_number


class DeadLetterStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    REPLAYED = "replayed", "Replayed"
    DISCARDED = "discarded", "Discarded"


class Entrance(models.TextChoices):
    """How what a dead letter holds had come; a replay goes the same way."""

    EVENTS = "events", "Events API or file"
    WEBHOOK = "webhook", "Provider's webhook"
    QUARANTINE = "quarantine", "Quarantine"  # stored, but its order could not be judged with it


class DeadLetter(models.Model):
    """What was refused for its content, with the raw bytes and the reason, until it is mended, replayed or discarded."""

    entrance = models.CharField(max_length=16, choices=Entrance.choices, db_default=Entrance.EVENTS)
    merchant = models.CharField(max_length=64, db_default="")  # of what names none itself
    received_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=16, db_default="")
    reason = models.CharField(max_length=40)
    errors = models.JSONField(db_default={})  # {field: [sentence, …]}
    event_id = models.CharField(max_length=128, db_default="")
    order_ref = models.CharField(max_length=128, db_default="")
    topic = models.CharField(max_length=64, db_default="")
    headers = models.JSONField(db_default={})  # of a provider's webhook: what a replay needs, nothing secret
    body = models.BinaryField()
    line_number = models.BigIntegerField(null=True)  # of a backfilled file
    correlation_id = models.CharField(max_length=64, db_default="")
    status = models.CharField(max_length=16, choices=DeadLetterStatus.choices, db_default=DeadLetterStatus.WAITING)
    status_at = models.DateTimeField(null=True)
    status_by = models.CharField(max_length=150, db_default="")
    digest = models.BinaryField(
        max_length=16
    )  # of source, reason and body: the same refusal again counts, it does not pile up
    occurrences = models.PositiveIntegerField(db_default=1)
    edited_from = models.ForeignKey("self", models.SET_NULL, null=True, related_name="edits")
    tries = models.PositiveIntegerField(db_default=0)  # replays that were refused again
    tried_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="dead_letter_once", condition=models.Q(status="waiting"))
        ]
        indexes = [models.Index(fields=["status", "-received_at"], name="dead_letter_by_time")]

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


class ReplayStatus(models.TextChoices):
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    STOPPED = "stopped", "Stopped"


class LetterReplay(models.Model):
    """A replay of all dead letters of a filter: the row is its own queue, and says how far it is.

    It takes the letters up to `through`, oldest first; those before `position` are done. Whoever works on it holds the lease.
    """

    asked_at = models.DateTimeField(db_default=Now())
    asked_by = models.CharField(max_length=150)
    filters = models.JSONField(db_default={})  # as orders.letter_lists.LetterFilters
    status = models.CharField(max_length=16, choices=ReplayStatus.choices, db_default=ReplayStatus.RUNNING)
    total = models.PositiveIntegerField(db_default=0)
    through = models.BigIntegerField(db_default=0)
    position = models.BigIntegerField(db_default=0)
    counts = models.JSONField(db_default={})  # {outcome: letters}, and `exceptions` opened or reopened
    leased_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["id"], name="letter_replay_running", condition=models.Q(status="running"))]

    def __str__(self) -> str:
        return f"replay {self.pk}"

    @property
    def letters_done(self) -> int:
        """Letters looked at so far; `counts` has exceptions beside them."""
        return sum(number for name, number in self.counts.items() if not name.startswith("exceptions_"))
