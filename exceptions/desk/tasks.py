"""Nudges for acts on many: the rows are the queue; a task that is lost is found again by the next sweep."""

import structlog
from celery import shared_task
from django.db import DatabaseError
from django_tenants.utils import schema_context

from exceptions.desk import bulk
from orders.tasks import check_schema
from tenants.models import Tenant

logger = structlog.get_logger("exceptions.desk.tasks")
SECONDS_A_RUN = 120  # well below the worker's time limit


@shared_task(name="exceptions.sweep_bulk_runs", ignore_result=True, expires=30)
def sweep_bulk_runs(**kwargs: object) -> int:
    """Sent by beat every few seconds. Returns how many runs were nudged."""
    nudged = 0
    for schema in Tenant.objects.filter(active=True).values_list("schema_name", flat=True):
        try:
            with schema_context(schema):
                found = bulk.waiting()
        except DatabaseError:
            logger.exception("looking for acts on many failed", schema=schema)
            continue
        for run_id in found:
            work_on_bulk_run.delay(schema, run_id)
            nudged += 1
    return nudged


@shared_task(name="exceptions.work_on_bulk_run", ignore_result=True, expires=60)
def work_on_bulk_run(schema: str, run_id: int, **kwargs: object) -> str:
    """Returns its state. Raises: ValueError for an unknown schema."""
    check_schema(schema)
    with schema_context(schema):
        return bulk.work(run_id, seconds=SECONDS_A_RUN).state
