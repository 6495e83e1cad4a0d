"""Recurring work of the installation itself, and the worker's sign of life."""

from celery import shared_task
from django.core.management import call_command
from django.db import connection

from e2a.heartbeat import beat


@shared_task(name="e2a.heartbeat", ignore_result=True, expires=30)
def heartbeat(**kwargs: object) -> None:
    """Sent by beat every ten seconds: its arrival shows that beat, broker and worker all live."""
    with connection.cursor() as cursor:
        beat(cursor, "worker")
        beat(cursor, "beat")


@shared_task(name="e2a.housekeeping", ignore_result=True)
def housekeeping(**kwargs: object) -> None:
    """Removes ended sessions."""
    call_command("clearsessions")
