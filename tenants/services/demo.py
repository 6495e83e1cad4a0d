"""The demo's tenant: the company, its shop as a source, a manager, and the platform's admin. Made once, found again."""

from dataclasses import dataclass

from django.db import transaction

from tenants.models import Membership, Provider, Role, Tenant, User, WebhookSource
from tenants.services.accounts import create_account
from tenants.services.companies import create_tenant
from tenants.services.members import add_member
from tenants.services.sources import create_source, edit_source, rotate_secret

MANAGER, ADMIN = "demo", "admin"


@dataclass(frozen=True, slots=True)
class Shop:
    """The demo's shop as `source` sees it; `secret` signs its webhooks, `api_token` opens its Admin API."""

    source: str
    secret: str
    api_url: str
    api_token: str


@dataclass(frozen=True, slots=True)
class Demo:
    """`…_known`: the password is still the one that was generated."""

    tenant: str
    created: bool
    username: str
    password_known: bool
    admin: str
    admin_password_known: bool


def set_up_demo(*, slug: str, shop: Shop, password: str, admin_password: str) -> Demo:
    """May run again: what is there is kept, a password that somebody changed included. Raises: ValidationError."""
    tenant = Tenant.objects.filter(slug=slug).first()
    created = tenant is None
    tenant = tenant or create_tenant(slug=slug, name="Demo 3PL", timezone="Europe/Madrid")
    with transaction.atomic():
        set_up_shop(tenant, shop)
        manager = account(MANAGER, f"{MANAGER}@{slug}.example", password, "Dana Demo")
        if not Membership.objects.filter(tenant=tenant, user=manager).exists():
            add_member(tenant=tenant, user=manager, role=Role.MANAGER)
        admin = account(ADMIN, f"{ADMIN}@{slug}.example", admin_password, "Platform Admin")
        User.objects.filter(pk=admin.pk).update(is_staff=True, is_superuser=True)
    return Demo(slug, created, MANAGER, manager.check_password(password), ADMIN, admin.check_password(admin_password))


def set_up_shop(tenant: Tenant, shop: Shop) -> None:
    where = {"api_url": shop.api_url, "api_token": shop.api_token}
    row = WebhookSource.objects.filter(tenant=tenant, name=shop.source).first()
    if row is None:
        create_source(tenant=tenant, name=shop.source, provider=Provider.SHOPIFY, secret=shop.secret, **where)
        return
    if (row.api_url, row.api_token) != (shop.api_url, shop.api_token):
        edit_source(source=row, **where)
    if shop.secret not in {known.secret for known in row.secrets.all()}:
        rotate_secret(source=row, secret=shop.secret)


def account(username: str, email: str, password: str, full_name: str) -> User:
    found = User.objects.filter(username=username).first()
    return found or create_account(username=username, email=email, password=password, full_name=full_name)
