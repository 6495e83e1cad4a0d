"""Tenants, their hosts and their merchants."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from tenants.admin.fields import JSONObjectField, zone_field
from tenants.admin.service_admin import ReasonField, ServiceAdmin, ServiceForm
from tenants.models import Domain, Merchant, Tenant
from tenants.policy import DEFAULT_RULES
from tenants.selectors import page_address
from tenants.services import create_tenant
from tenants.services.companies import edit_tenant, set_tenant_active
from tenants.services.domains import add_domain, make_primary, remove_domain
from tenants.services.merchants import create_merchant, rename_merchant

ZONE_HELP = "Days and times on the tenant's pages, and “today” in its figures, follow this zone."
SLA_HELP = (
    "Its first policy. Hours for order_fulfillment_hours and shipping_preparation_hours, minutes for "
    "payment_processing_minutes and inventory_check_minutes; a key left out or null means no deadline."
)
LINK = "text-primary-600 underline dark:text-primary-500"
RELATED = (
    ("invitation", "Invite people"),
    ("membership", "Members"),
    ("apikey", "API keys"),
    ("webhooksource", "Sources"),
    ("slapolicy", "Policies"),
    ("domain", "Hosts"),
    ("merchant", "Merchants"),
)


class NewTenantForm(ServiceForm):
    json_field = "sla"
    domain = forms.CharField(
        required=False,
        max_length=253,
        label="Host",
        help_text="Where its people sign in, such as ops.example.com. Left empty: its slug under the platform's domain.",
        widget=UnfoldAdminTextInputWidget(),
    )
    timezone = zone_field(ZONE_HELP)
    sla = JSONObjectField(label="SLA policy", initial=dict(DEFAULT_RULES), help_text=SLA_HELP)
    billing = JSONObjectField(rows=3, required=False, initial={}, help_text='Such as {"currency": "EUR"}.')
    reason = ReasonField()

    class Meta:
        model = Tenant
        fields = ("slug", "name")
        help_texts = {
            "slug": "3 to 40 small letters, digits and single hyphens, such as demo-3pl. It is part of addresses and never changes.",
            "name": "The company's name, as its people know it.",
        }

    def perform(self) -> Tenant:
        words = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        return create_tenant(**words)


class TenantForm(ServiceForm):
    timezone = zone_field(ZONE_HELP)
    billing = JSONObjectField(rows=3, required=False, help_text='Such as {"currency": "EUR"}.')
    reason = ReasonField()

    class Meta:
        model = Tenant
        fields = ("name", "timezone", "billing")

    def perform(self) -> Tenant:
        words = {name: self.cleaned_data[name] for name in ("name", "timezone", "billing")}
        return edit_tenant(tenant=self.instance, **words)


@admin.register(Tenant)
class TenantAdmin(ServiceAdmin):
    """A tenant is switched off, never deleted: its orders are its own."""

    list_display = ("name", "slug", "host", "state", "members", "timezone", "created_at")
    list_filter = ("active", "timezone")
    search_fields = ("name", "slug", "domains__domain")
    readonly_fields = ("slug", "address", "state", "go_on", "created_at")
    actions_detail = ("switch",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = TenantForm if obj else NewTenantForm
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return (
                ("The company", {"fields": ("name", "slug", "domain", "timezone")}),
                ("Its deadlines", {"fields": ("sla",)}),
                ("More", {"fields": ("billing", "reason")}),
            )
        return (
            ("The company", {"fields": ("name", "slug", "address", "state", "timezone", "billing", "reason")}),
            ("What belongs to it", {"fields": ("go_on", "created_at")}),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        found: QuerySet[Tenant] = super().get_queryset(request)
        return found.annotate(member_count=Count("memberships", distinct=True)).prefetch_related("domains")

    @display(description="Host")
    def host(self, tenant: Tenant) -> str:
        hosts = sorted(tenant.domains.all(), key=lambda domain: not domain.is_primary)
        return hosts[0].domain if hosts else "none"

    @display(description="Members", ordering="member_count")
    def members(self, tenant: Tenant) -> int:
        return int(tenant.member_count)  # type: ignore[attr-defined]

    @display(description="State", label={"Active": "success", "Switched off": "danger"})
    def state(self, tenant: Tenant) -> str:
        return "Active" if tenant.active else "Switched off"

    @display(description="Pages at")
    def address(self, tenant: Tenant) -> SafeString:
        return format_html(f'<a class="{LINK}" href="{{0}}">{{0}}</a>', page_address(tenant, "/"))

    @display(description="Go on with")
    def go_on(self, tenant: Tenant) -> SafeString:
        links = (
            (reverse(f"admin:tenants_{model}_changelist") + f"?tenant__id__exact={tenant.pk}", title)
            for model, title in RELATED
        )
        return format_html_join(" · ", f'<a class="{LINK}" href="{{}}">{{}}</a>', links)

    @action(description="Switch on or off", url_path="switch")
    def switch(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tenant = self.one(request, object_id)
        off = tenant.active
        if request.method == "POST":
            done = f"{tenant} is switched {'off' if off else 'on'}."
            return self.act(request, tenant, done, lambda: set_tenant_active(tenant=tenant, active=not off))
        effect = (
            "Its pages, keys, tokens and webhooks stop working at once; its data stays, and it can be switched on again."
            if off
            else "Its pages, keys, tokens and webhooks work again at once."
        )
        return self.ask(
            request,
            tenant,
            title=f"Switch {tenant} {'off' if off else 'on'}?",
            sentence=effect,
            verb="Switch off" if off else "Switch on",
            harmless=not off,
            back=self.back(tenant.pk).url,
        )


class DomainForm(ServiceForm):
    domain = forms.CharField(
        max_length=253,
        label="Host",
        help_text="Such as ops.example.com, without http:// or a port. Its DNS must lead here.",
        widget=UnfoldAdminTextInputWidget(),
    )
    reason = ReasonField()

    class Meta:
        model = Domain
        fields = ("tenant",)

    def clean_domain(self) -> str:
        return str(self.cleaned_data["domain"]).lower()

    def perform(self) -> Domain:
        return add_domain(tenant=self.cleaned_data["tenant"], host=self.cleaned_data["domain"])


@admin.register(Domain)
class DomainAdmin(ServiceAdmin):
    """Hosts are added and removed, never edited: sessions and links belong to a host."""

    form = DomainForm
    list_display = ("domain", "tenant", "is_primary")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter), "is_primary")
    search_fields = ("domain", "tenant__name", "tenant__slug")
    list_select_related = ("tenant",)
    autocomplete_fields = ("tenant",)
    changeable = False
    deletable = True
    actions_detail = ("make_first",)

    def delete_model(self, request: HttpRequest, obj: Domain) -> None:
        remove_domain(domain=obj)

    @action(description="Make it the first host", url_path="first")
    def make_first(self, request: HttpRequest, object_id: str) -> HttpResponse:
        domain = self.one(request, object_id)
        if request.method == "POST":
            return self.act(request, domain, f"E-mails now name {domain}.", lambda: make_primary(domain=domain))
        return self.ask(
            request,
            domain,
            title=f"Make {domain} the first host?",
            sentence=f"E-mails to the people of {domain.tenant} will name {domain}. Its other hosts go on working.",
            verb="Make it the first",
            harmless=True,
            back=self.back(domain.pk).url,
        )


class MerchantForm(ServiceForm):
    reason = ReasonField()

    class Meta:
        model = Merchant
        fields = ("tenant", "slug", "name")
        help_texts = {
            "slug": "As its orders carry it, such as north-shop. It never changes.",
            "name": "As people know it.",
        }

    def perform(self) -> Merchant:
        words = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        if self.instance.pk:
            return rename_merchant(merchant=self.instance, name=words["name"])
        return create_merchant(**words)


@admin.register(Merchant)
class MerchantAdmin(ServiceAdmin):
    form = MerchantForm
    list_display = ("name", "slug", "tenant")
    list_filter = (("tenant", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("name", "slug", "tenant__name")
    list_select_related = ("tenant",)
    autocomplete_fields = ("tenant",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("tenant", "slug") if obj else ()
