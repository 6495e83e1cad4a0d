"""Dry runs: the exact call of an action, its cost and whether it can be undone. Nothing is called but what only reads.

A request asks and a worker answers, since no request waits for a shop; what needs no shop is answered at once.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction

from e2a.pulse import pulse
from exceptions.errors import NoSuchException
from exceptions.models import ExceptionRecord
from exceptions.playbooks.catalogue import ACTION_KINDS
from exceptions.playbooks.channels import channel_of
from exceptions.playbooks.channels.calls import NotPossible, Tools, Work
from exceptions.playbooks.decisions import check_parameters, checked_kind
from exceptions.playbooks.executor import Desk
from exceptions.playbooks.models import DryRun
from exceptions.playbooks.subject import subject_of
from tenants.clients.errors import CallError
from tenants.models import Tenant

KEY = "0" * 32
CHUNK = 20
MOST_KEPT = 10  # of an exception


def ask_dry_run(
    *, tenant: Tenant, exception_id: int, kind: str, parameters: Mapping[str, Any], actor: str, now: datetime
) -> DryRun:
    """Raises: NoSuchException, WrongAction."""
    action = checked_kind(kind)
    check_parameters(action, parameters)
    if not ExceptionRecord.objects.filter(pk=exception_id).exists():
        raise NoSuchException
    asked = DryRun.objects.create(
        exception_id=exception_id, kind=kind, parameters=dict(parameters), actor=actor, asked_at=now
    )
    kept = DryRun.objects.filter(exception_id=exception_id).order_by("-pk").values_list("pk", flat=True)[:MOST_KEPT]
    DryRun.objects.filter(exception_id=exception_id).exclude(pk__in=list(kept)).delete()
    if action.channel != "shopify":
        answer(tenant, asked, Tools(), now)
        asked.refresh_from_db()
    schema: str = connection.schema_name  # type: ignore[attr-defined]
    transaction.on_commit(partial(pulse.touch, schema))
    return asked


def answer_dry_runs(desk: Desk) -> int:
    waiting = list(DryRun.objects.filter(answered_at__isnull=True).order_by("pk")[:CHUNK])
    for asked in waiting:
        answer(desk.tenant, asked, desk.tools, desk.now())
    return len(waiting)


def answer(tenant: Tenant, asked: DryRun, tools: Tools, now: datetime) -> None:
    record = ExceptionRecord.objects.select_related("order").get(pk=asked.exception_id)
    action = ACTION_KINDS[asked.kind]
    work = Work(subject_of(tenant, record), action, asked.parameters, KEY, asked.actor, now)
    columns: dict[str, Any] = {"answered_at": now, "undo": action.undo}
    try:
        prepared = channel_of(action).prepare(work, tools)
        columns |= {
            "possible": True,
            "request": prepared.request,
            "cost": prepared.cost,
            "undo": prepared.undo,
            "money_cents": prepared.money_cents,
            "currency": prepared.currency,
        }
    except (NotPossible, CallError) as error:
        columns |= {"possible": False, "outcome": error.sentence[:500]}
    DryRun.objects.filter(pk=asked.pk, answered_at__isnull=True).update(**columns)
