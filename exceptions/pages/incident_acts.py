"""What a person does with an incident: one action, one address. Acts on all of it go the way of acts on many (exceptions.pages.bulk)."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from e2a.pages import done, dressed, show
from exceptions.desk import bulk
from exceptions.desk.acts import WORDS
from exceptions.incidents import decisions
from exceptions.incidents.selectors import get_incident
from exceptions.incidents.telling import shared_words
from exceptions.pages.asking import asking_of_page
from exceptions.pages.bulk import form_of, show_question
from exceptions.pages.who import access_of
from exceptions.selectors import Filters
from exceptions.transitions import UNRESOLVED
from tenants.gate import member_page
from tenants.models import Scope

Decide = Callable[..., Any]
# action: what decides it, its title, what it means, what is said afterwards
DECISIONS: dict[str, tuple[Decide, str, str, str]] = {
    "confirm": (
        decisions.confirm_incident,
        "Confirm",
        "It is an incident. It keeps its exceptions, and closes by itself only when all of them are over.",
        "Confirmed.",
    ),
    "dismiss": (
        decisions.dismiss_incident,
        "Dismiss",
        "It is none: they have nothing to do with each other. More of the same within its window opens no new one.",
        "Dismissed.",
    ),
    "close": (
        decisions.close_incident,
        "Close",
        "It is dealt with. Its exceptions stay as they are; more of the same within its window opens no new one.",
        "Closed.",
    ),
    "reopen": (decisions.reopen_incident, "Reopen", "It is open again, as confirmed.", "Reopened."),
    "silence": (
        decisions.silence_incident,
        "Silence",
        "It leaves the list of the open ones, but goes on counting, until you end the silence.",
        "Silenced.",
    ),
    "unsilence": (
        decisions.unsilence_incident,
        "End the silence",
        "It is among the open ones again.",
        "No longer silent.",
    ),
}


class NoteForm(forms.Form):
    reason = forms.CharField(
        required=False,
        max_length=2000,
        label="Note",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the timeline.",
    )


class IncidentCommentForm(forms.Form):
    text = forms.CharField(
        max_length=decisions.MOST_TEXT, label="Comment", error_messages={"required": "Say something first."}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.OPERATE)
def decide(request: HttpRequest, incident_id: int, action: str) -> HttpResponse:
    act, title, meaning, sentence = DECISIONS[action]
    form = NoteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        access = access_of(request)
        act(incident_id=incident_id, actor=access.actor, now=access.now, reason=form.cleaned_data["reason"])
        return done(request, sentence, to=page_of(incident_id))
    found = get_incident(incident_id).incident
    context = {
        "form": dressed(form),
        "title": title,
        "meaning": meaning,
        "one": found,
        "shares": shared_words(found.shared),
        "address": request.path,
    }
    status = 422 if form.is_bound else 200
    return show(request, "exceptions/incident_act.html", "exceptions/_incident_act.html", context, status=status)


@require_POST
@member_page(Scope.OPERATE)
def comment(request: HttpRequest, incident_id: int) -> HttpResponse:
    access, form = access_of(request), IncidentCommentForm(request.POST)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    decisions.comment_on_incident(incident_id=incident_id, text=text, actor=access.actor, now=access.now)
    return done(request, "Your comment is in the timeline.", to=page_of(incident_id))


@require_POST
@member_page(Scope.OPERATE)
def take_out(request: HttpRequest, incident_id: int, exception_id: int) -> HttpResponse:
    access = access_of(request)
    decisions.take_out(incident_id=incident_id, exception_id=exception_id, actor=access.actor, now=access.now)
    return done(request, "Taken out; it will not be folded again.", to=page_of(incident_id))


@require_POST
@member_page(Scope.OPERATE)
def put_back(request: HttpRequest, incident_id: int, exception_id: int) -> HttpResponse:
    access = access_of(request)
    decisions.put_back(incident_id=incident_id, exception_id=exception_id, actor=access.actor, now=access.now)
    return done(request, "Put back.", to=page_of(incident_id))


@require_POST
@member_page(Scope.OPERATE)
def act_on_all(request: HttpRequest, incident_id: int, action: str) -> HttpResponse:
    """The question, with how many it is about: those of the incident that are not resolved. The desk does the rest."""
    if action not in WORDS:
        raise Http404
    get_incident(incident_id)
    asking = asking_of_page(request)
    filters = Filters(incident=incident_id, status=tuple(UNRESOLVED))
    found = bulk.ask_for_filter(action, filters, actor=asking.actor, now=asking.now)
    return show_question(request, found, form_of(action, asking, None))


def page_of(incident_id: int) -> str:
    return reverse("incident", args=[incident_id])
