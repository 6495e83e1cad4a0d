"""Nudges of incidents: a round for every tenant; what one misses the next makes up for."""

import structlog
from celery import shared_task
from django.db import DatabaseError
from django_tenants.utils import schema_context

from e2a.postgresql.raw import database_now, raw_connection
from exceptions.incidents.folding import fold_incidents
from tenants.models import Tenant

logger = structlog.get_logger("exceptions.incidents.tasks")


@shared_task(name="exceptions.fold_incidents", ignore_result=True, expires=60)
def fold_all_incidents(**kwargs: object) -> int:
    """Sent by beat: a round for each tenant; one's trouble holds no other up. Returns how many had something new."""
    news = 0
    for schema in Tenant.objects.filter(active=True).values_list("schema_name", flat=True):
        try:
            with schema_context(schema):
                done = fold_incidents(now=database_now(raw_connection()))
                news += bool(done and done.written)
        except DatabaseError:
            logger.exception("folding incidents failed", schema=schema)
    return news
