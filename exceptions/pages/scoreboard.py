"""/scoreboard/: how well the rules and the AI do, what the AI costs, whether it is in use, and its switch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from e2a.errors import ProblemError
from e2a.pages import done, dressed, show
from exceptions.analyst.asking import breaker_name, provider_of_settings
from exceptions.analyst.scoreboard import Analyst, board_since, label_titles
from exceptions.analyst.standing import current_analyst, switch_current
from tenants.access import Access
from tenants.ai import breaker
from tenants.ai.budget import Spent, spent_today
from tenants.gate import member_page
from tenants.models import Scope

PERIODS = (7, 30, 90)
MODES = {"smart": "what is severe or not clear", "full": "everything", "fallback": "nothing: the rules answer all"}


@dataclass(frozen=True, slots=True)
class Matrix:
    """Truths down, labels across, in words. A cell is its count, and whether it is a right answer."""

    labels: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[int, bool]]]]


@dataclass(frozen=True, slots=True)
class Provider:
    """`trouble`: why the breaker is open; empty when it is closed."""

    model: str
    name: str
    asked_about: str
    spent: Spent
    trouble: str


class SwitchForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        label="Why?",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="It stands on the scoreboard, with your name.",
    )


@require_GET
@member_page(Scope.READ)
def scoreboard(request: HttpRequest) -> HttpResponse:
    access: Access = request.access  # type: ignore[attr-defined]
    days = days_of(request.GET.get("days", ""))
    board = board_since(access.now - timedelta(days=days))
    context = {
        "days": days,
        "periods": PERIODS,
        "analysts": board.analysts,
        "details": [(one, matrix_of(one)) for one in board.analysts if one.score.count],
        "reasons": board.reasons,
        "standing": current_analyst(),
        "provider": provider_now(access.schema),
        "may_switch": Scope.ADMIN in access.scopes,
    }
    return show(request, "exceptions/scoreboard.html", "exceptions/_scoreboard.html", context)


def days_of(asked: str) -> int:
    return int(asked) if asked in {str(days) for days in PERIODS} else PERIODS[1]


def provider_now(schema: str) -> Provider | None:
    """None where no AI is set up."""
    found = provider_of_settings()
    if found is None:
        return None
    spent = spent_today(schema, limit=settings.AI_MAX_DAILY_TOKENS, share=settings.E2A_AI_TENANT_SHARE)
    return Provider(found.model, found.name, MODES[settings.AI_MODE], spent, breaker.trouble(breaker_name(found)))


def matrix_of(analyst: Analyst) -> Matrix:
    counts: Mapping[str, Mapping[str, int]] = analyst.confusion
    labels = sorted({label for row in counts.values() for label in row})
    titles = label_titles([*labels, *counts])
    rows = [(titles[truth], [(row.get(label, 0), label == truth) for label in labels]) for truth, row in counts.items()]
    return Matrix([titles[label] for label in labels], rows)


@require_http_methods(["GET", "POST"])
@member_page(Scope.ADMIN)
def switch_analyst(request: HttpRequest, way: str) -> HttpResponse:
    """`way`: on or off."""
    access: Access = request.access  # type: ignore[attr-defined]
    back, on = reverse("scoreboard"), way == "on"
    form = SwitchForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            switch_current(on=on, actor=access.actor, reason=form.cleaned_data["reason"])
            return done(request, f"The AI analyst is {way} now.", to=back, stay=False)
        except ProblemError as refused:
            form.add_error(None, refused.detail)
    context = {"form": dressed(form), "way": way, "standing": current_analyst(), "back": back}
    status = 422 if form.is_bound else 200
    return show(request, "exceptions/switch_analyst.html", "exceptions/_switch_analyst.html", context, status=status)
