"""The schema of a new tenant: its tables are made from the models, and its migrations are recorded as applied.

Running the migrations instead gives the very same tables (a test compares the catalogues) at eighty times the cost, which
grows with every migration. A migration that does more than the models say, such as filling a table, fails that test.
"""

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_tenants.utils import schema_context


def create_schema(name: str) -> None:
    """In the caller's transaction. Raises: ValidationError when a schema of that name is there already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [name])
        if cursor.fetchone():
            raise ValidationError({"slug": [f"The database already has a schema “{name}”."]})
        cursor.execute(f'CREATE SCHEMA "{name}"')
    with schema_context(name):
        create_tables()
        record_migrations()


def create_tables() -> None:
    models = [model for app in settings.TENANT_APPS for model in apps.get_app_config(app.split(".")[-1]).get_models()]
    with connection.schema_editor() as editor:
        for model in models:
            if model._meta.managed and not model._meta.proxy:
                editor.create_model(model)


def record_migrations() -> None:
    """All of them, the shared apps' too, as `migrate_schemas` does."""
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    recorder.migration_qs.bulk_create(recorder.Migration(app=app, name=name) for app, name in known)
