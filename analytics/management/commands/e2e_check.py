"""`e2e_check`: whether a running stack takes a shop's orders all the way to what must come of them."""

import time
from typing import Any

import httpx
from django.core.management.base import CommandError, CommandParser
from django_tenants.utils import schema_context

from analytics.end_to_end import Check, Shop, end_to_end
from e2a.commands import JSONCommand, sentences
from e2a.stack.processes import DEMO_SOURCE, DEMO_TENANT
from tenants.models import WebhookSource

MOST_ORDERS, LONGEST = 5_000, 3_600


class Command(JSONCommand):
    help = (
        f"Lets the demo's shop ({DEMO_TENANT}, set up by ./run.sh demo) make orders, and checks that they arrive, are judged, "
        "explained and, once late, found. Exits non-zero when a check fails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--orders", type=int, default=40, metavar="N", help="how many orders (40)")
        parser.add_argument("--wait-seconds", type=int, default=150, metavar="S", help="for all waiting together (150)")

    def handle(self, *args: Any, **options: Any) -> None:
        orders, seconds = options["orders"], options["wait_seconds"]
        if not 1 <= orders <= MOST_ORDERS:
            raise CommandError(f"--orders must be from 1 to {MOST_ORDERS:,}; it is {orders:,}.")
        if not 1 <= seconds <= LONGEST:
            raise CommandError(f"--wait-seconds must be from 1 to {LONGEST:,}; it is {seconds:,}.")
        began = time.monotonic()
        with sentences():
            checks = self.checked(orders, seconds, quiet=options["json"])
        failed = [check for check in checks if not check.passed]
        result = {
            "tenant": DEMO_TENANT,
            "orders": orders,
            "passed": not failed,
            "checks": [check._asdict() for check in checks],
            "seconds": round(time.monotonic() - began, 1),
        }
        text = f"{len(checks) - len(failed)} of {len(checks)} checks passed in {result['seconds']} s."
        self.finish(result, text, as_json=options["json"])
        if failed:
            raise CommandError(f"Failed: {'; '.join(f'{check.name} ({check.says})' for check in failed)}.")

    def checked(self, orders: int, seconds: float, *, quiet: bool) -> list[Check]:
        """Told one by one as they are done, on the standard error beside `--json`. Raises: CommandError."""
        out = self.stderr if quiet else self.stdout
        source = (
            WebhookSource.objects.filter(tenant__slug=DEMO_TENANT, name=DEMO_SOURCE).select_related("tenant").first()
        )
        if source is None:
            raise CommandError(f"There is no tenant “{DEMO_TENANT}” with a shop; ./run.sh demo sets it up.")
        checks = []
        try:
            with schema_context(source.tenant.schema_name):
                for check in end_to_end(Shop(source), orders, seconds):
                    out.write(f"{'ok    ' if check.passed else 'FAILED'} {check.name}: {check.says}")
                    checks.append(check)
        except (httpx.HTTPError, ValueError) as error:
            done = f"after {checks[-1].name}" if checks else "at the first check"
            raise CommandError(
                f"It does not answer as it should, {done}: {error}. ./run.sh status says what runs."
            ) from None
        return checks
