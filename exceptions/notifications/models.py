"""Notifications and what each person has chosen. In the tenant's schema: a person chooses for each team anew."""

from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from exceptions.choices import Severity
from exceptions.notifications.words import Matter, Way


class Preference(models.Model):
    """A person without a row has chosen nothing: words.USUAL holds."""

    user_id = models.BigIntegerField(unique=True)  # a tenants.User (public schema)
    chosen = ArrayField(models.CharField(max_length=24))  # words.choice of each matter and way that is on
    least_severity = models.CharField(
        max_length=8, choices=Severity.choices, blank=True, db_default=""
    )  # "": mine only
    timezone = models.CharField(max_length=64)
    quiet_from = models.TimeField(null=True)  # both or neither; local times of the zone
    quiet_until = models.TimeField(null=True)
    escalations_always = models.BooleanField(db_default=False)  # in quiet hours too
    digest_at = models.TimeField(default=time(8, 0))
    slack_target = models.CharField(max_length=32, db_default="")  # names of outgoing targets
    webhook_target = models.CharField(max_length=32, db_default="")
    digest_due_at = models.DateTimeField(null=True)  # the next summary; null: none is wanted
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="preference_quiet_both_or_neither",
            )
        ]
        indexes = [models.Index(fields=["digest_due_at"], name="digest_due", condition=Q(digest_due_at__isnull=False))]

    def __str__(self) -> str:
        return f"of user {self.user_id}"


class Notification(models.Model):
    """One matter for one person by one way. `subject` names the matter, so that nobody is told of it twice.

    On the page it waits to be read. Otherwise it waits until `due_at`, and then either became part of a message (`delivery`)
    or of none, and `dropped` says why.
    """

    user_id = models.BigIntegerField()
    matter = models.CharField(max_length=12, choices=Matter.choices)
    subject = models.CharField(max_length=80)
    way = models.CharField(max_length=8, choices=Way.choices)
    exception = models.ForeignKey(
        "exceptions.ExceptionRecord", models.CASCADE, null=True, related_name="notifications", db_index=False
    )
    entry = models.ForeignKey("exceptions.TimelineEntry", models.CASCADE, null=True, related_name="+", db_index=False)
    actor = models.CharField(max_length=200, db_default="")  # who caused it, as in the timeline
    text = models.CharField(max_length=1000, db_default="")  # what no other row says
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    delivery = models.ForeignKey(
        "exceptions.Delivery", models.SET_NULL, null=True, related_name="notifications", db_index=False
    )
    dropped = models.CharField(max_length=100, db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user_id", "matter", "subject", "way"], name="notification_once"),
            models.CheckConstraint(condition=Q(matter__in=Matter.values), name="notification_matter_known"),
            models.CheckConstraint(condition=Q(way__in=Way.values), name="notification_way_known"),
            models.CheckConstraint(
                condition=Q(way=Way.PAGE, due_at__isnull=True) | (~Q(way=Way.PAGE) & Q(read_at__isnull=True)),
                name="notification_read_or_sent",
            ),
        ]
        indexes = [
            models.Index(fields=["user_id", "-id"], name="notification_inbox", condition=Q(way=Way.PAGE)),
            models.Index(
                fields=["user_id"], name="notification_unread", condition=Q(way=Way.PAGE, read_at__isnull=True)
            ),
            models.Index(fields=["due_at"], name="notification_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["exception"], name="notification_of", condition=Q(exception__isnull=False)),
            models.Index(fields=["entry"], name="notification_entry", condition=Q(entry__isnull=False)),
            models.Index(fields=["delivery"], name="notification_sent", condition=Q(delivery__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.matter} to user {self.user_id} by {self.way}"
