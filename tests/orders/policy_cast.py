"""Drafts and forms for the tests of the policy's pages."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from django import forms
from django.http import QueryDict
from django.test import Client

from tenants.models import PolicyDraft, Role, SlaPolicy, Tenant
from tenants.selectors import Draft, draft_of
from tenants.services.drafts import begin_draft, change_draft
from tests.tenants.cast import make_member, signed_in
from tests.tenants.test_policy_form import WHOLE

BY = "user:maria"


def whole() -> dict[str, Any]:
    """A policy that says something of everything: two special rules and one for all others, two calendars, weights."""
    return deepcopy(WHOLE)


def client_of(tenant: Tenant, role: str = Role.MANAGER) -> Client:
    return signed_in(tenant, make_member(tenant, f"{tenant.slug}-{role}", role=role))


def drafted(tenant: Tenant, rules: Mapping[str, Any] = WHOLE) -> Draft:
    made = begin_draft(tenant=tenant, by=BY)
    change_draft(tenant=tenant, revision=made.revision, rules=rules, by=BY)
    return draft_now(tenant)


def draft_now(tenant: Tenant) -> Draft:
    found = draft_of(tenant)
    assert found is not None
    return found


def as_posted(*shown: forms.BaseForm, **changed: Any) -> QueryDict:
    """What a browser sends of forms as they are shown; `changed`: what a person filled in, by the field's name."""
    data = QueryDict(mutable=True)
    for form in shown:
        for field in form:
            value = field.value()
            if isinstance(value, list | tuple):
                data.setlist(field.html_name, [str(each) for each in value])
            elif value not in (None, False):
                data[field.html_name] = "on" if value is True else str(value)
    for name, value in changed.items():
        data[name.replace("__", "-")] = value
    return data


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:2000]
    return str(answer.content.decode())


def state_of(tenant: Tenant) -> Any:
    """All that the pages could change."""
    rows = list(SlaPolicy.objects.filter(tenant=tenant).order_by("version").values_list("version", "rules"))
    return rows, PolicyDraft.objects.filter(tenant=tenant).values_list("rules", "revision").first()


def posted(tenant: Tenant, **words: Any) -> dict[str, Any]:
    return {"revision": draft_now(tenant).revision, **words}
