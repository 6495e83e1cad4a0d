"""/policy/draft/publish/: what the draft changes, from when it counts, and putting it in force."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from e2a.pages import done, dressed, show
from orders.letter_pages import access_of
from orders.pages.policy.drafting import needed_draft, revision_of, version_of
from orders.pages.policy.example import LocalTimeField, troubles_of
from orders.source_pages import tenant_of
from tenants.gate import member_page
from tenants.models import Scope, SlaPolicy
from tenants.policy import PolicyError
from tenants.policy_compare import differences
from tenants.policy_table import table_of
from tenants.selectors import policy_standing
from tenants.services.drafts import StaleDraft, publish_draft


class PublishForm(forms.Form):
    starts_at = LocalTimeField(label="In force from", required=False)
    note = forms.CharField(
        label="What changes",
        required=False,
        max_length=200,
        help_text="For whoever reads the list of versions later.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["starts_at"].help_text = f"In {timezone.get_current_timezone_name()}. Left empty: now."

    def start(self) -> datetime | None:
        said: datetime | None = self.cleaned_data["starts_at"]
        return said.replace(tzinfo=timezone.get_current_timezone()).astimezone(UTC) if said else None


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Scope.ADMIN)
def publish(request: HttpRequest) -> HttpResponse:
    found = needed_draft(request)
    form = PublishForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and (made := published(request, form)):
        when = (
            "from now on"
            if made.valid_from <= access_of(request).now
            else f"from {timezone.localtime(made.valid_from):%d %b %Y %H:%M} on"
        )
        return done(request, f"Version {made.version} counts {when}.", to=reverse("policy"), stay=False)
    tenant = tenant_of(request)
    standing = policy_standing(tenant, access_of(request).now)
    before = version_of(tenant, standing.newest)
    table = table_of(found.rules)
    context = {
        "form": dressed(form),
        "draft": found,
        "revision": request.POST.get("revision") or found.revision,
        "before": before,
        "differences": differences(before.rules, found.rules),
        "troubles": troubles_of(table),
        "planned": SlaPolicy.objects.filter(tenant=tenant, version__in=standing.planned).defer("rules"),
    }
    status = 422 if form.is_bound else 200
    return show(request, "policy/publish.html", "policy/_publish.html", context, status=status)


def published(request: HttpRequest, form: PublishForm) -> SlaPolicy | None:
    """None when it is refused; the sentences then stand at the fields."""
    words: dict[str, Any] = {
        "starts_at": form.start(),
        "note": form.cleaned_data["note"],
        "by": access_of(request).actor,
    }
    try:
        return publish_draft(tenant=tenant_of(request), revision=revision_of(request), **words)
    except StaleDraft as stale:
        form.add_error(None, stale.detail)
    except PolicyError:
        form.add_error(None, "The draft cannot be used yet; what is wrong stands above.")
    except ValidationError as wrong:
        for name, texts in wrong.message_dict.items():
            form.add_error(name if name in form.fields else None, texts)
    return None
