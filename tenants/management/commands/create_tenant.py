"""`create_tenant TENANT`: a tenant with its host, schema and first policy."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from e2a.commands import JSONCommand, json_object, sentences
from tenants.policy import PolicyError
from tenants.services import create_tenant


class Command(JSONCommand):
    help = "Makes a tenant: its row, its host, its schema and its first SLA policy, all or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "tenant", help="its slug, such as demo-3pl: 3 to 40 small letters, digits and single hyphens"
        )
        parser.add_argument("--name", default="", help="the company's name (default: the slug)")
        parser.add_argument("--domain", default="", help="the host of its pages (default: TENANT.E2A_BASE_DOMAIN)")
        parser.add_argument(
            "--timezone", default="UTC", metavar="TZ", help="an IANA zone such as Europe/Lisbon (default: UTC)"
        )
        parser.add_argument(
            "--sla",
            metavar="JSON",
            help='its deadlines, such as {"order_fulfillment_hours": 24, "payment_processing_minutes": 30}; a key left out '
            "means no deadline (default: 24 h, 4 h, 30 min, 15 min)",
        )
        parser.add_argument("--billing", metavar="JSON", help='billing settings, such as {"currency": "EUR"}')

    def handle(self, *args: Any, **options: Any) -> None:
        sla, billing = (
            json_object(f"--{name}")(options[name]) if options[name] is not None else None
            for name in ("sla", "billing")
        )
        with sentences(slug="TENANT", domain="--domain", timezone="--timezone", name="--name", billing="--billing"):
            try:
                tenant = create_tenant(
                    slug=options["tenant"],
                    name=options["name"],
                    domain=options["domain"],
                    timezone=options["timezone"],
                    sla=sla,
                    billing=billing,
                )
            except PolicyError as wrong:
                raise CommandError(f"--sla: {wrong}") from None
            domain = tenant.domains.get().domain
        result = {
            "tenant": tenant.slug,
            "name": tenant.name,
            "schema": tenant.schema_name,
            "domain": domain,
            "timezone": tenant.timezone,
        }
        text = f"Tenant “{tenant.slug}” is made; its pages answer at {domain}."
        self.finish(result, text, as_json=options["json"])
