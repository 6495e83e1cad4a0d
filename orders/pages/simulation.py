"""/policy/simulator/ID/: how far a simulation is, what it found, which orders change sides; and putting it in force."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_tenants.utils import schema_context

from e2a.heartbeat import ages
from e2a.pages import done, dressed, show
from e2a.spreadsheets import csv_text
from orders.pages.acts import access_of
from orders.pages.simulator import tenant_of
from orders.selectors import STAGE_NAMES
from orders.simulator.forms import PublishForm
from orders.simulator.models import SimulationCrossing, SimulationRun, SimulationStatus
from orders.simulator.runs import cancel_run, get_run, put_in_force
from orders.simulator.tallies import effects_of, rows_of
from tenants.gate import member_page
from tenants.models import Scope
from tenants.pages.listing import page_of
from tenants.policy_words import STAGE_WORDS

PART = 2_000  # rows of a file that are read at once
SILENT_SECONDS = 60  # since when a worker is missed
HEADER = ("order_id", "merchant", "stage", "late_now", "late_then", "due_now", "due_then", "rule_now", "rule_then")
FILTER_NAMES = ("stage", "side", "rule")
SIDES = {"late": True, "saved": False}


@require_safe
@member_page(Scope.READ)
def simulation(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_run(run_id)
    chosen = {name: request.GET.get(name, "") for name in FILTER_NAMES}
    given = {name: value for name, value in chosen.items() if value}
    effects = effects_of(run.by_rule)
    address = reverse("simulation-csv", args=[run.pk])
    context = {
        "run": run,
        "rows": rows_of(run.tallies) if run.orders else [],
        "effects": effects,
        "page": page_of(request, chosen_crossings(run, request.GET)),
        "chosen": chosen,
        "filtered": bool(given),
        "file_address": address + (f"?{urlencode(given)}" if given else ""),
        "stages": [(name, STAGE_WORDS[name]) for name in STAGE_NAMES],
        "rules": sorted({effect.rule for effect in effects if effect.rule}),
        "silent": waits_in_vain(run),
        "scopes": access_of(request).scopes,
    }
    return show(request, "orders/simulation.html", "orders/_simulation.html", context)


def waits_in_vain(run: SimulationRun) -> bool:
    """Whether it runs, nobody holds it, and no worker has been heard of for a while."""
    if run.status != SimulationStatus.RUNNING or run.leased_until is not None:
        return False
    with connection.cursor() as cursor:
        return ages(cursor).get("worker", SILENT_SECONDS) >= SILENT_SECONDS


def chosen_crossings(run: SimulationRun, query: QueryDict) -> QuerySet[SimulationCrossing]:
    """A value that is none of the list finds nothing."""
    rows = run.crossings.order_by("pk")
    if stage := query.get("stage"):
        rows = rows.filter(stage=stage.replace("\0", ""))
    if side := query.get("side"):
        rows = rows.filter(late_then=SIDES[side]) if side in SIDES else rows.none()
    if rule := query.get("rule"):
        rows = rows.filter(rule_then=rule.replace("\0", ""))
    return rows


@require_safe
@member_page(Scope.READ)  # type: ignore[arg-type]  # the gate passes a stream on as it is
def crossings_csv(request: HttpRequest, run_id: int) -> StreamingHttpResponse:
    """The orders of the filter that change sides."""
    lines = stream(chosen_crossings(get_run(run_id), request.GET), access_of(request).schema)
    headers = {"Content-Disposition": f'attachment; filename="simulation-{run_id}.csv"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def stream(rows: QuerySet[SimulationCrossing], schema: str) -> Iterator[str]:
    """Runs after the view has returned, when the connection has left the tenant: each part enters it anew."""
    yield csv_text([HEADER])
    after = 0
    while True:
        with schema_context(schema):
            part = list(rows.filter(pk__gt=after)[:PART])
        if not part:
            return
        yield csv_text([cells_of(each) for each in part])
        after = part[-1].pk


def cells_of(each: SimulationCrossing) -> list[object]:
    late = [str(not each.late_then).lower(), str(each.late_then).lower()]
    return [
        each.order_ref,
        each.merchant,
        each.stage,
        *late,
        each.due_now,
        each.due_then,
        each.rule_now,
        each.rule_then,
    ]


@require_POST
@member_page(Scope.OPERATE)
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_run(run_id)
    cancel_run(run.pk)
    return done(request, "Cancelled. What it found so far stays.", to=reverse("simulation", args=[run.pk]))


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def publish(request: HttpRequest, run_id: int) -> HttpResponse:
    """Puts in force what was tried, through the policy's own service."""
    run, posted = get_run(run_id), request.method == "POST"
    form = PublishForm(request.POST if posted else None)
    if posted and form.is_valid():
        try:
            policy = put_in_force(
                tenant=tenant_of(request), pk=run.pk, by=request.user.get_username(), **form.cleaned_data
            )
        except ValidationError as wrong:
            for name, texts in wrong.message_dict.items():
                form.add_error(name if name in form.fields else None, texts)
        else:
            return done(
                request,
                f"It is version {policy.version} of the policy.",
                to=reverse("simulation", args=[run.pk]),
                stay=False,
            )
    context = {"form": dressed(form), "run": run, "address": request.path}
    status = 422 if form.is_bound else 200
    return show(request, "orders/simulation_publish.html", "orders/_simulation_publish.html", context, status=status)
