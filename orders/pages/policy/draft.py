"""/policy/draft/: what the next version shall say, rule by rule; nothing of it counts until it is published."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from e2a.errors import Conflict
from e2a.pages import done, show
from orders.pages.policy.drafting import can_edit, changed, needed_draft, place_of, revision_of, save, wrong_fields
from orders.pages.policy.example import beside, example_context
from orders.pages.policy.rule_form import RuleForm
from orders.source_pages import tenant_of
from tenants.gate import member_page
from tenants.models import Scope
from tenants.navigation import address_of
from tenants.policy_form import MOST_RULES, read_what_can_be
from tenants.policy_table import table_of
from tenants.selectors import Draft
from tenants.services.drafts import StaleDraft, discard_draft

NAME_TAKEN = "Another rule is called so; give each its own name."
ALONE = "rules[0]"


class NoSuchRule(StaleDraft):
    """There is no rule at this place any more: the draft was changed meanwhile."""


class LastRule(Conflict):
    """A policy needs a rule; edit this one, or discard the draft."""


@require_safe
@member_page(Scope.READ)
def draft(request: HttpRequest) -> HttpResponse:
    found = needed_draft(request)
    context = {
        "draft": found,
        "table": table_of(found.rules),
        "can_edit": can_edit(request),
        "simulator": address_of("simulator"),
        "effect": address_of("weights-effect"),
        **beside(request, found.rules),
    }
    return show(request, "policy/draft.html", "policy/_draft.html", context)


@require_POST
@member_page(Scope.ADMIN)
def discard(request: HttpRequest) -> HttpResponse:
    discard_draft(tenant=tenant_of(request), revision=revision_of(request))
    return done(request, "The draft is discarded.", to=reverse("policy"), stay=False)


@require_POST
@member_page(Scope.ADMIN)
def move_rule(request: HttpRequest) -> HttpResponse:
    """`way`: up or down. At the end of the list there is nowhere to go."""
    found, place = needed_draft(request), place_of(request)
    rules = list(found.rules["rules"])
    rule_at(found, place)
    to = place + (1 if request.POST.get("way") == "down" else -1)
    if not 0 <= to < len(rules):
        raise Conflict("It cannot go further.")
    rules[place], rules[to] = rules[to], rules[place]
    save(request, {**found.rules, "rules": rules})
    return changed(request, f"“{rules[to]['name']}” is rule {to + 1} now.", to=reverse("policy-draft"))


@require_POST
@member_page(Scope.ADMIN)
def remove_rule(request: HttpRequest) -> HttpResponse:
    found, place = needed_draft(request), place_of(request)
    gone = rule_at(found, place)
    rules = [rule for index, rule in enumerate(found.rules["rules"]) if index != place]
    if not rules:
        raise LastRule
    save(request, {**found.rules, "rules": rules})
    return changed(request, f"“{gone['name']}” is removed.", to=reverse("policy-draft"))


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def new_rule(request: HttpRequest) -> HttpResponse:
    """Comes last, but before a last one that takes every order; moved afterwards."""
    found = needed_draft(request)
    rules = found.rules["rules"]
    if len(rules) >= MOST_RULES:
        raise Conflict(f"A policy takes at most {MOST_RULES} rules.")
    place = len(rules) if rules[-1].get("when") else len(rules) - 1
    form = form_of(request, found, None)
    if request.method == "POST" and accepted(request, form, found, [*rules[:place], None, *rules[place:]], place):
        return done(request, f"Rule {place + 1} is added.", to=reverse("policy-draft"), stay=False)
    return show_rule(request, form, found, {"title": "New rule", "verb": "Add it", "part": "new-rule", "place": place})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def edit_rule(request: HttpRequest, place: int) -> HttpResponse:
    found = needed_draft(request)
    rule = rule_at(found, place)
    form = form_of(request, found, rule)
    if request.method == "POST" and accepted(request, form, found, list(found.rules["rules"]), place):
        return done(request, "The rule is saved in the draft.", to=reverse("policy-draft"), stay=False)
    title = f"Rule {place + 1}: {rule['name']}"
    context = {"title": title, "verb": "Save", "part": "rule", "place": place, "when": rule.get("when")}
    return show_rule(request, form, found, context)


def form_of(request: HttpRequest, found: Draft, rule: Any) -> RuleForm:
    data = request.POST if request.method == "POST" else None
    return RuleForm(data, rule=rule, calendars=list(found.rules.get("calendars") or {}))


def accepted(request: HttpRequest, form: RuleForm, found: Draft, rules: list[Any], place: int) -> bool:
    """Saves the form's rule at that place of `rules`, unless it cannot be used by itself or the draft has changed.

    That it cannot be reached is no reason: it may be moved.
    """
    if not form.can_be_read():
        return False
    rule = form.rule()
    _, errors = read_what_can_be({**found.rules, "rules": [rule]})
    form.blame({path: texts for path, texts in errors.items() if path.startswith(ALONE)}, ALONE)
    others = [each["name"] for index, each in enumerate(rules) if index != place]
    if rule["name"] in others:
        form.add_error("name", NAME_TAKEN)
    if not all(each.is_valid() for each in (form, *form.targets)):
        return False
    rules[place] = rule
    try:
        save(request, {**found.rules, "rules": rules})
    except StaleDraft as stale:
        form.add_error(None, stale.detail)
        return False
    return True


def rule_at(found: Draft, place: int) -> Any:
    """Raises: NoSuchRule."""
    rules = found.rules["rules"]
    if place >= len(rules):
        raise NoSuchRule
    return rules[place]


def show_rule(request: HttpRequest, form: RuleForm, found: Draft, context: dict[str, Any]) -> HttpResponse:
    status = 422 if form.is_bound else 200
    revision = request.POST.get("revision") or found.revision
    words = {
        **context,
        "form": form,
        "wrong": wrong_fields(form, *form.targets),
        "revision": revision,
        **example_context(request, found.rules, {}, edited=True, fit=context.get("when")),
    }
    return show(request, "policy/rule.html", "policy/_rule.html", words, status=status)
