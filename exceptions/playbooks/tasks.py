"""Nudges: what is due can be read off the tables; a message that is lost is made up for by the next sweep."""

import time

from celery import shared_task
from django_tenants.utils import schema_context

from e2a.postgresql.raw import database_now, raw_connection
from exceptions.playbooks.channels.calls import Tools
from exceptions.playbooks.executor import Desk
from exceptions.playbooks.tidying import tidy_actions
from exceptions.playbooks.working import schemas_with_work, work_round
from tenants.models import Tenant

SECONDS_A_ROUND = 50


@shared_task(name="exceptions.sweep_actions", ignore_result=True, expires=30)
def sweep_actions(**kwargs: object) -> int:
    """Sent by beat every few seconds: nudges the tenants that have something to do. Returns how many."""
    schemas = schemas_with_work(database_now(raw_connection()))
    for schema in schemas:
        work_actions.delay(schema)
    return len(schemas)


@shared_task(name="exceptions.work_actions", ignore_result=True, expires=30)
def work_actions(schema: str, **kwargs: object) -> int:
    """Plans, runs, looks up and checks what is due in one tenant. Returns how much. Raises: ValueError for an unknown one."""
    tenant = Tenant.objects.filter(schema_name=schema, active=True).first()
    if tenant is None:
        raise ValueError(f"{schema!r} is no active tenant's schema")
    with schema_context(schema):
        done = work_round(Desk(tenant, Tools(sleep=time.sleep)), until=time.monotonic() + SECONDS_A_ROUND)
    return done.total if done else 0


@shared_task(name="exceptions.tidy_actions", ignore_result=True)
def tidy(**kwargs: object) -> int:
    """Takes people out of what is long over, in every tenant. Returns of how much."""
    tidied = 0
    for schema in Tenant.objects.filter(active=True).values_list("schema_name", flat=True):
        with schema_context(schema):
            tidied += tidy_actions(now=database_now(raw_connection()))
    return tidied
