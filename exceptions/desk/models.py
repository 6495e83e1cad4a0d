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
