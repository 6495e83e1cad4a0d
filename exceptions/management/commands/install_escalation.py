"""`install_escalation TENANT`: a chain of escalation to begin with."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django_tenants.utils import schema_context

from e2a.commands import JSONCommand
from e2a.postgresql.raw import database_now, raw_connection
from exceptions.escalation.defaults import install_default
from tenants.models import Tenant

ACTOR = "platform"


class Command(JSONCommand):
    help = "Installs a chain for high and critical exceptions where the tenant has none; run again it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="its slug, such as demo-3pl")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant “{options['tenant']}”.")
        with schema_context(tenant.schema_name):
            made = install_default(tenant=tenant, actor=ACTOR, now=database_now(raw_connection()))
        text = "The chain is in force." if made else "There is a chain already; nothing was changed."
        self.finish({"tenant": tenant.slug, "installed": made}, text, as_json=options["json"])
