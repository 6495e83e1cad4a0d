"""/policy/simulator/: what is to be tried on which past orders, and the last runs."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from e2a.errors import NotFound
from e2a.pages import done, dressed, show
from orders.pages.acts import access_of
from orders.simulator.forms import KINDS, CalendarForm, Known, TrialForm, known_of
from orders.simulator.models import SimulationRun, SimulationStatus
from orders.simulator.runs import start_run
from tenants.gate import member_page
from tenants.models import Scope, Tenant


class NoSuchTrial(NotFound):
    """There is no such kind of simulation."""


class NoPolicy(NotFound):
    """There is no policy yet, so there is nothing to compare with."""


@require_safe
@member_page(Scope.READ)
def simulator(request: HttpRequest) -> HttpResponse:
    known = known_of(tenant_of(request))
    kind = request.GET.get("try", "")
    if kind not in KINDS:
        kind = "draft" if known is not None and known.draft is not None else "target"
    form = form_of(request, known, kind) if known is not None else None
    return shown(request, known, kind, form)


@require_POST
@member_page(Scope.OPERATE)
def start(request: HttpRequest, kind: str) -> HttpResponse:
    """Writes the row; a worker finds it within seconds."""
    if kind not in KINDS:
        raise NoSuchTrial
    known = known_of(tenant_of(request))
    if known is None:
        raise NoPolicy
    form = form_of(request, known, kind)
    if not form.is_valid():
        return shown(request, known, kind, form)
    run = start_run(
        title=form.title,
        rules=form.rules,
        draft_revision=form.draft_revision,
        by=access_of(request).actor,
        **form.period,
    )
    return done(request, "The simulation waits for a worker.", to=reverse("simulation", args=[run.pk]), stay=False)


def form_of(request: HttpRequest, known: Known, kind: str) -> TrialForm:
    _, chosen = KINDS[kind]
    given: dict[str, Any] = {"known": known, "now": access_of(request).now}
    if chosen is CalendarForm:
        given["name"] = request.POST.get("calendar") or request.GET.get("calendar", "")
    return chosen(request.POST if request.method == "POST" else None, **given)


def shown(request: HttpRequest, known: Known | None, kind: str, form: TrialForm | None) -> HttpResponse:
    runs = list(SimulationRun.objects.defer("rules", "tallies", "by_rule"))
    context = {
        "known": known,
        "kinds": [(name, title) for name, (title, _) in KINDS.items()],
        "kind": kind,
        "form": dressed(form) if form is not None else None,
        "runs": runs,
        "running": any(run.status == SimulationStatus.RUNNING for run in runs),
        "can_act": Scope.OPERATE in access_of(request).scopes,
    }
    refused = form is not None and form.is_bound
    return show(request, "orders/simulator.html", "orders/_simulator.html", context, status=422 if refused else 200)


def tenant_of(request: HttpRequest) -> Tenant:
    tenant: Tenant = request.tenant  # type: ignore[attr-defined]
    return tenant
