"""Simulations in the background: asked for, worked on under a lease, cancelled; and what was tried, put in force."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from e2a.crash import crash_point
from e2a.errors import Conflict, NotFound
from e2a.postgresql.raw import database_now, raw_connection
from orders.looking import free_rows
from orders.simulator.models import SimulationCrossing, SimulationRun, SimulationStatus
from orders.simulator.simulation import Crossing, count_stored, next_orders, simulate
from orders.simulator.tallies import added_by_rule, added_tallies
from orders.statements import statements_of
from orders.versions import versions_from
from tenants.models import PolicyDraft, SlaPolicy, Tenant
from tenants.policy import PolicyError, parse_policy
from tenants.services.drafts import publish_draft
from tenants.services.policies import publish_policy

LEASE = timedelta(seconds=60)
KEPT = 20  # runs; older ones are removed with what they listed
MOST_LISTED = 10_000  # crossings of a run; the others are only counted
MOST_ATTEMPTS = 3  # at the same place


class StillRunning(Conflict):
    """A simulation is on its way already: wait until it is done, or cancel it."""


class NoSuchRun(NotFound):
    """There is no such simulation; only the last ones are kept."""


class NotRunning(Conflict):
    """This simulation has ended already."""


class NotDone(Conflict):
    """Only what was simulated to the end can be put in force."""


class InForceAlready(Conflict):
    """This was put in force already."""


class LostRun(Exception):
    """The run was cancelled, or another process works on it."""


def start_run(
    *, title: str, rules: Mapping[str, Any], start: datetime, end: datetime, by: str, draft_revision: int | None = None
) -> SimulationRun:
    """A row, for whoever works on it first. Raises: StillRunning; tenants.policy.PolicyError."""
    parse_policy(rules)
    try:
        with transaction.atomic():
            run = SimulationRun.objects.create(
                title=title[:200], rules=dict(rules), start=start, end=end, asked_by=by, draft_revision=draft_revision
            )
    except IntegrityError as error:
        raise StillRunning from error
    newest = SimulationRun.objects.order_by("-pk").values_list("pk", flat=True)[:KEPT]
    SimulationRun.objects.exclude(pk__in=list(newest)).delete()
    run.refresh_from_db()
    return run


def get_run(pk: int) -> SimulationRun:
    """Raises: NoSuchRun."""
    run = SimulationRun.objects.filter(pk=pk).first()
    if run is None:
        raise NoSuchRun
    return run


def cancel_run(pk: int) -> None:
    """What it found so far stays to be seen. Raises: NotRunning."""
    running = SimulationRun.objects.filter(pk=pk, status=SimulationStatus.RUNNING)
    if not running.update(status=SimulationStatus.CANCELLED, finished_at=Now(), leased_until=None):
        raise NotRunning


def waiting_runs() -> list[tuple[str, int]]:
    """(schema, run) of every tenant's runs that nobody works on."""
    return free_rows(SimulationRun._meta.db_table)


def work_on_run(schema: str, pk: int, *, seconds: float | None = None) -> SimulationRun:
    """Works on a run until it is done, cancelled, or `seconds` have passed; the next call goes on from there.

    Each chunk is read and judged outside any transaction; what it found and the progress are written in one.
    Another process at it is left alone.
    """
    ends = None if seconds is None else time.monotonic() + seconds
    run = lease(pk)
    try:
        while run is not None and run.status == SimulationStatus.RUNNING:
            run = advance(schema, run)
            if ends is not None and time.monotonic() > ends:
                break
    except LostRun:
        pass
    except PolicyError as error:
        fail(pk, str(error))
    finally:
        if run is not None:
            SimulationRun.objects.filter(pk=pk, leased_until=run.leased_until).update(leased_until=None)
    return get_run(pk)


def lease(pk: int) -> SimulationRun | None:
    """The run, ours for a minute. None: it has ended, another process holds it, or it broke off too often."""
    now = database_now(raw_connection())
    free = SimulationRun.objects.filter(pk=pk, status=SimulationStatus.RUNNING).exclude(leased_until__gt=now)
    tried = free.filter(attempts__gte=MOST_ATTEMPTS).values_list("orders", flat=True).first()
    if tried is not None:
        fail(pk, f"It broke off {MOST_ATTEMPTS} times after {tried:,} orders, so it is not tried again.")
        return None
    taken = free.update(leased_until=now + LEASE, attempts=F("attempts") + 1)
    if not taken:
        return None
    SimulationRun.objects.filter(pk=pk, started_at=None).update(started_at=now)
    return SimulationRun.objects.get(pk=pk)


def fail(pk: int, trouble: str) -> None:
    running = SimulationRun.objects.filter(pk=pk, status=SimulationStatus.RUNNING)
    running.update(status=SimulationStatus.FAILED, trouble=trouble[:500], finished_at=Now(), leased_until=None)


def advance(schema: str, run: SimulationRun) -> SimulationRun:
    """One chunk. Raises: LostRun, with nothing written; PolicyError when what is tried can no longer be read."""
    period = {"start": run.start, "end": run.end}
    total = count_stored(schema, **period) if run.total is None else run.total
    orders, last = next_orders(schema, **period, after=run.position)
    policies = policies_of(schema)
    *_, found = simulate(orders, policies, parse_policy(run.rules), now=run.asked_at)
    listed = found.crossings[: max(MOST_LISTED - run.listed, 0)]
    crash_point("simulation_judged")
    now = database_now(raw_connection())
    changes: dict[str, Any] = {
        "total": total,
        "orders": run.orders + found.orders,
        "crossed": run.crossed + found.crossed,
        "listed": run.listed + len(listed),
        "failed": run.failed + len(found.failed),
        "tallies": added_tallies(run.tallies, found),
        "by_rule": added_by_rule(run.by_rule, found),
        "attempts": 0,
        "leased_until": now + LEASE,
        "position": run.position if last is None else last,
    }
    if last is None:
        changes |= {"status": SimulationStatus.DONE, "finished_at": now, "leased_until": None}
    with transaction.atomic():
        mine = SimulationRun.objects.filter(
            pk=run.pk, status=SimulationStatus.RUNNING, leased_until=run.leased_until, position=run.position
        )
        if not mine.update(**changes):
            raise LostRun
        SimulationCrossing.objects.bulk_create([row_of(run, each) for each in listed], batch_size=1_000)
    crash_point("simulation_written")
    return SimulationRun.objects.get(pk=run.pk)


def policies_of(schema: str) -> Any:
    """The versions in force, each order under its own. A version published meanwhile takes no order of the past."""
    connection = raw_connection()
    listed = connection.execute(statements_of(schema).policies, {"schema": schema}).fetchall()[0][0]
    return versions_from(connection, listed)


def row_of(run: SimulationRun, each: Crossing) -> SimulationCrossing:
    return SimulationCrossing(
        run=run,
        order_pk=each.pk,
        merchant=each.merchant,
        order_ref=each.order_id,
        stage=each.stage,
        late_then=each.late_then,
        rule_now=each.rule_now,
        rule_then=each.rule_then,
        due_now=each.due_now,
        due_then=each.due_then,
    )


def put_in_force(
    *, tenant: Tenant, pk: int, starts_at: datetime | None = None, note: str = "", by: str = ""
) -> SlaPolicy:
    """What the run tried, as the next version from `starts_at` (None: now) on; once only. The draft, if it is that still, is gone then.

    The connection stands in the tenant's schema. Raises: NoSuchRun, NotDone, InForceAlready; what `publish_policy` raises.
    """
    with transaction.atomic():
        run = SimulationRun.objects.select_for_update().filter(pk=pk).first()
        if run is None:
            raise NoSuchRun
        if run.status != SimulationStatus.DONE:
            raise NotDone
        if run.published_version is not None:
            raise InForceAlready
        words: dict[str, Any] = {"tenant": tenant, "starts_at": starts_at, "note": note, "by": by}
        if run.draft_revision is not None and is_still_the_draft(tenant, run.draft_revision):
            policy = publish_draft(revision=run.draft_revision, **words)
        else:
            policy = publish_policy(rules=run.rules, **words)
        run.published_version = policy.version
        run.save(update_fields=["published_version"])
    return policy


def is_still_the_draft(tenant: Tenant, revision: int) -> bool:
    return PolicyDraft.objects.filter(tenant=tenant, revision=revision).exists()
