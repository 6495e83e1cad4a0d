from django.apps import AppConfig
from django.core.management.commands import makemigrations
from django_tenants.management.commands.migrate_schemas import Command as MigrateSchemas


class E2AConfig(AppConfig):
    name = "e2a"
    label = "e2a"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # django-pgtrigger extends makemigrations' autodetector and checks that migrate uses the same one.
        MigrateSchemas.autodetector = makemigrations.Command.autodetector
