"""/incidents/rules/: by which rules exceptions become incidents, edited with a preview of what a rule would fold now."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from e2a.pages import done, dressed, show
from exceptions.choices import Reason
from exceptions.incidents import rules
from exceptions.incidents.folding import MOST_PREVIEWED, foretell
from exceptions.incidents.models import MOST_WINDOW_MINUTES, IncidentRule
from exceptions.incidents.rules import DEFAULTS, MOST_MINIMUM, Wanted, WrongRule
from exceptions.incidents.telling import shared_words
from exceptions.incidents.words import FOLD, Dimension
from exceptions.pages.who import access_of
from tenants.gate import member_page
from tenants.models import Scope


class RuleForm(forms.Form):
    title = forms.CharField(max_length=80, label="Title")
    dimensions = forms.MultipleChoiceField(
        choices=Dimension.choices,
        label="What they must share",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one thing that the exceptions must share."},
    )
    reasons = forms.MultipleChoiceField(
        choices=Reason.choices,
        required=False,
        label="Of which reasons",
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: exceptions of any reason.",
    )
    window_minutes = forms.IntegerField(
        min_value=1,
        max_value=MOST_WINDOW_MINUTES,
        label="Window in minutes",
        help_text="Each at most so long after the one before; a longer pause begins a new incident.",
    )
    minimum = forms.IntegerField(
        min_value=2, max_value=MOST_MINIMUM, label="From how many orders on", help_text="Fewer are no incident."
    )
    enabled = forms.BooleanField(required=False, label="On")
    based_on = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def wanted(self) -> Wanted:
        data = self.cleaned_data
        return Wanted(
            title=data["title"],
            dimensions=tuple(word for word in Dimension.values if word in data["dimensions"]),
            reasons=tuple(data["reasons"]),
            window_minutes=data["window_minutes"],
            minimum=data["minimum"],
            enabled=data["enabled"],
        )

    def seen_at(self) -> datetime | None:
        """When the rule that was edited had last changed. Raises: Overtaken for what is no time."""
        text = self.cleaned_data["based_on"]
        try:
            return datetime.fromisoformat(text) if text else None
        except ValueError:
            raise rules.Overtaken from None

    def blame(self, errors: dict[str, list[str]]) -> None:
        for name, texts in errors.items():
            self.add_error(name if name in self.fields else None, texts)


class NewRuleForm(RuleForm):
    name = forms.CharField(max_length=40, label="Name", help_text="Small letters, digits and hyphens; it stays.")
    field_order = ("name", "title")


@require_safe
@member_page(Scope.READ)
def incident_rules(request: HttpRequest) -> HttpResponse:
    context = {
        "rows": [(rule, *words_of(rule)) for rule in rules.list_rules()],
        "defaults": DEFAULTS,
        "can_edit": Scope.ADMIN in access_of(request).scopes,
    }
    return show(request, "exceptions/incident_rules.html", "exceptions/_incident_rules.html", context)


def words_of(rule: IncidentRule) -> tuple[list[str], list[str]]:
    return [str(Dimension(word).label) for word in rule.dimensions], [str(Reason(word).label) for word in rule.reasons]


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def edit_rule(request: HttpRequest, name: str) -> HttpResponse:
    rule = rules.rule_named(name)
    names = ("title", "dimensions", "reasons", "window_minutes", "minimum", "enabled")
    initial = {key: getattr(rule, key) for key in names}
    if rule.pk is not None and rule.updated_by != FOLD:
        initial["based_on"] = rule.updated_at.isoformat()
    form = RuleForm(request.POST if request.method == "POST" else None, initial=initial)
    return edited(request, form, rule)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def new_rule(request: HttpRequest) -> HttpResponse:
    form = NewRuleForm(
        request.POST if request.method == "POST" else None,
        initial={"enabled": True, "window_minutes": 60, "minimum": 5},
    )
    return edited(request, form, None)


def edited(request: HttpRequest, form: RuleForm, rule: IncidentRule | None) -> HttpResponse:
    """A post saves, or with `preview` only shows what it would fold."""
    posted = request.method == "POST"
    access = access_of(request)
    valid = posted and form.is_valid()
    if valid and "preview" not in request.POST:
        try:
            said: dict[str, Any] = {"wanted": form.wanted(), "actor": access.actor, "now": access.now}
            if rule is None:
                rules.add_rule(name=form.cleaned_data["name"], **said)
            else:
                rules.change_rule(name=rule.name, based_on=form.seen_at(), **said)
            return done(request, "Saved; the next round folds by it.", to=reverse("incident-rules"), stay=False)
        except WrongRule as wrong:
            form.blame(wrong.errors)
            valid = False
    context: dict[str, Any] = {"form": dressed(form), "rule": rule, "title": rule.title if rule else "Add a rule"}
    wanted = form.wanted() if valid else None
    if wanted is not None and not rules.troubles(wanted):
        found = foretell(wanted, rule, now=access.now)
        context["foretold"] = [(one, shared_words(one.shared)) for one in found[:MOST_PREVIEWED]]
        context["more"] = len(found) > MOST_PREVIEWED
        context["previewed"] = True
    status = 200 if valid or not posted else 422
    return show(request, "exceptions/incident_rule.html", "exceptions/_incident_rule.html", context, status=status)


@require_POST
@member_page(Scope.ADMIN)
def switch_rule(request: HttpRequest, name: str) -> HttpResponse:
    access, enabled = access_of(request), request.POST.get("enabled") == "1"
    rules.switch_rule(name=name, enabled=enabled, actor=access.actor, now=access.now)
    return done(request, "Switched on." if enabled else "Switched off.", to=reverse("incident-rules"))


@require_POST
@member_page(Scope.ADMIN)
def move_rule_up(request: HttpRequest, name: str) -> HttpResponse:
    access = access_of(request)
    rules.move_rule_up(name=name, actor=access.actor, now=access.now)
    return done(request, "Moved up.", to=reverse("incident-rules"))


@require_POST
@member_page(Scope.ADMIN)
def remove_rule(request: HttpRequest, name: str) -> HttpResponse:
    rules.remove_rule(name=name)
    return done(request, "Removed.", to=reverse("incident-rules"))
