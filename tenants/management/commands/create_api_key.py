"""`create_api_key TENANT --scope SCOPE`: a program's key, printed once."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError, CommandParser

from e2a.commands import JSONCommand, sentences
from tenants.models import Scope, Tenant
from tenants.services import create_api_key


class Command(JSONCommand):
    help = "Makes an API key and prints it once, alone on the last line. Only its digest is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument(
            "--scope", action="append", required=True, help=f"{', '.join(Scope.values)}; repeat for several"
        )
        parser.add_argument("--name", default="", help="what it is for")
        parser.add_argument("--source", action="append", default=[], help="bind it to a source; repeat for several")
        parser.add_argument("--merchant", default="", help="whose orders its events are, when they name no merchant")
        parser.add_argument(
            "--expires",
            metavar="D",
            help="last day in the tenant's zone (2027-01-31), or an instant (2027-01-31T12:00:00Z)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with sentences(
            scopes="--scope", sources="--source", merchant="--merchant", expires_at="--expires", name="--name"
        ):
            tenant = Tenant.objects.filter(slug=options["tenant"], active=True).first()
            if tenant is None:
                raise CommandError(f"There is no active tenant “{options['tenant']}”.")
            made = create_api_key(
                tenant=tenant,
                scopes=options["scope"],
                name=options["name"],
                sources=options["source"],
                merchant=options["merchant"],
                expires_at=end_of(options["expires"], tenant.timezone) if options["expires"] else None,
            )
        row = made.row
        ends = row.expires_at.isoformat() if row.expires_at else None
        result = {
            "tenant": tenant.slug,
            "prefix": row.prefix,
            "key": made.key,
            "scopes": row.scopes,
            "sources": row.sources,
            "merchant": row.merchant,
            "expires_at": ends,
        }
        text = f"Key {row.prefix} of {tenant.slug} may {', '.join(row.scopes)}; it ends {ends or 'never'}. Keep it, it is shown once:"
        self.finish(result, f"{text}\n{made.key}", as_json=options["json"])


def end_of(text: str, zone: str) -> datetime:
    """A day lasts to its end in the tenant's zone; an instant needs its own. Raises: CommandError."""
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), ZoneInfo(zone))
        instant = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise CommandError(f"--expires: “{text}” is no date; give 2027-01-31 or 2027-01-31T12:00:00Z.") from None
    if instant.tzinfo is None:
        raise CommandError(f"--expires: “{text}” has no zone; write {text}Z for UTC.")
    return instant
