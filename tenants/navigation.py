"""The menu: which pages there are and which scope each needs. A page shows up once its address name resolves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from tenants.access import SCOPES_OF_ROLE
from tenants.models import Scope


@dataclass(frozen=True, slots=True)
class Entry:
    """`name` is the URL's name, `icon` one of the sprite."""

    name: str
    title: str
    icon: str
    scope: str = Scope.READ


@dataclass(frozen=True, slots=True)
class Link:
    address: str
    title: str
    icon: str
    current: bool


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    links: Sequence[Link]


MENU: Sequence[tuple[str, Sequence[Entry]]] = (
    (
        "",
        (
            Entry("dashboard", "Overview", "layout-dashboard"),
            Entry("exceptions", "Exceptions", "triangle-alert"),
            Entry("incidents", "Incidents", "layers"),
            Entry("approvals", "Approvals", "hand"),
            Entry("at-risk", "At risk", "alarm-clock"),
            Entry("orders", "Orders", "package"),
        ),
    ),
    (
        "Insight",
        (
            Entry("scoreboard", "Scoreboard", "trophy"),
            Entry("times", "Times", "clock"),
            Entry("analytics", "Trends", "chart-line"),
            Entry("invoices", "Invoices", "receipt-text"),
            Entry("rate-cards", "Rate cards", "wallet"),
            Entry("bill-audit", "Bill audit", "scale"),
        ),
    ),
    (
        "Rules",
        (
            Entry("policy", "SLA policy", "ruler"),
            Entry("simulator", "Simulator", "sliders-horizontal"),
            Entry("playbooks", "Playbooks", "book-open-check"),
            Entry("escalation", "Escalation", "siren"),
            Entry("flows", "Flows", "refresh-cw"),
        ),
    ),
    (
        "Data",
        (
            Entry("sources", "Sources", "plug"),
            Entry("dead-letters", "Dead letters", "mail-x"),
        ),
    ),
    (
        "Team",
        (
            Entry("members", "Members", "users", Scope.ADMIN),
            Entry("api-keys", "API keys", "key-round", Scope.ADMIN),
        ),
    ),
)


def navigation(request: HttpRequest) -> Mapping[str, Any]:
    """A context processor; reads nothing but what the request has."""
    membership = getattr(request, "membership", None)
    if membership is None:
        return {"navigation": []}
    scopes = SCOPES_OF_ROLE[membership.role]
    current = current_of(request.path)
    groups = (Group(title, links_of(entries, scopes, current)) for title, entries in MENU)
    return {"navigation": [group for group in groups if group.links]}


def current_of(path: str) -> str | None:
    """The name of the entry that the path belongs to: of several the one with the longest address."""
    known = ((address_of(entry.name), entry.name) for _, entries in MENU for entry in entries)
    fitting = [(len(at), name) for at, name in known if at and (path == at or (at != "/" and path.startswith(at)))]
    return max(fitting)[1] if fitting else None


def links_of(entries: Sequence[Entry], scopes: frozenset[str], current: str | None) -> list[Link]:
    links = []
    for entry in entries:
        address = address_of(entry.name)
        if address is not None and entry.scope in scopes:
            links.append(Link(address, entry.title, entry.icon, entry.name == current))
    return links


def address_of(name: str) -> str | None:
    try:
        return reverse(name)
    except NoReverseMatch:
        return None
