"""Columns that are encrypted at rest."""

from typing import Any

from django.db import models

from e2a.encryption import decrypt, encrypt


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text in Python, a Fernet token in the database. It cannot be searched; keep a digest beside it for that."""

    def get_prep_value(self, value: Any) -> Any:
        return encrypt(value) if value else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return decrypt(value) if value else value
