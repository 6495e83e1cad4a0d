"""What people keep of the desk: views, columns. One schema per tenant."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

NAME_LENGTH = 40


class SavedView(models.Model):
    """A list under a name: the query of its address, nothing else. Its owner's, or shared with the tenant."""

    name = models.CharField(max_length=NAME_LENGTH)
    query = models.TextField(db_default="")
    owner_id = models.BigIntegerField()  # a tenants.User (public schema)
    shared = models.BooleanField(db_default=False)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), condition=Q(shared=True), name="view_name_once_shared"),
            models.UniqueConstraint("owner_id", Lower("name"), condition=Q(shared=False), name="view_name_once_own"),
            models.CheckConstraint(condition=~Q(name=""), name="view_has_name"),
        ]

    def __str__(self) -> str:
        return self.name


class DeskColumns(models.Model):
    """The columns that a person chose; without a row the usual ones."""

    user_id = models.BigIntegerField(primary_key=True)  # a tenants.User (public schema)
    columns = ArrayField(models.CharField(max_length=16))

    def __str__(self) -> str:
        return f"columns of {self.user_id}"


class RunState(models.TextChoices):
    ASKED = "asked", "Not confirmed"  # the person is looking at the question
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    STOPPED = "stopped", "Stopped"


class BulkRun(models.Model):
    """One act on many exceptions: the row is its own queue, and says how far it is.

    `ids` are what the person was shown when the count was asked for; what came into the filter later is no part of it. Those
    before `position` are dealt with. Whoever works on it holds the lease.
    """

    action = models.CharField(max_length=16)
    given = models.JSONField(db_default={})  # what the act needs, as exceptions.desk.acts.build takes it
    filters = models.JSONField(null=True)  # as exceptions.selectors.Filters; null for a selection row by row
    ids = ArrayField(models.BigIntegerField(), db_default=[])  # emptied at the end
    total = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=RunState.choices, db_default=RunState.ASKED)
    position = models.PositiveIntegerField(db_default=0)
    changed = models.PositiveIntegerField(db_default=0)
    skipped = models.JSONField(db_default={})  # {why: how many}
    examples = models.JSONField(db_default=[])  # the first skipped: [exception id, why]
    came = models.PositiveIntegerField(db_default=0)  # in the filter when it began, but not when it was asked
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField(db_default=Now())
    began_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="bulk_running", condition=Q(state="running")),
            models.Index(fields=["asked_at"], name="bulk_asked", condition=Q(state="asked")),
        ]

    def __str__(self) -> str:
        return f"{self.action} of {self.total}"

    @property
    def total_words(self) -> str:
        return "1 exception" if self.total == 1 else f"{self.total:,} exceptions"

    @property
    def changed_words(self) -> str:
        return f"{self.changed:,}"

    @property
    def skips(self) -> int:
        return sum(self.skipped.values())

    @property
    def percent(self) -> int:
        return 100 * self.position // max(self.total, 1)
