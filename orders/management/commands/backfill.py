"""`backfill TENANT FILE.ndjson[.gz]`: loads history."""

import gc
import gzip
import os
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import CommandError, CommandParser

from e2a.commands import JSONCommand, sentences
from e2a.progress import Progress
from orders.backfill import Busy, Loaded, backfill
from tenants.models import Tenant

LOST = (psycopg.OperationalError, psycopg.InterfaceError)
CUT = "What was stored will be judged by the radar; run it again to load the rest."


class Command(JSONCommand):
    help = "Loads a file of one event a line. Run again, it loads nothing twice; bad lines become dead letters."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("file", type=Path, help="one event a line, as POST /events takes it; may be gzipped (.gz)")

    def handle(self, *args: Any, **options: Any) -> None:
        with sentences():
            tenant = Tenant.objects.filter(slug=options["tenant"], active=True).first()
        if tenant is None:
            raise CommandError(f"There is no tenant “{options['tenant']}”.")
        gc.freeze()  # the collector need not look through all that is loaded once more for every few events
        try:
            loaded = load(tenant.schema_name, options["file"])
        except Busy as busy:
            raise CommandError(str(busy)) from None
        except LOST:
            raise CommandError(f"The database went away. {CUT}") from None
        except (OSError, EOFError, zlib.error) as error:
            raise CommandError(f"{options['file']} cannot be read to its end: {error}. {CUT}") from None
        self.finish(asdict(loaded), summary(loaded), as_json=options["json"])


def load(schema: str, path: Path) -> Loaded:
    """Shows its progress by how much of the file was read, then by how many orders were judged."""
    with path.open("rb") as raw:
        file = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        storing = Progress("storing", os.fstat(raw.fileno()).st_size)
        judging: list[Progress] = []

        def on_stored(loaded: Loaded) -> None:
            storing.show(raw.tell(), f"{loaded.read:,} read, {loaded.stored:,} stored, {loaded.rejected:,} rejected")

        def on_judged(loaded: Loaded, total: int) -> None:
            if not judging:
                judging.append(Progress("judging", total))
            judging[0].show(loaded.judged, f"{loaded.judged:,} orders", last=loaded.judged >= total)

        return backfill(schema, file, on_stored=on_stored, on_judged=on_judged)


def summary(loaded: Loaded) -> str:
    breaches = "".join(f"\n  {stage}: {count:,}" for stage, count in loaded.breaches.items()) or " none"
    return (
        f"{loaded.read:,} lines read in {loaded.seconds:.1f} s: {loaded.stored:,} stored, {loaded.duplicates:,} there already, "
        f"{loaded.rejected:,} rejected (see the dead letters). Orders in breach, by stage:{breaches}"
    )
