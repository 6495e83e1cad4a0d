"""`data_quality_check TENANT`: what contradicts itself, lacks its beginning, waits, comes late or not at all."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from e2a.commands import JSONCommand, sentences
from orders.data_quality import LATE_HOURS, Quality, measure_quality
from tenants.models import Tenant


class Command(JSONCommand):
    help = "Reports on the quality of a tenant's data. Everything in it is counted; it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="the tenant's slug")

    def handle(self, *args: Any, **options: Any) -> None:
        with sentences():
            tenant = Tenant.objects.filter(slug=options["tenant"], active=True).first()
            if tenant is None:
                raise CommandError(f"There is no active tenant “{options['tenant']}”.")
            found = measure_quality(tenant)
        self.finish({**asdict(found), "troubles": found.troubles}, "\n".join(lines(found)), as_json=options["json"])


def lines(found: Quality) -> Iterator[str]:
    orders = found.orders
    yield f"{found.tenant}: {orders['orders']} orders; {found.troubles} things to look at."
    yield f"  {orders['contradicting']} contradict themselves" + named(found.contradictions)
    yield f"  {orders['without_created']} have no order_created" + named(found.without_created)
    yield f"  {orders['not_judged']} cannot be judged at the moment"
    for row in found.waiting_events:
        yield f"  {row['source']}: {row['events']} events wait for their order, the oldest for {row['oldest_seconds']} s"
    for row in found.events:
        yield (
            f"  {row['source']}: {row['events']} events; {row['late']} came over {LATE_HOURS} hours late, "
            f"{row['from_the_future']} from the future (by {row['furthest_ahead_seconds']} s at most), {row['history']} of history, "
            f"{row['told_again']} told again under another id, {row['quarantined']} quarantined"
        )
    for row in found.dead_letters:
        yield f"  {row['source'] or 'no source'}: {row['letters']} dead letters {row['reason']}, {row['status']} (refused {row['refusals']} times)"
    for row in found.silent_sources:
        yield f"  {row['source']}: unusually silent since {row['since']:%Y-%m-%d %H:%M} UTC"
    for row in found.missing_numbers:
        ranges = ", ".join(f"#{first}" if first == last else f"#{first}–#{last}" for first, last in row["ranges"])
        yield f"  {row['source']}: {row['orders']} order numbers are missing: {ranges}"


def named(examples: list[dict[str, Any]]) -> str:
    return ": " + ", ".join(row["order_id"] for row in examples) if examples else ""
