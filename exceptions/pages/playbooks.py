"""/playbooks/: what is done about each reason, edited step by step; every change is a new version."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from e2a.errors import NotFound
from e2a.pages import done, dressed, show
from exceptions.choices import Reason
from exceptions.pages.action_forms import StepForm
from exceptions.pages.step_words import tell_step
from exceptions.pages.who import access_of, tenant_of
from exceptions.playbooks.catalogue import ACTION_KINDS
from exceptions.playbooks.decisions import checked_kind
from exceptions.playbooks.defaults import Targets, default_playbooks
from exceptions.playbooks.errors import NoSuchPlaybook
from exceptions.playbooks.library import (
    WrongPlaybook,
    install_defaults,
    newest,
    save_playbook,
    switch_playbook,
)
from exceptions.playbooks.models import Playbook
from exceptions.playbooks.selectors import outcomes, shelves, versions_of
from exceptions.playbooks.steps import steps_from_json
from exceptions.playbooks.words import Mode
from tenants.gate import member_page
from tenants.models import Scope

Steps = list[dict[str, Any]]
OURS = default_playbooks(Targets()).keys()


class NoSuchReason(NotFound):
    """There is no such reason."""


class NoSuchStep(NotFound):
    """This step is not there any more; look at the newest version."""


@require_safe
@member_page(Scope.READ)
def playbooks(request: HttpRequest) -> HttpResponse:
    found = shelves()
    rows = [(shelf, told(shelf.playbook) if shelf.playbook else []) for shelf in found]
    context = {
        "rows": rows,
        "outcomes": outcomes(now=access_of(request).now),
        "can_edit": Scope.ADMIN in access_of(request).scopes,
        "some_missing": any(shelf.playbook is None for shelf in found if shelf.reason in OURS),
    }
    return show(request, "exceptions/playbooks.html", "exceptions/_playbooks.html", context)


def told(book: Playbook) -> list[Any]:
    return [tell_step(place, step) for place, step in enumerate(steps_from_json(book.steps))]


def reason_of(reason_code: str) -> Reason:
    """Raises: NoSuchReason."""
    if reason_code not in Reason.values:
        raise NoSuchReason
    return Reason(reason_code)


@require_safe
@member_page(Scope.READ)
def playbook(request: HttpRequest, reason_code: str) -> HttpResponse:
    reason, book = reason_of(reason_code), newest(reason_code)
    context = {
        "reason": reason,
        "book": book,
        "steps": told(book) if book else [],
        "versions": versions_of(reason_code)[:20],
        "modes": Mode.choices,
        "kinds": ACTION_KINDS.values(),
        "can_edit": Scope.ADMIN in access_of(request).scopes,
    }
    return show(request, "exceptions/playbook.html", "exceptions/_playbook.html", context)


@require_POST
@member_page(Scope.ADMIN)
def install(request: HttpRequest) -> HttpResponse:
    made = install_defaults(tenant=tenant_of(request), actor=access_of(request).actor, now=access_of(request).now)
    return done(request, f"{len(made)} playbooks installed.", to=reverse("playbooks"))


@require_POST
@member_page(Scope.ADMIN)
def switch(request: HttpRequest, reason_code: str) -> HttpResponse:
    enabled = request.POST.get("enabled") == "1"
    access = access_of(request)
    switch_playbook(
        tenant=tenant_of(request), reason_code=reason_code, enabled=enabled, actor=access.actor, now=access.now
    )
    return done(request, "Switched on." if enabled else "Switched off.", to=page_of(reason_code))


def page_of(reason_code: str) -> str:
    return reverse("playbook", args=[reason_code])


@require_safe
@member_page(Scope.ADMIN)
def choose_step(request: HttpRequest, reason_code: str) -> HttpResponse:
    context = {"reason": reason_of(reason_code), "kinds": ACTION_KINDS.values(), "back": page_of(reason_code)}
    return render(request, "exceptions/step_kinds.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def new_step(request: HttpRequest, reason_code: str, kind: str) -> HttpResponse:
    """Comes last; moved afterwards."""
    reason, action, book = reason_of(reason_code), checked_kind(kind), newest(reason_code)
    form = StepForm(request.POST if request.method == "POST" else None, kind=action, tenant=tenant_of(request))
    if request.method == "POST" and form.is_valid():
        steps: Steps = [*(book.steps if book else []), form.step()]
        if saved(request, reason, book, steps, "Step added", form, len(steps) - 1):
            return done(request, "Step added.", to=page_of(reason_code), stay=False)
    return show_step(request, form, reason, f"Add: {action.title}", "Add it")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def edit_step(request: HttpRequest, reason_code: str, place: int) -> HttpResponse:
    reason, book = reason_of(reason_code), existing(reason_code)
    step = steps_from_json([step_at(book, place)])[0]
    form = StepForm(
        request.POST if request.method == "POST" else None, kind=step.action, tenant=tenant_of(request), step=step
    )
    if request.method == "POST" and form.is_valid():
        edited = form.step()
        edited["parameters"] = {**hidden_parameters(step.parameters, form), **edited["parameters"]}
        steps: Steps = [*book.steps[:place], edited, *book.steps[place + 1 :]]
        if saved(request, reason, book, steps, f"Step {place + 1} edited", form, place):
            return done(request, "Saved.", to=page_of(reason_code), stay=False)
    return show_step(request, form, reason, f"Step {place + 1}: {step.action.title}", "Save")


def hidden_parameters(parameters: Any, form: StepForm) -> dict[str, Any]:
    """What the form does not ask for stays."""
    asked = {parameter.name for parameter in form.kind.parameters if not parameter.at_run}
    return {name: value for name, value in parameters.items() if name not in asked}


def show_step(request: HttpRequest, form: StepForm, reason: Reason, title: str, verb: str) -> HttpResponse:
    book = newest(reason.value)
    context = {
        "form": dressed(form),
        "reason": reason,
        "title": title,
        "verb": verb,
        "back": page_of(reason.value),
        "version": book.version if book else 0,
    }
    status = 422 if form.is_bound else 200
    return show(request, "exceptions/step.html", "exceptions/_step.html", context, status=status)


def saved(
    request: HttpRequest, reason: Reason, book: Playbook | None, steps: Steps, note: str, form: StepForm, place: int
) -> bool:
    """Whether the new version could be kept; else the form says why."""
    try:
        save(request, reason, book, steps, note)
    except WrongPlaybook as wrong:
        form.blame({key.removeprefix(f"steps.{place}."): texts for key, texts in wrong.errors.items()})
        return False
    return True


def save(request: HttpRequest, reason: Reason, book: Playbook | None, steps: Sequence[Any], note: str) -> None:
    """Based on the version that the page showed. Raises: WrongPlaybook, Overtaken."""
    access, shown = access_of(request), request.POST.get("version", "")
    save_playbook(
        tenant=tenant_of(request),
        reason_code=reason.value,
        name=book.name if book else reason.value.lower().replace("_", "-"),
        steps=list(steps),
        enabled=book.enabled if book else True,
        actor=access.actor,
        now=access.now,
        note=note,
        based_on=int(shown) if shown.isascii() and shown.isdigit() else (book.version if book else 0),
    )


def existing(reason_code: str) -> Playbook:
    """Raises: NoSuchPlaybook."""
    book = newest(reason_code)
    if book is None:
        raise NoSuchPlaybook
    return book


def step_at(book: Playbook, place: int) -> dict[str, Any]:
    """Raises: NoSuchStep."""
    if not 0 <= place < len(book.steps):
        raise NoSuchStep
    found: dict[str, Any] = book.steps[place]
    return found


def changing(make: Callable[[Steps, int, HttpRequest], Steps], note: str, sentence: str) -> Callable[..., HttpResponse]:
    """A view of an act on one step."""

    @require_POST
    @member_page(Scope.ADMIN)
    def view(request: HttpRequest, reason_code: str, place: int) -> HttpResponse:
        reason, book = reason_of(reason_code), existing(reason_code)
        step_at(book, place)
        save(request, reason, book, make(list(book.steps), place, request), note.format(place + 1))
        return done(request, sentence, to=page_of(reason_code))

    return view


def moved(steps: Steps, place: int, request: HttpRequest) -> Steps:
    """Earlier by one."""
    other = max(0, place - 1)
    steps[place], steps[other] = steps[other], steps[place]
    return steps


def without(steps: Steps, place: int, request: HttpRequest) -> Steps:
    return steps[:place] + steps[place + 1 :]


def in_mode(steps: Steps, place: int, request: HttpRequest) -> Steps:
    steps[place] = {**steps[place], "mode": request.POST.get("mode", "")}
    return steps


move_step = changing(moved, "Step {} moved", "Moved.")
remove_step = changing(without, "Step {} removed", "Removed.")
set_mode = changing(in_mode, "Step {} set otherwise", "Saved.")


@require_POST
@member_page(Scope.ADMIN)
def restore(request: HttpRequest, reason_code: str, version: int) -> HttpResponse:
    """An older version becomes the newest."""
    reason, book = reason_of(reason_code), existing(reason_code)
    old = Playbook.objects.filter(reason_code=reason_code, version=version).first()
    if old is None:
        raise NoSuchPlaybook
    save(request, reason, book, old.steps, f"As in version {version}")
    return done(request, f"Version {version} is in force again.", to=page_of(reason_code))
