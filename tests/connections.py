"""Connections of their own to the test database, for races."""

from typing import Any

import psycopg
from django.db import connection


def another_connection(**options: Any) -> psycopg.Connection[Any]:
    """Autocommits; reads what the test has committed."""
    given = connection.get_connection_params()
    wanted = {key: given[key] for key in ("host", "port", "user", "password", "dbname") if given.get(key)}
    return psycopg.connect(**wanted, autocommit=True, **options)
