"""The menu of the platform's admin: the pages in the order in which a new tenant is set up. Models are named, not imported."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

MENU = (
    (
        "Tenants",
        (
            ("tenants.tenant", "Tenants", "apartment"),
            ("tenants.domain", "Hosts", "language"),
            ("tenants.merchant", "Merchants", "storefront"),
            ("tenants.slapolicy", "SLA policies", "timer"),
        ),
    ),
    (
        "People",
        (
            ("tenants.invitation", "Invitations", "mail"),
            ("tenants.membership", "Members", "groups"),
            ("tenants.user", "Accounts", "person"),
        ),
    ),
    (
        "Programs",
        (
            ("tenants.apikey", "API keys", "key"),
            ("tenants.webhooksource", "Webhook sources", "webhook"),
        ),
    ),
    (
        "Recurring work",
        (
            ("django_celery_beat.periodictask", "Schedules", "event_repeat"),
            ("django_celery_beat.intervalschedule", "Intervals", "hourglass"),
            ("django_celery_beat.crontabschedule", "Crontabs", "calendar_month"),
        ),
    ),
    (
        "What happened",
        (
            ("pghistory.events", "Changes", "history"),
            ("tenants.mail", "E-mails", "outgoing_mail"),
            ("axes.accessattempt", "Failed sign-ins", "gpp_bad"),
            ("axes.accesslog", "Sign-ins", "login"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups with the pages that this person may see."""
    groups = [{"title": title, "separator": True, "items": items_of(request, pages)} for title, pages in MENU]
    return [group for group in groups if group["items"]]


def items_of(request: HttpRequest, pages: tuple[tuple[str, str, str], ...]) -> list[dict[str, str]]:
    items = []
    for model, title, icon in pages:
        app, name = model.split(".")
        if request.user.has_perm(f"{app}.view_{name}"):
            items.append({"title": title, "icon": icon, "link": reverse(f"admin:{app}_{name}_changelist")})
    return items
