"""API keys of the tenant: made, shown once, revoked. For managers."""

from datetime import date, datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from e2a.pages import done, dressed, show
from tenants.gate import member_page
from tenants.models import ApiKey, Scope, Tenant
from tenants.pages.listing import page_of
from tenants.pages.members import tenant_of
from tenants.selectors import keys_of, merchants_of, sources_of
from tenants.services import NewKey, create_api_key, revoke_api_key


class KeyForm(forms.Form):
    name = forms.CharField(
        max_length=120,
        label="What is it for?",
        widget=forms.TextInput(attrs={"placeholder": "Warehouse system", "autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        label="It may",
        widget=forms.CheckboxSelectMultiple(),
        error_messages={"required": "Choose what the key may do."},
    )
    sources = forms.CharField(
        required=False,
        label="Only for the sources",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Names of sources, separated by commas. Left empty, it may send for any.",
    )
    merchant = forms.ChoiceField(required=False, label="Only for the merchant")
    last_day = forms.DateField(
        required=False,
        label="Last day",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Left empty, it works until it is revoked.",
    )

    def __init__(self, *args: object, tenant: Tenant, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        known = ", ".join(sources_of(tenant))
        self.fields["merchant"].choices = [("", "Any"), *merchants_of(tenant)]  # type: ignore[attr-defined]
        if known:
            self.fields["sources"].help_text += f" Webhook sources here: {known}."

    def clean_sources(self) -> list[str]:
        return [name for name in (part.strip() for part in self.cleaned_data["sources"].split(",")) if name]


@require_GET
@member_page(Scope.ADMIN)
def keys(request: HttpRequest) -> HttpResponse:
    context = {"page": page_of(request, keys_of(tenant_of(request)))}
    return show(request, "tenants/keys.html", "tenants/_keys.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@member_page(Scope.ADMIN)
def new_key(request: HttpRequest) -> HttpResponse:
    """The key is shown in the answer to the form: it rests in no session, no address and no cache."""
    tenant = tenant_of(request)
    form = KeyForm(request.POST or None, tenant=tenant)
    if request.method == "POST" and form.is_valid():
        made = make(form, tenant)
        if made is not None:
            return render(request, "tenants/key_made.html", {"made": made, "tenant": tenant})
    status = 422 if form.is_bound else 200
    return render(request, "tenants/key_new.html", {"form": dressed(form)}, status=status)


@require_POST
@member_page(Scope.ADMIN)
def revoke_key(request: HttpRequest, key: int) -> HttpResponse:
    tenant = tenant_of(request)
    row = get_object_or_404(ApiKey, pk=key, tenant=tenant)
    revoke_api_key(prefix=row.prefix, tenant=tenant)
    return done(request, f"The key {row.name or row.prefix} opens nothing any more.", to=reverse("api-keys"))


def make(form: KeyForm, tenant: Tenant) -> NewKey | None:
    """None when the service refuses; its sentences then stand at the fields."""
    words = form.cleaned_data
    try:
        return create_api_key(
            tenant=tenant,
            name=words["name"],
            scopes=words["scopes"],
            sources=words["sources"],
            merchant=words["merchant"],
            expires_at=end_of(words["last_day"]) if words["last_day"] else None,
        )
    except ValidationError as wrong:
        for field, texts in wrong.message_dict.items():
            form.add_error("last_day" if field == "expires_at" else field, texts)
    return None


def end_of(day: date) -> datetime:
    """The end of the day in the page's zone, which is the tenant's."""
    return datetime.combine(day + timedelta(days=1), time(), timezone.get_current_timezone())
