"""`reprocess_events TENANT --start-date D --end-date D [--dry-run]`: clocks and exceptions anew from stored events."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError, CommandParser

from e2a.commands import JSONCommand, sentences
from e2a.progress import Progress
from orders.reprocess import Corrected, Difference, count_orders, reprocess
from tenants.models import Tenant

LISTED = 1_000


class Command(JSONCommand):
    help = "Recomputes clocks and exceptions from stored events, and says order by order what differed."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="the tenant's slug")
        days = "orders with an event from this day on", "up to and with this day, both in the tenant's zone"
        parser.add_argument("--start-date", required=True, metavar="D", help=f"{days[0]} (2026-11-01)")
        parser.add_argument("--end-date", required=True, metavar="D", help=days[1])
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        with sentences():
            tenant = Tenant.objects.filter(slug=options["tenant"], active=True).first()
            if tenant is None:
                raise CommandError(f"There is no active tenant “{options['tenant']}”.")
            start, end = range_of(options["start_date"], options["end_date"], tenant.timezone)
            result = self.reprocess(tenant, start, end, dry_run=options["dry_run"])
        would = "would change" if options["dry_run"] else "were changed"
        text = (
            f"{result['orders']} orders looked at; {result['changed']} {would}, {result['failed']} could not be judged."
        )
        self.finish(result, text, as_json=options["json"])
        if result["failed"]:
            raise CommandError(f"{result['failed']} orders could not be judged; they are named above.")

    def reprocess(self, tenant: Tenant, start: datetime, end: datetime, *, dry_run: bool) -> dict[str, Any]:
        total = count_orders(tenant.schema_name, start=start, end=end)
        progress = Progress("judging", total)
        result: dict[str, Any] = {"tenant": tenant.slug, "dry_run": dry_run, "orders": 0, "changed": 0, "failed": 0}
        listed: list[dict[str, Any]] = []
        for chunk in reprocess(tenant.schema_name, start=start, end=end, dry_run=dry_run):
            result["orders"] += chunk.looked_at
            result["changed"] += len(chunk.corrected)
            result["failed"] += len(chunk.failed)
            listed += [as_json(order) for order in chunk.corrected[: LISTED - len(listed)]]
            for order in chunk.corrected:
                self.stdout.write(in_words(order))
            for order_id, error in chunk.failed:
                self.stdout.write(f"order {order_id}: cannot be judged: {error}")
            note = f"{result['orders']:,} orders, {result['changed']:,} differ"
            progress.show(result["orders"], note, last=result["orders"] >= total)
        return {**result, "changes": listed}


def range_of(first: str, last: str, zone: str) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last. Raises: CommandError."""
    start, end = day_of("--start-date", first), day_of("--end-date", last)
    if end < start:
        raise CommandError(f"--end-date {end} lies before --start-date {start}.")
    where = ZoneInfo(zone)
    return datetime.combine(start, time(), where), datetime.combine(end + timedelta(days=1), time(), where)


def day_of(option: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{option}: “{text}” is no date; write it like 2026-11-23.") from None
    if not 1970 <= found.year <= 2999:
        raise CommandError(f"{option}: give a year from 1970 to 2999.")
    return found


def as_json(order: Corrected) -> dict[str, Any]:
    rows = [{"what": each.what, "before": plain(each.before), "now": plain(each.now)} for each in order.differences]
    return {"order_id": order.order_id, "merchant": order.merchant, "differences": rows}


def in_words(order: Corrected) -> str:
    return f"order {order.order_id} ({order.merchant}): " + "; ".join(map(sentence_of, order.differences))


def sentence_of(each: Difference) -> str:
    if isinstance(each.before, Mapping) and isinstance(each.now, Mapping):
        names = [name for name in each.now if each.before.get(name) != each.now[name]]
        return f"{each.what}: " + ", ".join(
            f"{name} {plain(each.before[name])} → {plain(each.now[name])}" for name in names
        )
    if each.what.startswith("exception"):
        return f"{each.what}: {each.now}"
    return f"{each.what}: {plain(each.before)} → {plain(each.now)}"


def plain(value: Any) -> Any:
    """JSON's own types; times as text in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo("UTC")).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return value
