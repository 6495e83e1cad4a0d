"""`revoke_api_key PREFIX`: the key opens nothing from its next request on."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from e2a.commands import JSONCommand, sentences
from tenants.services import revoke_api_key
from tenants.services.keys import NoSuchKey


class Command(JSONCommand):
    help = "Revokes an API key; it opens nothing from its next request on."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("prefix", help="the 12 digits after “e2a_” of the key")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with sentences():
                row = revoke_api_key(prefix=options["prefix"])
        except NoSuchKey:
            raise CommandError("There is no API key with this prefix: it is the 12 digits after “e2a_”.") from None
        assert row.revoked_at is not None
        result = {"tenant": row.tenant.slug, "prefix": row.prefix, "revoked_at": row.revoked_at.isoformat()}
        self.finish(result, f"Key {row.prefix} of {row.tenant.slug} is revoked.", as_json=options["json"])
