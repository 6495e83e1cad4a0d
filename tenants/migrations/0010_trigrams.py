"""The extension that finds a part of a text by index, once for all tenants, in the public schema."""

from django.db import migrations

from e2a.postgresql.trigrams import CREATE_EXTENSION


class Migration(migrations.Migration):
    dependencies = [("tenants", "0009_policy_drafts")]

    operations = [migrations.RunSQL(CREATE_EXTENSION, migrations.RunSQL.noop)]
