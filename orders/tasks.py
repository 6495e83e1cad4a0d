"""Nudges: which rows are due can be read off the tables; a task that is lost is found again by the next sweep."""

import logging

import psycopg
from celery import shared_task
from django.db import DatabaseError
from django_tenants.utils import schema_context

from e2a.postgresql.raw import database_now, raw_connection
from orders.letter_runs import run_replay, waiting_replays
from orders.reconcile_shop import CannotReconcile, due_sources, reconcile_source
from orders.simulator.runs import waiting_runs, work_on_run
from orders.source_watch import watch_sources
from tenants.clients import CallError
from tenants.models import Tenant

logger = logging.getLogger(__name__)
BUDGET_SECONDS = 180  # well below the worker's time limit
TURN_SECONDS = 60  # of a simulation, which may take many: others come in between


@shared_task(name="orders.reconcile_shops", ignore_result=True, expires=300)
def reconcile_shops(**kwargs: object) -> int:
    """Sent by beat every few minutes: asks each shop that was not asked for a while. Returns how many."""
    due = due_sources(database_now(raw_connection()))
    for schema, source in due:
        reconcile_shop.delay(schema, source)
    return len(due)


@shared_task(name="orders.reconcile_shop", ignore_result=True, expires=600)
def reconcile_shop(schema: str, source: str, **kwargs: object) -> int:
    """Returns how many events had never arrived. Raises: ValueError for an unknown schema."""
    check_schema(schema)
    try:
        done = reconcile_source(schema, source, seconds=BUDGET_SECONDS)
    except (CannotReconcile, CallError) as error:
        logger.warning("reconciling %s/%s failed: %s", schema, source, error.args[0])
        return 0
    return done.missing if done else 0


@shared_task(name="orders.run_replays", ignore_result=True, expires=60)
def run_replays(**kwargs: object) -> int:
    """Sent by beat every few seconds: replays of dead letters that nobody works on. Returns how many."""
    waiting = waiting_replays()
    for schema, replay in waiting:
        run_one_replay.delay(schema, replay)
    return len(waiting)


@shared_task(name="orders.run_replay", ignore_result=True, expires=60)
def run_one_replay(schema: str, replay: int, **kwargs: object) -> str:
    """Returns the replay's status. Raises: ValueError for an unknown schema."""
    check_schema(schema)
    with schema_context(schema):
        return run_replay(schema, replay, seconds=BUDGET_SECONDS).status


@shared_task(name="orders.run_simulations", ignore_result=True, expires=60)
def run_simulations(**kwargs: object) -> int:
    """Sent by beat every few seconds: simulations that nobody works on. Returns how many."""
    waiting = waiting_runs()
    for schema, run in waiting:
        run_one_simulation.delay(schema, run)
    return len(waiting)


@shared_task(name="orders.run_simulation", ignore_result=True, expires=60)
def run_one_simulation(schema: str, run: int, **kwargs: object) -> str:
    """A turn of it. Returns the run's status. Raises: ValueError for an unknown schema."""
    check_schema(schema)
    with schema_context(schema):
        return work_on_run(schema, run, seconds=TURN_SECONDS).status


@shared_task(name="orders.watch_all_sources", ignore_result=True, expires=120)
def watch_all_sources(**kwargs: object) -> int:
    """Sent by beat every minute. One tenant's trouble holds nobody else up. Returns how many tenants had news."""
    news = 0
    for schema in Tenant.objects.filter(active=True).values_list("schema_name", flat=True):
        try:
            news += bool(watch_sources(schema))
        except (DatabaseError, psycopg.Error):
            logger.exception("watching the sources of %s failed", schema)
    return news


def check_schema(schema: str) -> None:
    """Raises: ValueError."""
    if not Tenant.objects.filter(schema_name=schema, active=True).exists():
        raise ValueError(f"{schema!r} is no active tenant's schema")
