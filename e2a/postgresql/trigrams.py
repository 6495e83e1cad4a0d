"""Finding a part of a text by index: three letters at a time, by PostgreSQL's own extension pg_trgm.

Where the database has it not (a server without its contrib modules, an owner who may create nothing), the index is left out, and
the same search reads the table instead.
"""

from typing import Any

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement
from django.db.models import Model
from django.db.models.expressions import OrderBy
from django.db.models.functions import Collate, Upper
from django.db.models.indexes import IndexExpression

# As the app django.contrib.postgres does when it starts, whose other half asks every new connection for types that we have not.
IndexExpression.register_wrappers(OrderBy, OpClass, Collate)

# An owner who is no superuser may create it too: it is a trusted extension. No percent sign: in a command, where who did what is
# noted beside each statement, it would be taken for a placeholder.
CREATE_EXTENSION = """
DO $$ BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
  RAISE WARNING USING MESSAGE = 'pg_trgm cannot be created (' || SQLERRM || '), so searches read the whole table';
END $$"""
IF_THERE = """
DO $do$ BEGIN
  IF EXISTS (SELECT FROM pg_opclass WHERE opcname = 'gin_trgm_ops' AND pg_opclass_is_visible(oid)) THEN {create}; END IF;
END $do$"""


class TrigramIndex(GinIndex):
    """For `icontains` on these text columns, which compares their capitals. Left out where pg_trgm is not there."""

    def __init__(self, *columns: str, name: str, **kwargs: Any) -> None:
        self.columns = columns
        super().__init__(*(OpClass(Upper(column), "gin_trgm_ops") for column in columns), name=name, **kwargs)

    def deconstruct(self) -> Any:
        path, _, kwargs = super().deconstruct()
        return path, self.columns, kwargs

    def create_sql(
        self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **kwargs: Any
    ) -> Statement:
        statement: Statement = super().create_sql(model, schema_editor, using=using, **kwargs)
        statement.template = IF_THERE.format(create=statement.template)
        return statement
