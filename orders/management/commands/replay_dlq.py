"""`replay_dlq TENANT [--reason R] [--source S] [--dry-run]`: dead letters through the door again."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django_tenants.utils import schema_context

from e2a.commands import JSONCommand, sentences
from e2a.postgresql.raw import database_now, raw_connection
from e2a.progress import Progress
from orders.letter_lists import LetterFilters
from orders.letter_replay import EFFECTS, OUTCOMES, REFUSED
from orders.letter_runs import Rehearsal, rehearse, run_replay, start_replay, stop_replay
from orders.models import LetterReplay, ReplayStatus
from tenants.models import Tenant

ACTOR = "command:replay_dlq"
LISTED = 1_000


class Command(JSONCommand):
    help = "Puts waiting dead letters through the door again. What is still refused goes on waiting, with what is wrong now."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("--reason", action="append", default=[], help="only this reason; repeat for several")
        parser.add_argument("--source", action="append", default=[], help="only this source; repeat for several")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"], active=True).first()
        if tenant is None:
            raise CommandError(f"There is no active tenant “{options['tenant']}”.")
        filters = LetterFilters(reason=tuple(options["reason"]), source=tuple(options["source"]))
        with sentences(), schema_context(tenant.schema_name):
            if options["dry_run"]:
                self.tell_rehearsal(tenant, rehearse(tenant.schema_name, filters), as_json=options["json"])
            else:
                self.tell_replay(tenant, self.replay(tenant.schema_name, filters), as_json=options["json"])

    def replay(self, schema: str, filters: LetterFilters) -> LetterReplay:
        """Stopped by Ctrl-C between two chunks, it says how far it came; killed, a worker goes on with it."""
        asked = start_replay(filters, actor=ACTOR)
        progress = Progress("replaying", asked.total)

        def show(replay: LetterReplay) -> None:
            progress.show(
                replay.letters_done, f"{replay.letters_done:,} letters", last=replay.status == ReplayStatus.DONE
            )

        try:
            return run_replay(schema, asked.pk, progress=show)
        except KeyboardInterrupt:
            stop_replay(asked.pk, now=database_now(raw_connection()))
            return LetterReplay.objects.get(pk=asked.pk)

    def tell_replay(self, tenant: Tenant, replay: LetterReplay, *, as_json: bool) -> None:
        result = {"tenant": tenant.slug, "dry_run": False, "matched": replay.total, **told(replay.counts)}
        self.finish(result, f"{replay.total} letters: {in_words(replay.counts)}.", as_json=as_json)
        if replay.status != ReplayStatus.DONE:
            raise CommandError("The replay was stopped before its end; the other letters wait.")

    def tell_rehearsal(self, tenant: Tenant, found: Rehearsal, *, as_json: bool) -> None:
        listed = found.outcomes[:LISTED]
        result = {
            "tenant": tenant.slug,
            "dry_run": True,
            "matched": found.matched,
            "rehearsed": len(found.outcomes),
            **told(found.counts),
            "letters": [outcome.as_dict() for outcome in listed],
            "effects": [effect.as_dict() for effect in found.effects[:LISTED]],
        }
        lines = [f"letter {each.letter}: {each.sentence}" for each in listed]
        lines += [f"order {each.order_id}: {each.reason} would be {each.effect}" for each in found.effects[:LISTED]]
        part = "" if found.whole else f" (of the first {len(found.outcomes)})"
        lines.append(f"{found.matched} letters{part}: {in_words(found.counts)}. Nothing was changed.")
        self.finish(result, "\n".join(lines), as_json=as_json)


def told(counts: dict[str, int]) -> dict[str, int]:
    """Every outcome and effect, the zeros too."""
    names = (*OUTCOMES, *(f"exceptions_{effect}" for effect in EFFECTS))
    return {"replayed": replayed(counts), **{name: counts.get(name, 0) for name in names}}


def replayed(counts: dict[str, int]) -> int:
    return sum(counts.get(name, 0) for name in OUTCOMES if name not in ("conflict", REFUSED))


def in_words(counts: dict[str, int]) -> str:
    words = [f"{count} {name.replace('_', ' ')}" for name, count in counts.items()]
    return ", ".join(words) or "none waits"
