"""`prepare`: what a new version needs before its processes start. Quick where nothing is due, so it runs at each start."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django_tenants.utils import get_public_schema_name, get_tenant_model

from e2a.commands import JSONCommand
from e2a.errors import DATABASE_DOWN
from e2a.schedules import set_up_schedules

SOURCES = ["src/*"]  # what the style sheet is built from, which is not served


class Command(JSONCommand):
    help = "Migrates the public schema and each tenant's, sets up the schedules, collects static files that changed."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--only", choices=["database", "static"], help="only migrations and schedules, or only static files"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        migrated: list[str] = []
        changed: list[str] = []
        collected = False
        if options["only"] != "static":
            try:
                migrated = self.migrate()
                changed = self.schedule()
            except DATABASE_DOWN as error:
                raise CommandError(f"The database cannot be reached: {str(error).splitlines()[0]}") from None
        if options["only"] != "database":
            collected = self.collect()
        result = {"migrated": migrated, "schedules": changed, "static_collected": collected}
        text = f"{len(migrated)} schemas migrated, {len(changed)} schedules changed, static files {'collected' if collected else 'unchanged'}."
        self.finish(result, text, as_json=options["json"])

    def schedule(self) -> list[str]:
        self.stdout.write("schedules")
        done = set_up_schedules()
        return [*done.created, *done.updated, *done.removed]

    def migrate(self) -> list[str]:
        """The schemas that lacked a migration. The public one comes first: the tenants are its rows."""
        public, known = get_public_schema_name(), known_migrations()
        done = []
        if known - applied(public):
            self.stdout.write("migrating the public schema")
            call_command("migrate_schemas", schema_name=public, interactive=False, verbosity=0)
            done.append(public)
        schemas = list(get_tenant_model().objects.order_by("id").values_list("schema_name", flat=True))
        for number, schema in enumerate(schemas, start=1):
            if known - applied(schema):
                self.stdout.write(f"migrating {schema} ({number} of {len(schemas)})")
                call_command("migrate_schemas", schema_name=schema, interactive=False, verbosity=0)
                done.append(schema)
        return done

    def collect(self) -> bool:
        """Whether anything had changed. The digest is written last, so that a collecting that was cut off is done again."""
        mark = Path(settings.STATIC_ROOT) / ".collected"
        digest = digest_of_static_files()
        if mark.is_file() and mark.read_text() == digest:
            return False
        self.stdout.write("static files")
        call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=SOURCES)
        mark.write_text(digest)
        return True


def known_migrations() -> set[tuple[str, str]]:
    return set(MigrationLoader(None).graph.nodes)


def applied(schema: str) -> set[tuple[str, str]]:
    """django-tenants notes every app's migrations as applied in every schema."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f'"{schema}".django_migrations'])
        if cursor.fetchone()[0] is None:
            return set()
        cursor.execute(f'SELECT app, name FROM "{schema}".django_migrations')
        return set(cursor.fetchall())


def digest_of_static_files() -> str:
    """Of names, sizes and times: reading the files would take as long as collecting them."""
    lines = sorted(f"{path} {size} {time}" for path, size, time in static_files())
    return hashlib.sha256("\n".join([settings.STORAGES["staticfiles"]["BACKEND"], *lines]).encode()).hexdigest()


def static_files() -> Iterator[tuple[str, int, int]]:
    for finder in get_finders():
        for path, storage in finder.list(SOURCES):
            found = Path(storage.path(path)).stat()
            yield path, found.st_size, int(found.st_mtime)
