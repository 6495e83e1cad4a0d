"""The ground floor's own tables (public schema)."""

from django.db import models
from django.db.models.functions import Now


class Heartbeat(models.Model):
    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "e2a"

    def __str__(self) -> str:
        return self.name
