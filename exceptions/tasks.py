"""Nudges of the exceptions' app: what is due can be read off the tables; a task that is lost is found again by the next sweep."""

import time

import structlog
from celery import shared_task
from django.conf import settings
from django.db import DatabaseError
from django_tenants.utils import schema_context

from exceptions.analyst import services as analyst
from exceptions.analyst.prompts import CURRENT
from exceptions.analyst.switch import switch_off_if_losing
from exceptions.desk.tasks import sweep_bulk_runs, work_on_bulk_run  # noqa: F401
from exceptions.incidents.tasks import fold_all_incidents  # noqa: F401
from exceptions.notifications.tidying import tidy_notifications
from exceptions.people_round import people_round, schemas_with_people_waiting
from exceptions.playbooks.tasks import sweep_actions, tidy, work_actions  # noqa: F401  Celery finds an app's tasks here
from exceptions.selectors import database_now
from orders.tasks import check_schema
from tenants.ai.budget import settle_stale
from tenants.models import Tenant

logger = structlog.get_logger("exceptions.tasks")
SECONDS_A_RUN = 40
BATCH = 100


@shared_task(name="exceptions.analyse", ignore_result=True, expires=30)
def analyse(**kwargs: object) -> int:
    """Sent by beat every few seconds: nudges each tenant that has exceptions to analyse. Returns how many."""
    nudged = 0
    for schema in Tenant.objects.filter(active=True).values_list("schema_name", flat=True):
        with schema_context(schema):
            if analyst.has_work():
                analyse_tenant.delay(schema)
                nudged += 1
    return nudged


@shared_task(name="exceptions.analyse_tenant", ignore_result=True, expires=60)
def analyse_tenant(schema: str, **kwargs: object) -> int:
    """The rules answer at once; what is worth the AI gets a task of its own. Returns how many were looked at."""
    check_schema(schema)
    tools, ends, done = analyst.tools_of_settings(), time.monotonic() + SECONDS_A_RUN, 0
    with schema_context(schema):
        while time.monotonic() < ends:
            analyst.want_analyses(BATCH)
            claims = analyst.claim_due(BATCH)
            if not claims:
                break
            done += len(claims)
            for analysis_id in analyst.analyse_by_rules(claims, tools, now=database_now()):
                analyse_with_ai.delay(schema, analysis_id)
    return done


@shared_task(name="exceptions.analyse_with_ai", ignore_result=True, expires=120)
def analyse_with_ai(schema: str, analysis_id: int, **kwargs: object) -> bool:
    """Whether this call finished it."""
    check_schema(schema)
    with schema_context(schema):
        found = analyst.analyse_one(schema, analysis_id, analyst.tools_of_settings(), now=database_now())
    return found is not None


@shared_task(name="exceptions.sweep_people", ignore_result=True, expires=30)
def sweep_people(**kwargs: object) -> int:
    """Sent by beat every few seconds: nudges the tenants where somebody waits to be told something. Returns how many."""
    schemas = schemas_with_people_waiting(database_now())
    for schema in schemas:
        serve_people.delay(schema)
    return len(schemas)


@shared_task(name="exceptions.serve_people", ignore_result=True, expires=30)
def serve_people(schema: str, **kwargs: object) -> int:
    """Wakes, escalates, sums up and hands over what is due in one tenant. Returns how much."""
    check_schema(schema)
    with schema_context(schema):
        return people_round(Tenant.objects.get(schema_name=schema), now=database_now()).total


@shared_task(name="exceptions.tidy_people", ignore_result=True)
def tidy_people(**kwargs: object) -> int:
    """Removes old notifications in every tenant. Returns how many."""
    tidied = 0
    for schema in Tenant.objects.filter(active=True).values_list("schema_name", flat=True):
        with schema_context(schema):
            tidied += tidy_notifications(now=database_now())
    return tidied


@shared_task(name="exceptions.judge_analysts", ignore_result=True, expires=600)
def judge_analysts(**kwargs: object) -> int:
    """Switches the AI off where it loses to the rules, and charges calls that nobody settled. Returns how many tenants."""
    settle_stale()
    switched = 0
    for schema in Tenant.objects.filter(active=True).values_list("schema_name", flat=True):
        try:
            with schema_context(schema):
                switched += switch_off_if_losing(model=settings.AI_MODEL[:100], prompt_version=CURRENT)
        except DatabaseError:
            logger.exception("judging the analyst failed", schema=schema)
    return switched
