"""`demo_summary TENANT`: what was found so far, as counted in the tenant's tables."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django_tenants.utils import schema_context

from analytics.totals import Totals, totals, waiting
from e2a.commands import JSONCommand, sentences
from exceptions.choices import Severity
from exceptions.playbooks.words import State
from tenants.models import Tenant

PAUSE_SECONDS = 1.0


class Command(JSONCommand):
    help = "Counts a tenant's events, orders, breaches, exceptions, analyses and invoices."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="its slug, such as demo-3pl")
        parser.add_argument(
            "--wait",
            type=int,
            default=0,
            metavar="SECONDS",
            help="first wait, at most so long, until nothing is being processed",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with sentences():
            tenant = Tenant.objects.filter(slug=options["tenant"]).first()
            if tenant is None:
                raise CommandError(f"There is no tenant “{options['tenant']}”.")
            with schema_context(tenant.schema_name):
                left = self.wait(options["wait"])
                found = totals()
        lines = [*lines_of(found), *(f"Still waiting: {count:,} {kind}." for kind, count in left.items())]
        self.finish(
            {"tenant": tenant.slug, **asdict(found), "waiting": left}, "\n".join(lines), as_json=options["json"]
        )

    def wait(self, seconds: int) -> dict[str, int]:
        """What waits still when the time is over; says every five seconds what it waits for."""
        end, told = time.monotonic() + seconds, time.monotonic()
        while (left := waiting()) and time.monotonic() < end:
            if time.monotonic() - told > 5:
                self.stderr.write(f"Waiting for {', '.join(f'{count:,} {kind}' for kind, count in left.items())} …")
                told = time.monotonic()
            time.sleep(PAUSE_SECONDS)
        return left


def lines_of(found: Totals) -> Iterator[str]:
    yield ""
    yield f"Events {found.events:,} · orders {found.orders:,} · dead letters {found.dead_letters:,}"
    yield ""
    yield f"{'Breaches by stage':28}{sum(found.breaches.values()):>8,}"
    yield from (f"  {name.replace('_', ' '):26}{count:>8,}" for name, count in found.breaches.items())
    yield ""
    yield from exception_lines(found)
    yield ""
    yield incident_line(found)
    made = ", ".join(f"{count:,} by {judge}" for judge, count in sorted(found.analyses.items()))
    yield f"Analyses: {made or 'none yet'}"
    yield action_line(found)
    yield f"Invoices: {'none yet, there is no billing' if found.invoices is None else f'{found.invoices:,}' if found.invoices else 'none yet'}"


def incident_line(found: Totals) -> str:
    """Exceptions that share a cause, folded."""
    counts = ", ".join(f"{count:,} {state}" for state, count in found.incidents.items())
    return f"Incidents: {counts or 'none, too few exceptions share a cause'}"


def action_line(found: Totals) -> str:
    """What the playbooks have done, and what is left to people."""
    if not found.actions:
        return "Actions: none yet"
    left = found.actions.get(State.SUGGESTED, 0) + found.actions.get(State.AWAITING, 0)
    open_ones = found.actions.get(State.EXPECTING, 0)
    total = sum(found.actions.values())
    return f"Actions: {total:,}, of which {open_ones:,} wait for what they should lead to and {left:,} for a person; {found.solved:,} exceptions solved"


def exception_lines(found: Totals) -> Iterator[str]:
    """A row for each reason, a column for each severity that occurs."""
    present = {severity for counts in found.exceptions.values() for severity in counts}
    columns = [severity for severity in Severity.values if severity in present]
    total = sum(sum(counts.values()) for counts in found.exceptions.values())
    yield f"{'Exceptions':28}{total:>8,}" + "".join(f"{column:>10}" for column in columns)
    for reason, counts in sorted(found.exceptions.items(), key=lambda row: (-sum(row[1].values()), row[0])):
        yield f"  {reason:26}{sum(counts.values()):>8,}" + "".join(
            f"{counts.get(column, 0):>10,}" for column in columns
        )
    yield f"  {'not resolved yet':26}{found.active_exceptions:>8,}"
