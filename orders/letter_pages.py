"""Pages of the dead letters: the list, one letter, an edited copy, and the replay of a filter."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from e2a.errors import Conflict, Unprocessable
from e2a.pages import done, dressed, show
from orders import letter_runs, letters
from orders.letter_forms import EditForm, LetterFilterForm
from orders.letter_lists import (
    LetterFilters,
    count_letters,
    filter_letters,
    get_letter,
    get_replay,
    list_piles,
    list_replays,
    page_letters,
)
from orders.letter_replay import REFUSED, Effect, Outcome
from orders.models import DeadLetter, DeadLetterStatus, Entrance, ReplayStatus
from tenants.access import Access
from tenants.gate import member_page
from tenants.models import Scope

PAGE_SIZE = 50
COUNTED = 10_000
SHOWN_BYTES = 100_000
REHEARSED = 500
IN_THE_REQUEST_SECONDS = 1.0
LIST, ONE = (
    ("orders/dead_letters.html", "orders/_dead_letters.html"),
    ("orders/dead_letter.html", "orders/_dead_letter.html"),
)


class StillRefused(Conflict):
    """It is still refused."""


def access_of(request: HttpRequest) -> Access:
    access: Access = request.access  # type: ignore[attr-defined]
    return access


@require_safe
@member_page(Scope.READ)
def dead_letters(request: HttpRequest) -> HttpResponse:
    piles = list_piles()
    form = filter_form(request, piles)
    filters = form.to_filters()
    page = page_letters(filters, cursor=request.GET.get("cursor", ""), size=PAGE_SIZE)
    context = {
        "form": form,
        "page": page,
        "piles": piles,
        "waiting": sum(pile.letters for pile in piles),
        "status": filters.status[0],
        "statuses": DeadLetterStatus.choices,
        "filtered": filters != LetterFilters(status=filters.status),
        "matched": count_letters(filters, at_most=COUNTED),
        "counted": COUNTED,
        "replays": [replay for replay in list_replays() if replay.status == ReplayStatus.RUNNING],
        "scopes": access_of(request).scopes,
    }
    return show(request, *LIST, context, status=200 if form.is_valid() else 422)


def filter_form(request: HttpRequest, piles: Any) -> LetterFilterForm:
    data = request.POST if request.method == "POST" else request.GET
    form = LetterFilterForm(data, sources={pile.source for pile in piles}, reasons={pile.reason for pile in piles})
    form.is_valid()
    return form


@require_safe
@member_page(Scope.READ)
def dead_letter(request: HttpRequest, letter_id: int) -> HttpResponse:
    return show(request, *ONE, context_of(request, get_letter(letter_id)))


def context_of(request: HttpRequest, letter: DeadLetter) -> dict[str, Any]:
    body = bytes(letter.body)
    return {
        "letter": letter,
        "text": shown(body),
        "cut": len(body) > SHOWN_BYTES,
        "size": len(body),
        "edits": list(letter.edits.order_by("pk").values_list("pk", flat=True)),
        "scopes": access_of(request).scopes,
    }


def shown(body: bytes) -> str:
    """The raw body as text; bytes that are no UTF-8 show as replacement marks."""
    return body[:SHOWN_BYTES].decode("utf-8", "replace")


@require_safe
@member_page(Scope.READ)
def body_file(request: HttpRequest, letter_id: int) -> HttpResponse:
    """The raw bytes as a file, never as a page of ours."""
    letter = get_letter(letter_id)
    headers = {
        "Content-Disposition": f'attachment; filename="dead-letter-{letter.pk}.bin"',
        "Cache-Control": "no-store",
    }
    return HttpResponse(bytes(letter.body), content_type="application/octet-stream", headers=headers)


@require_POST
@member_page(Scope.OPERATE)
def replay(request: HttpRequest, letter_id: int) -> HttpResponse:
    """Raises: StillRefused with why."""
    access = access_of(request)
    outcome, effects = letters.replay_letter(access.schema, letter_id, actor=access.actor)
    return answer(request, outcome, effects)


def answer(request: HttpRequest, outcome: Outcome, effects: list[Effect], *, stay: bool = True) -> HttpResponse:
    if not outcome.accepted:
        raise StillRefused(
            outcome.sentence,
            errors={key: [f"{key}: {text}" for text in texts] for key, texts in outcome.errors.items()},
        )
    to = reverse("dead-letter", args=[outcome.letter])
    opened = "".join(f" {each.reason} of {each.order_id} {each.effect.replace('_', ' ')}." for each in effects[:3])
    return done(request, f"Replayed: {outcome.sentence.removesuffix('.')}.{opened}", to=to, stay=stay)


@require_POST
@member_page(Scope.OPERATE)
def rehearse(request: HttpRequest, letter_id: int) -> HttpResponse:
    """What a replay would do, as a part of the page."""
    access = access_of(request)
    outcome, effects = letters.replay_letter(access.schema, letter_id, actor=access.actor, dry_run=True)
    return told(request, outcome, effects)


def told(request: HttpRequest, outcome: Outcome, effects: list[Effect]) -> HttpResponse:
    return show(request, "orders/rehearsed.html", "orders/_rehearsed.html", {"outcome": outcome, "effects": effects})


@require_POST
@member_page(Scope.OPERATE)
def discard(request: HttpRequest, letter_id: int) -> HttpResponse:
    access = access_of(request)
    letter = letters.discard_letter(letter_id, actor=access.actor, now=access.now)
    return done(request, "Discarded. It can be put back from its page.", to=reverse("dead-letter", args=[letter.pk]))


@require_POST
@member_page(Scope.OPERATE)
def restore(request: HttpRequest, letter_id: int) -> HttpResponse:
    letter = letters.restore_letter(letter_id)
    return done(request, "Put back: it waits again.", to=reverse("dead-letter", args=[letter.pk]))


@require_safe
@member_page(Scope.OPERATE)
def edit(request: HttpRequest, letter_id: int) -> HttpResponse:
    letter = get_letter(letter_id)
    headers = "\n".join(f"{name}: {value}" for name, value in letter.headers.items())
    form = EditForm(initial={"body": bytes(letter.body).decode("utf-8", "replace"), "headers": headers})
    return show_edit(request, letter, form)


def show_edit(request: HttpRequest, letter: DeadLetter, form: EditForm, outcome: Outcome | None = None) -> HttpResponse:
    if letter.entrance != Entrance.WEBHOOK:
        del form.fields["headers"]
    context = {"letter": letter, "form": dressed(form), "outcome": outcome}
    page, part = "orders/dead_letter_edit.html", "orders/_dead_letter_edit.html"
    return show(request, page, part, context, status=422 if outcome else 200)


@require_POST
@member_page(Scope.OPERATE)
def edit_check(request: HttpRequest, letter_id: int) -> HttpResponse:
    """What the edited copy would do, as a part of the page."""
    return told(request, *edited(request, EditForm(request.POST), letter_id, dry_run=True))


@require_POST
@member_page(Scope.OPERATE)
def edit_replay(request: HttpRequest, letter_id: int) -> HttpResponse:
    form = EditForm(request.POST)
    outcome, effects = edited(request, form, letter_id, dry_run=False)
    if not outcome.accepted:
        return show_edit(request, get_letter(letter_id), form, outcome)
    return answer(request, outcome, effects, stay=False)


def edited(request: HttpRequest, form: EditForm, letter_id: int, *, dry_run: bool) -> tuple[Outcome, list[Effect]]:
    """What is wrong with the form itself comes as a refusal too."""
    if not form.is_valid():
        errors = {name: [str(text) for text in texts] for name, texts in form.errors.items()}
        return Outcome(letter_id, REFUSED, errors=errors), []
    data, access = form.cleaned_data, access_of(request)
    headers = data["headers"] if "headers" in request.POST else None
    try:
        return letters.replay_edited(
            access.schema, letter_id, body=data["body"], headers=headers, actor=access.actor, dry_run=dry_run
        )
    except Unprocessable as refusal:
        return Outcome(letter_id, REFUSED, errors=refusal.errors), []


@require_safe
@member_page(Scope.ADMIN)
def replay_filter(request: HttpRequest) -> HttpResponse:
    """Before all letters of a filter are replayed: what that would do, from doing it and taking it back."""
    form = filter_form(request, list_piles())
    if not form.is_valid():
        return redirect("dead-letters")
    found = letter_runs.rehearse(access_of(request).schema, form.to_filters(), at_most=REHEARSED)
    refused = [each for each in found.outcomes if not each.accepted]
    context = {
        "found": found,
        "counts": in_words(found.counts),
        "rehearsed": len(found.outcomes),
        "refused": refused[:50],
        "accepted": len(found.outcomes) - len(refused),
        "more_refused": max(0, len(refused) - 50),
        "chosen": [(name, value) for name, value in request.GET.items() if name in form.fields and value],
    }
    return show(request, "orders/replay_filter.html", "orders/_replay_filter.html", context)


@require_POST
@member_page(Scope.ADMIN)
def replay_filter_start(request: HttpRequest) -> HttpResponse:
    """Begins at once and goes on in the background; the page says how far it is."""
    form = filter_form(request, list_piles())
    if not form.is_valid():
        raise Conflict("The filter cannot be read; choose it again in the list.")
    filters, access = form.to_filters(), access_of(request)
    if not filter_letters(filters).exists():
        raise Conflict("No letter of this filter waits any more.")
    asked = letter_runs.start_replay(filters, actor=access.actor)
    letter_runs.run_replay(access.schema, asked.pk, seconds=IN_THE_REQUEST_SECONDS)
    return done(request, "The replay has begun.", to=reverse("letter-replay", args=[asked.pk]), stay=False)


@require_safe
@member_page(Scope.READ)
def letter_replay(request: HttpRequest, replay_id: int) -> HttpResponse:
    found = get_replay(replay_id)
    context = {"replay": found, "counts": in_words(found.counts), "scopes": access_of(request).scopes}
    return show(request, "orders/letter_replay.html", "orders/_letter_replay.html", context)


@require_POST
@member_page(Scope.ADMIN)
def letter_replay_stop(request: HttpRequest, replay_id: int) -> HttpResponse:
    found = get_replay(replay_id)
    if not letter_runs.stop_replay(found.pk, now=access_of(request).now):
        raise Conflict("This replay has ended already.")
    return done(
        request, "Stopped. The letters not reached go on waiting.", to=reverse("letter-replay", args=[found.pk])
    )


def in_words(counts: dict[str, int]) -> list[tuple[str, int]]:
    return [(name.replace("_", " "), number) for name, number in counts.items()]
