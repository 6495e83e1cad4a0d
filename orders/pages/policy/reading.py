"""/policy/: the version in force as a table, all versions, and what each changed."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from e2a.errors import NotFound
from e2a.pages import done, show
from orders.letter_pages import access_of
from orders.pages.policy.drafting import can_edit, version_of
from orders.pages.policy.example import beside
from orders.source_pages import tenant_of
from orders.unreported import Unreported, unreported_stages
from tenants.gate import member_page
from tenants.models import Scope, SlaPolicy
from tenants.navigation import address_of
from tenants.pages.listing import page_of
from tenants.policy import as_rules
from tenants.policy_compare import differences
from tenants.policy_rules import STAGE_NAMES
from tenants.policy_table import Table, table_of
from tenants.policy_words import STAGE_WORDS
from tenants.selectors import draft_of, policy_standing, versions_of
from tenants.services.drafts import begin_draft, change_draft, restore_version
from tenants.services.policies import withdraw_policy


@require_safe
@member_page(Scope.READ)
def policy(request: HttpRequest) -> HttpResponse:
    tenant = tenant_of(request)
    standing = policy_standing(tenant, access_of(request).now)
    row = version_of(tenant, standing.in_force)
    table = table_of(row.rules)
    context = {
        "version": row,
        "table": table,
        "noise": noise(table),
        "standing": standing,
        "page": page_of(request, versions_of(tenant)),
        "draft": draft_of(tenant),
        "can_edit": can_edit(request),
        "simulator": address_of("simulator"),
        **beside(request, as_rules(row.rules), version=row.version),
    }
    return show(request, "policy/policy.html", "policy/_policy.html", context)


@require_safe
@member_page(Scope.READ)
def version(request: HttpRequest, number: int) -> HttpResponse:
    tenant = tenant_of(request)
    row = version_of(tenant, number)
    before = SlaPolicy.objects.filter(tenant=tenant, version__lt=number).order_by("-version").first()
    context = {
        "version": row,
        "table": table_of(row.rules),
        "standing": policy_standing(tenant, access_of(request).now),
        "before": before,
        "differences": differences(before.rules, row.rules) if before else [],
        "can_edit": can_edit(request),
        **beside(request, as_rules(row.rules), version=number),
    }
    return show(request, "policy/version.html", "policy/_version.html", context)


@require_POST
@member_page(Scope.ADMIN)
def begin(request: HttpRequest) -> HttpResponse:
    begin_draft(tenant=tenant_of(request), by=access_of(request).actor)
    return done(
        request,
        "Here is the draft. Nothing of it counts until it is published.",
        to=reverse("policy-draft"),
        stay=False,
    )


@require_POST
@member_page(Scope.ADMIN)
def switch_off(request: HttpRequest, stage: str) -> HttpResponse:
    """A stage's deadline in every rule of the draft, which is begun for it if there is none. Raises: NotFound."""
    if stage not in STAGE_NAMES:
        raise NotFound
    tenant, by = tenant_of(request), access_of(request).actor
    row = begin_draft(tenant=tenant, by=by)
    rules = [each if each.get("excluded") else without_target(each, stage) for each in row.rules["rules"]]
    change_draft(tenant=tenant, revision=row.revision, rules={**row.rules, "rules": rules}, by=by)
    sentence = f"{STAGE_WORDS[stage]} has no deadline in the draft. Publish it to put that in force."
    return done(request, sentence, to=reverse("policy-draft"), stay=False)


def without_target(rule: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """Said by null, for a delivery that is left out is due at its promise."""
    return {**rule, "targets": {**rule["targets"], stage: None}}


def noise(table: Table) -> list[tuple[Unreported, str]]:
    """Stages that have a deadline but whose end nobody reports, with their names."""
    timed = {stage for rule in table.policy.rules for stage in rule.targets}
    return [(each, STAGE_WORDS[each.stage]) for each in unreported_stages() if each.stage in timed]


@require_POST
@member_page(Scope.ADMIN)
def restore(request: HttpRequest, number: int) -> HttpResponse:
    made = restore_version(tenant=tenant_of(request), version=number, by=access_of(request).actor)
    sentence = f"Version {number} is in force again, as version {made.version}."
    return done(request, sentence, to=reverse("policy"), stay=False)


@require_POST
@member_page(Scope.ADMIN)
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Raises: NoSuchVersion, CountsAlready."""
    withdraw_policy(tenant=tenant_of(request), version=version_of(tenant_of(request), number).version)
    return done(request, f"Version {number} is withdrawn: it will not count.", to=reverse("policy"), stay=False)
