"""/policy/draft/effect/: what the draft's weights would make of the exceptions that are open now. A part of the draft's pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from exceptions.pages.who import access_of, tenant_of
from exceptions.weighing import effect_of
from tenants.gate import member_page
from tenants.models import Scope
from tenants.selectors import draft_of

MOST_SHOWN = 20


@require_safe
@member_page(Scope.READ)
def effect(request: HttpRequest) -> HttpResponse:
    draft = draft_of(tenant_of(request))
    found = effect_of(draft.policy, now=access_of(request).now) if draft and draft.policy else None
    shown = found.rows[:MOST_SHOWN] if found else []
    return render(request, "exceptions/_weights_effect.html", {"draft": draft, "effect": found, "shown": shown})
