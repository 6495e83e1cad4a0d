"""What a person does with one exception: one action, one address. Forms come as a page, or for htmx into the dialog."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse

from e2a.errors import Unprocessable
from e2a.pages import done, dressed, show
from exceptions import services
from exceptions.analyst.words import CAUSE_CHOICES
from exceptions.api.asking import Asking
from exceptions.models import ExceptionRecord
from exceptions.pages.asking import asking_of_page
from exceptions.selectors import get_exception, members_of
from exceptions.transitions import LONGEST_SNOOZE, RESOLUTION_CHOICES
from tenants.gate import View, member_page
from tenants.models import Scope, User

SNOOZES = {"1": "1 hour", "4": "4 hours", "24": "1 day", "72": "3 days", "168": "1 week"}


class ResolveForm(forms.Form):
    title = "Resolve"
    resolution = forms.ChoiceField(choices=RESOLUTION_CHOICES, label="How it ended")
    label = forms.ChoiceField(
        choices=[("", "Not said"), *CAUSE_CHOICES],
        required=False,
        label="What it really was",
        help_text="The scoreboard measures the analysis by it.",
    )
    reason = forms.CharField(
        required=False,
        max_length=2000,
        label="Note",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the timeline.",
    )


class AssignForm(forms.Form):
    """`members`: who may be chosen."""

    title = "Assign"
    assignee = forms.ChoiceField(required=False, label="To whom")
    reason = forms.CharField(required=False, max_length=2000, label="Note")

    def __init__(self, *args: Any, members: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Nobody"), *((str(member.pk), member.get_full_name() or member.username) for member in members)]
        self.fields["assignee"] = forms.ChoiceField(choices=choices, required=False, label="To whom")


class SnoozeForm(forms.Form):
    title = "Snooze"
    hours = forms.ChoiceField(choices=list(SNOOZES.items()), required=False, label="For how long")
    until = forms.DateTimeField(
        required=False,
        label="Or until",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=f"In your team's time zone, at most {LONGEST_SNOOZE.days} days ahead.",
        error_messages={"invalid": "Not a time: choose a day and an hour."},
    )
    reason = forms.CharField(required=False, max_length=2000, label="Note")


class CommentForm(forms.Form):
    title = "Comment"
    text = forms.CharField(
        max_length=10_000,
        label="Comment",
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
        help_text="@ and the name of a member tells that person.",
        error_messages={"required": "Say something first."},
    )


def posted(view: View) -> View:
    """For an act without a form: by POST only, for those who may operate."""

    @member_page(Scope.OPERATE)
    def act(request: HttpRequest, exception_id: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return view(request, exception_id)

    return act


@posted
def acknowledge(request: HttpRequest, exception_id: int) -> HttpResponse:
    asking = asking_of_page(request)
    services.acknowledge_exception(exception_id=exception_id, actor=asking.actor, now=asking.now)
    return acted(request, exception_id, "Acknowledged.")


@posted
def start(request: HttpRequest, exception_id: int) -> HttpResponse:
    asking = asking_of_page(request)
    services.start_exception(exception_id=exception_id, actor=asking.actor, now=asking.now)
    return acted(request, exception_id, "In progress.")


@posted
def take(request: HttpRequest, exception_id: int) -> HttpResponse:
    asking = asking_of_page(request)
    user = asking.member("me")
    services.take_exception(
        exception_id=exception_id, assignee_id=user.pk, name=user.username, actor=asking.actor, now=asking.now
    )
    return acted(request, exception_id, "It is yours.")


@posted
def wake(request: HttpRequest, exception_id: int) -> HttpResponse:
    asking = asking_of_page(request)
    services.snooze_exception(exception_id=exception_id, until=None, actor=asking.actor, now=asking.now)
    return acted(request, exception_id, "The snooze has ended.")


@posted
def reopen(request: HttpRequest, exception_id: int) -> HttpResponse:
    asking = asking_of_page(request)
    services.reopen_exception(exception_id=exception_id, actor=asking.actor, now=asking.now)
    return acted(request, exception_id, "Reopened.")


@member_page(Scope.OPERATE)
def resolve(request: HttpRequest, exception_id: int) -> HttpResponse:
    asking = asking_of_page(request)
    form = ResolveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.resolve_exception(
            exception_id=exception_id, actor=asking.actor, now=asking.now, **strings(form.cleaned_data)
        )
        return acted(request, exception_id, "Resolved.")
    return ask(request, asking, exception_id, form)


@member_page(Scope.OPERATE)
def assign(request: HttpRequest, exception_id: int) -> HttpResponse:
    asking = asking_of_page(request)
    members = members_of(asking.schema)
    form = AssignForm(request.POST or None, members=members)
    if request.method == "POST" and form.is_valid():
        chosen = next((member for member in members if str(member.pk) == form.cleaned_data["assignee"]), None)
        services.assign_exception(
            exception_id=exception_id,
            assignee_id=chosen.pk if chosen else None,
            name=chosen.username if chosen else "",
            actor=asking.actor,
            now=asking.now,
            reason=form.cleaned_data["reason"],
        )
        return acted(request, exception_id, f"Assigned to {chosen.username if chosen else 'nobody'}.")
    return ask(request, asking, exception_id, form)


@member_page(Scope.OPERATE)
def snooze(request: HttpRequest, exception_id: int) -> HttpResponse:
    asking = asking_of_page(request)
    form = SnoozeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        hours = int(form.cleaned_data["hours"] or 1)
        until = form.cleaned_data["until"] or asking.now + timedelta(hours=hours)
        try:
            services.snooze_exception(
                exception_id=exception_id,
                until=until,
                actor=asking.actor,
                now=asking.now,
                reason=form.cleaned_data["reason"],
            )
            return acted(request, exception_id, "Snoozed.")
        except Unprocessable as error:
            form.add_error("until", error.errors["until"])
    return ask(request, asking, exception_id, form)


@member_page(Scope.OPERATE)
def comment(request: HttpRequest, exception_id: int) -> HttpResponse:
    asking = asking_of_page(request)
    form = CommentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.comment_on_exception(
                exception_id=exception_id, actor=asking.actor, now=asking.now, **strings(form.cleaned_data)
            )
            return acted(request, exception_id, "Your comment is in the timeline.")
        except Unprocessable as error:
            form.add_error("text", error.errors["text"])
    if request.method == "POST" and beside_field(request):
        return render(request, "exceptions/_comment_trouble.html", {"form": form}, status=422)
    return ask(request, asking, exception_id, form)


def beside_field(request: HttpRequest) -> bool:
    """Whether the comment comes from the field under the timeline, which shows only what is wrong."""
    htmx: Any = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and htmx.target == "comment-trouble"


def strings(data: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in data.items()}


def acted(request: HttpRequest, exception_id: int, sentence: str) -> HttpResponse:
    return done(request, sentence, to=reverse("exception", args=[exception_id]))


def ask(request: HttpRequest, asking: Asking, exception_id: int, form: forms.Form) -> HttpResponse:
    """The form, with its error sentences once it was sent."""
    record: ExceptionRecord = get_exception(exception_id, now=asking.now).record
    context = {"form": dressed(form), "record": record, "title": form.title, "address": request.path}  # type: ignore[attr-defined]
    status = 422 if form.is_bound else 200
    return show(request, "exceptions/act.html", "exceptions/_act.html", context, status=status)
