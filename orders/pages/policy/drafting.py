"""What every page that changes a draft begins and ends with."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.http import HttpRequest, HttpResponse

from e2a.pages import done, wants_part
from orders.letter_pages import access_of
from orders.source_pages import tenant_of
from tenants.models import Scope, SlaPolicy, Tenant
from tenants.selectors import Draft, draft_of
from tenants.services.drafts import NoDraft, change_draft
from tenants.services.policies import NoSuchVersion

MOST_DIGITS = 10
NOWHERE = 10**9
CHANGED = "policy"  # the event of the page at which the draft and its example are fetched again


def can_edit(request: HttpRequest) -> bool:
    return Scope.ADMIN in access_of(request).scopes


def needed_draft(request: HttpRequest) -> Draft:
    """Raises: NoDraft."""
    draft = draft_of(tenant_of(request))
    if draft is None:
        raise NoDraft
    return draft


def revision_of(request: HttpRequest) -> int:
    """Which draft the person looked at; 0, which no draft has, for anything else."""
    said = request.POST.get("revision", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) <= MOST_DIGITS else 0


def place_of(request: HttpRequest, name: str = "place") -> int:
    """Of the row that a button is about. It is in the form, not in the address: htmx reads addresses once, and rows move."""
    said = request.POST.get(name, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < MOST_DIGITS else NOWHERE


def save(request: HttpRequest, rules: Mapping[str, Any]) -> None:
    """Raises: NoDraft; StaleDraft when it is no longer the draft that the person looked at."""
    actor = access_of(request).actor
    change_draft(tenant=tenant_of(request), revision=revision_of(request), rules=rules, by=actor)


def changed(request: HttpRequest, sentence: str, *, to: str) -> HttpResponse:
    """As `e2a.pages.done`; for htmx only what shows the draft is fetched again, not all that lives."""
    if not wants_part(request):
        return done(request, sentence, to=to)
    response = HttpResponse(status=204)
    response["HX-Trigger"] = json.dumps({"toast": {"text": sentence, "level": "success"}, CHANGED: True})
    return response


class Wrong(NamedTuple):
    """A field of a long form that must be corrected, for the list above it. `address`: of its input, within the page."""

    address: str
    label: str
    sentences: Sequence[str]


def wrong_fields(*bound: forms.BaseForm) -> list[Wrong]:
    """In the order in which they stand on the page. A form within a form may have a `label` of its own."""
    return [
        Wrong(field.id_for_label, label_of(form, field), [str(text) for text in field.errors])
        for form in bound
        for field in form
        if form.is_bound and field.errors
    ]


def label_of(form: forms.BaseForm, field: forms.BoundField) -> str:
    whole = getattr(form, "label", "")
    return f"{whole}: {field.label}" if whole else str(field.label)


def version_of(tenant: Tenant, number: int) -> SlaPolicy:
    """Raises: NoSuchVersion, also for one of another tenant."""
    row = SlaPolicy.objects.filter(tenant=tenant, version=number).first() if number < 2**31 else None
    if row is None:
        raise NoSuchVersion
    return row
