"""/inbox/: what a person was told on the page, and the bell that counts what is unread."""

from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from e2a.errors import NotFound
from e2a.pages import done, show, wants_part
from exceptions.notifications import services
from exceptions.notifications.letters import Line, line_of
from exceptions.notifications.models import Notification
from exceptions.notifications.selectors import (
    MOST_COUNTED,
    count_unread,
    find_notification,
    members_like,
    page_inbox,
)
from exceptions.notifications.words import Matter
from exceptions.pages.who import access_of
from tenants.gate import member_page
from tenants.models import Scope, User

PAGE_SIZE = 50
EXCERPT = 200
ICONS = {
    Matter.ASSIGNED: "user",
    Matter.MENTIONED: "message-square",
    Matter.ESCALATED: "siren",
    Matter.BREACHED: "triangle-alert",
    Matter.OVER: "circle-check",
    Matter.WOKEN: "alarm-clock",
    Matter.DIGEST: "scroll-text",
}


class NoSuchNotification(NotFound):
    """There is no notification of yours with this id."""


@dataclass(frozen=True, slots=True)
class Item:
    row: Notification
    icon: str
    line: Line
    said: str  # the comment that mentions, in short


def user_of(request: HttpRequest) -> User:
    return cast(User, request.user)


@require_GET
@member_page(Scope.READ)
def inbox(request: HttpRequest) -> HttpResponse:
    unread = request.GET.get("show") != "all"
    page = page_inbox(user_of(request).pk, unread=unread, before=number_of(request.GET.get("before")), size=PAGE_SIZE)
    context = {
        "items": [item_of(row) for row in page.rows],
        "before": page.before,
        "unread": unread,
        "newest": page.rows[0].pk if page.rows else 0,
        "any_unread": any(row.read_at is None for row in page.rows),
    }
    return show(request, "exceptions/inbox.html", "exceptions/_inbox.html", context)


def item_of(row: Notification) -> Item:
    said = row.entry.reason if row.matter == Matter.MENTIONED and row.entry else ""
    return Item(row, ICONS[Matter(row.matter)], line_of(row), said[:EXCERPT] + ("…" if len(said) > EXCERPT else ""))


def number_of(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


@require_GET
@member_page(Scope.READ)
def bell(request: HttpRequest) -> HttpResponse:
    """The part that each page loads, and loads anew when something may have changed."""
    count = count_unread(user_of(request).pk)
    shown = f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count)
    response = render(request, "exceptions/_bell.html", {"count": count, "shown": shown})
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@member_page(Scope.READ)
def open_notification(request: HttpRequest, notification_id: int) -> HttpResponse:
    """Marks it read and leads to what it is about."""
    found = find_notification(user_of(request).pk, notification_id)
    if found is None:
        raise NoSuchNotification
    services.mark_read(user_id=user_of(request).pk, ids=[found.pk], now=access_of(request).now)
    to = reverse("exception", args=[found.exception_id]) if found.exception_id else reverse("exceptions")
    if wants_part(request):
        return HttpResponse(status=204, headers={"HX-Redirect": to})
    return HttpResponseRedirect(to)


@require_POST
@member_page(Scope.READ)
def read(request: HttpRequest, notification_id: int) -> HttpResponse:
    if find_notification(user_of(request).pk, notification_id) is None:
        raise NoSuchNotification
    services.mark_read(user_id=user_of(request).pk, ids=[notification_id], now=access_of(request).now)
    return done(request, "Read.", to=reverse("inbox"))


@require_POST
@member_page(Scope.READ)
def read_all(request: HttpRequest) -> HttpResponse:
    """Up to the newest that the page showed."""
    through = number_of(request.POST.get("through")) or 0
    count = services.mark_all_read(user_id=user_of(request).pk, through=through, now=access_of(request).now)
    return done(request, f"{count} marked read." if count else "All were read already.", to=reverse("inbox"))


@require_GET
@member_page(Scope.READ)
def people(request: HttpRequest) -> HttpResponse:
    """Names for a field that completes @mentions."""
    found = members_like(request.GET.get("q", "")[:150].replace("\0", ""))
    rows = [{"name": user.username, "full": user.get_full_name()} for user in found]
    return JsonResponse({"people": rows}, headers={"Cache-Control": "no-store"})
