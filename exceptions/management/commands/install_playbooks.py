"""`install_playbooks TENANT`: the playbooks that a tenant starts with, and the targets that they may use."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django_tenants.utils import schema_context

from e2a.commands import JSONCommand, sentences
from e2a.postgresql.raw import database_now, raw_connection
from exceptions.playbooks.library import install_defaults
from tenants.models import Tenant
from tenants.outgoing.models import Channel, OutgoingTarget
from tenants.outgoing.services import change_target, create_target

ACTOR = "platform"
NAMES = {
    "slack": ("ops-slack", Channel.SLACK),
    "webhook": ("ops-webhook", Channel.WEBHOOK),
    "email": ("ops-mail", Channel.EMAIL),
}


class Command(JSONCommand):
    help = "Installs the default playbooks for each reason that has none; run again it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="its slug, such as demo-3pl")
        parser.add_argument("--slack", metavar="URL", help="an incoming webhook of Slack, as the target “ops-slack”")
        parser.add_argument("--webhook", metavar="URL", help="an endpoint of your own, as the target “ops-webhook”")
        parser.add_argument("--email", metavar="ADDRESSES", help="a team's addresses, as the target “ops-mail”")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant “{options['tenant']}”.")
        with sentences(address="--slack, --webhook or --email"):
            secrets = [secret for name in NAMES if options[name] and (secret := set_up(tenant, name, options[name]))]
        with schema_context(tenant.schema_name):
            made = install_defaults(tenant=tenant, actor=ACTOR, now=database_now(raw_connection()))
        text = f"{len(made)} playbooks installed."
        if secrets:
            text += f" The webhook is signed with {secrets[0]} (shown this once)."
        self.finish(
            {"tenant": tenant.slug, "installed": made, "secret": secrets[0] if secrets else None},
            text,
            as_json=options["json"],
        )


def set_up(tenant: Tenant, name: str, address: str) -> str:
    """The secret of a new webhook; empty otherwise. Raises: ValidationError."""
    target, channel = NAMES[name]
    known = OutgoingTarget.objects.filter(tenant=tenant, name=target).first()
    if known is not None:
        change_target(target=known, address=address)
        return ""
    return create_target(tenant=tenant, name=target, channel=channel, address=address, actor=ACTOR).secret
