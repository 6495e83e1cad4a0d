"""One round of a tenant's playbooks, and the look that tells which tenants need one.

A tenant is served by one worker at a time (an advisory lock that dies with its connection), so its shop is called in turn;
even two would only share the work, since every row is claimed.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime

from e2a.postgresql.raw import raw_connection
from e2a.pulse import pulse
from exceptions.deliveries.sender import WAYS, Ways, send_due
from exceptions.deliveries.services import recover_deliveries
from exceptions.playbooks.dry_runs import answer_dry_runs
from exceptions.playbooks.executor import Desk, claim_attempt, run_attempt
from exceptions.playbooks.expectations import check_expectations
from exceptions.playbooks.looking_up import due_looks, follow_deliveries, look_up, recover
from exceptions.playbooks.planning import end_idle, plan_new
from orders.looking import schemas_where

logger = logging.getLogger(__name__)
LOCK = 20_71  # the class of the advisory locks that a round holds, one a tenant
LOOK = """SELECT '{name}' WHERE
  EXISTS (SELECT 1 FROM {s}.exceptions_record WHERE verdict = 'active' AND NOT history AND status <> 'RESOLVED'
    AND planned_occurrence < occurrence_count)
  OR EXISTS (SELECT 1 FROM {s}.exceptions_attempt WHERE due_at <= %(now)s
    AND state IN ('planned', 'claimed', 'sent', 'unknown', 'delivering'))
  OR EXISTS (SELECT 1 FROM {s}.exceptions_attempt WHERE state = 'expecting')
  OR EXISTS (SELECT 1 FROM {s}.exceptions_attempt a JOIN {s}.exceptions_record r ON r.id = a.exception_id
    WHERE a.state IN ('suggested', 'awaiting') AND (r.status = 'RESOLVED' OR r.verdict <> 'active'))
  OR EXISTS (SELECT 1 FROM {s}.exceptions_plan p JOIN {s}.exceptions_record r ON r.id = p.exception_id
    WHERE p.state = 'running' AND (r.status = 'RESOLVED' OR r.verdict <> 'active' OR r.occurrence_count <> p.occurrence))
  OR EXISTS (SELECT 1 FROM {s}.exceptions_dryrun WHERE answered_at IS NULL)
  OR EXISTS (SELECT 1 FROM {s}.exceptions_delivery WHERE due_at <= %(now)s AND state IN ('waiting', 'sending'))"""


@dataclass(slots=True)
class Round:
    """What one round did."""

    planned: int = 0
    run: int = 0
    looked_up: int = 0
    decided: int = 0  # expectations, deliveries, plans that ended
    sent: int = 0

    @property
    def total(self) -> int:
        return self.planned + self.run + self.looked_up + self.decided + self.sent


def schemas_with_work(now: datetime) -> list[str]:
    return schemas_where(LOOK, now=now)


def work_round(desk: Desk, *, ways: Ways = WAYS, until: float | None = None) -> Round | None:
    """In the tenant's schema; until `time.monotonic()` has passed `until`. None if another worker is at it."""
    key = {"class": LOCK, "name": desk.tenant.schema_name}
    lock = raw_connection().execute("SELECT pg_try_advisory_lock(%(class)s, hashtext(%(name)s))", key).fetchone()
    if not lock or not lock[0]:
        return None
    try:
        done = work(desk, ways, until)
    finally:
        raw_connection().execute("SELECT pg_advisory_unlock(%(class)s, hashtext(%(name)s))", key)
    if done.total:
        pulse.touch(desk.tenant.schema_name)
    return done


def work(desk: Desk, ways: Ways, until: float | None) -> Round:
    """What has ended first, then what begins: so that nothing is done for what is over."""
    done = Round()
    done.decided += recover(now=desk.now()) + recover_deliveries(now=desk.now())
    done.decided += check_expectations(now=desk.now()) + end_idle(now=desk.now())
    done.planned = plan_new(now=desk.now())
    done.looked_up += answer_dry_runs(desk)
    for attempt in due_looks(now=desk.now()):
        look_up(desk, attempt)
        done.looked_up += 1
    done.run = run_due(desk, until)
    done.sent = send_due(desk.tenant.schema_name, ways=ways, now=desk.now, until=until)
    done.decided += follow_deliveries(now=desk.now())
    return done


def run_due(desk: Desk, until: float | None) -> int:
    """One that raises is left to its lease, and holds no other up."""
    run = 0
    while (until is None or time.monotonic() < until) and (attempt := claim_attempt(now=desk.now())):
        try:
            run_attempt(desk, attempt)
        except Exception:
            logger.exception("action %d of %s failed", attempt.pk, desk.tenant.schema_name)
        run += 1
    return run
