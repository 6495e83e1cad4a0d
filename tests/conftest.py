"""The cast: two tenants for the session, `acme` (ours) and `globex` (must see nothing)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from django_tenants.utils import schema_context
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from orders.limits import limits
from tenants.models import Tenant
from tenants.services import create_tenant

hypothesis_settings.register_profile(
    "e2a", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
hypothesis_settings.load_profile("e2a")
TENANTS = ("acme", "globex")
pytest_plugins = ["tests.live", "tests.api_server"]


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """The tenants are committed once a session; a test's own rows go away with its transaction (or by `committed`).

    In place of pytest-django's own, which makes no database when only tests that commit are chosen.
    """
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
        for slug in TENANTS:
            create_tenant(slug=slug, name=slug.title())
    yield
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:  # a browser's loop in this thread has had a connection of its own
            cursor.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()"""
            )
        connection.close()
        teardown_databases(made, verbosity=0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With both, pytest-django flushes the public tables after the test, the tenants with them: every later test would fail."""
    both = [
        item.nodeid
        for item in items
        if "transactional_db" in (names := getattr(item, "fixturenames", ()))
        and ("db" in names or item.get_closest_marker("django_db"))
    ]
    if both:
        raise pytest.UsageError(
            "These tests both commit and roll back; take `committed` or the database, not both: " + ", ".join(both)
        )


@pytest.fixture(autouse=True)
def nobody_has_sent_anything() -> None:
    """The door's limits are the process's, and every test sends from the same address."""
    limits.forget()


@pytest.fixture
def acme(db: None) -> Tenant:
    return Tenant.objects.get(slug="acme")


@pytest.fixture
def globex(db: None) -> Tenant:
    return Tenant.objects.get(slug="globex")


@pytest.fixture
def in_acme(acme: Tenant) -> Iterator[Tenant]:
    """The connection stands in acme's schema."""
    with schema_context(acme.schema_name):
        yield acme


@pytest.fixture
def committed(transactional_db: None) -> None:
    """For races and processes: really commits, on as many connections as the test likes; swept afterwards."""


@pytest.fixture
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Instead of pytest-django's, which would empty the public schema too. By this name it knows that a database is needed."""
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            connection.close()
            sweep()


def sweep() -> None:
    """Empties the tenants' tables and removes what the test added to the public schema."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
            WHERE schemaname = ANY(%s) AND tablename <> 'django_migrations'""",
            [list(TENANTS)],
        )
        tables = ", ".join(row[0] for row in cursor.fetchall())
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        cursor.execute("SELECT schema_name FROM public.tenants_tenant WHERE slug <> ALL(%s)", [list(TENANTS)])
        for (schema,) in cursor.fetchall():
            cursor.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        cursor.execute("DELETE FROM public.tenants_policydraft")
        cursor.execute("DELETE FROM public.tenants_slapolicy WHERE version > 1")
        cursor.execute("TRUNCATE public.tenants_slapolicychange")
        for table in (
            "apikey",
            "webhooksecret",
            "webhooksource",
            "membership",
            "invitation",
            "mail",
            "merchant",
            "outgoingtarget",
        ):
            cursor.execute(f"DELETE FROM public.tenants_{table}")
        for table in ("aibudget", "aireservation", "aibreaker"):
            cursor.execute(f"DELETE FROM public.tenants_{table}")
        cursor.execute("DELETE FROM public.django_session")
        cursor.execute("DELETE FROM public.axes_accessattempt")
        cursor.execute("DELETE FROM public.tenants_user")
        cursor.execute(
            "DELETE FROM public.tenants_domain WHERE tenant_id IN (SELECT id FROM public.tenants_tenant WHERE slug <> ALL(%s))",
            [list(TENANTS)],
        )
        cursor.execute(
            "DELETE FROM public.tenants_slapolicy WHERE tenant_id IN (SELECT id FROM public.tenants_tenant WHERE slug <> ALL(%s))",
            [list(TENANTS)],
        )
        cursor.execute("DELETE FROM public.tenants_tenant WHERE slug <> ALL(%s)", [list(TENANTS)])
