"""The analysis on an exception's page: what the analyst says, thumbs, what it really was, another look."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from e2a.errors import Conflict, Unprocessable
from e2a.pages import done, show
from exceptions.analyst.feedback import say
from exceptions.analyst.models import Analysis, Feedback, State
from exceptions.analyst.services import analyse_again
from exceptions.analyst.standing import find_latest, latest_of
from exceptions.analyst.words import CAUSE_CHOICES, Judge
from exceptions.selectors import get_exception
from tenants.access import Access
from tenants.gate import member_page
from tenants.models import Scope


@dataclass(frozen=True, slots=True)
class Shown:
    """An analysis as the page has it. `percent`: of confidence; `mine`: what this person said of it."""

    row: Analysis
    mine: Feedback | None
    others: int

    @property
    def waits(self) -> bool:
        return self.row.state != State.DONE

    @property
    def by_ai(self) -> bool:
        return self.row.judge == Judge.AI

    @property
    def percent(self) -> int | None:
        return None if self.row.confidence is None else int(100 * self.row.confidence)


class SayForm(forms.Form):
    helpful = forms.ChoiceField(required=False, choices=[("", ""), ("yes", ""), ("no", "")])
    really = forms.ChoiceField(required=False, choices=[("", ""), *CAUSE_CHOICES])
    comment = forms.CharField(required=False, max_length=500)


def analysis_context(exception_id: int, access: Access) -> dict[str, Any]:
    """What `exceptions/_analysis.html` needs, in two queries."""
    row = find_latest(exception_id)
    shown = None
    if row is not None:
        said = list(row.feedback.order_by("pk"))
        mine = next((one for one in said if one.actor == access.actor), None)
        shown = Shown(row, mine, len(said) - (mine is not None))
    return {
        "analysis": shown,
        "exception_id": exception_id,
        "causes": CAUSE_CHOICES,
        "may_say": Scope.OPERATE in access.scopes,
    }


@require_GET
@member_page(Scope.READ)
def analysis(request: HttpRequest, exception_id: int) -> HttpResponse:
    """The panel alone, or as a page of its own."""
    access: Access = request.access  # type: ignore[attr-defined]
    found = get_exception(exception_id, now=access.now)
    context = {"record": found.record, **analysis_context(exception_id, access)}
    return show(request, "exceptions/analysis.html", "exceptions/_analysis.html", context)


@require_POST
@member_page(Scope.OPERATE)
def say_of_analysis(request: HttpRequest, exception_id: int) -> HttpResponse:
    """A thumb keeps what the same person named before, and the other way round."""
    access: Access = request.access  # type: ignore[attr-defined]
    form = SayForm(request.POST)
    if not form.is_valid():
        raise Unprocessable("Choose one of the causes that the list has.")
    row = latest_of(exception_id)
    before = row.feedback.filter(actor=access.actor).first()
    word = form.cleaned_data
    helpful = {"yes": True, "no": False}.get(word["helpful"], before.helpful if before else None)
    really = word["really"] if "really" in request.POST else (before.really if before else "")
    comment = word["comment"] or (before.comment if before else "")
    say(analysis_id=row.pk, actor=access.actor, helpful=helpful, really=really, comment=comment, now=access.now)
    return done(request, "Noted. The scoreboard counts it.", to=reverse("exception-analysis", args=[exception_id]))


@require_POST
@member_page(Scope.OPERATE)
def analyse_exception_again(request: HttpRequest, exception_id: int) -> HttpResponse:
    latest_of(exception_id)
    if not analyse_again(exception_id):
        raise Conflict("It is being analysed just now. Nothing was changed.")
    return done(request, "It is being analysed anew.", to=reverse("exception-analysis", args=[exception_id]))
