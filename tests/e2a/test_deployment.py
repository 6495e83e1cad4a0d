"""What stands beside the code for running it elsewhere says the same as the code."""

import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2a.stack.home import Home
from e2a.stack.install import ROOT
from e2a.stack.processes import Stack, api_command, processes_of

CONTRACT = {
    "APP_ENV", "SERVICE_NAME", "LOG_LEVEL", "SECRET_KEY", "E2A_FIELD_KEYS", "E2A_BASE_DOMAIN", "EMAIL_URL", "DATABASE_URL",
    "REDIS_URL", "AI_PROVIDER_BASE_URL", "AI_MODEL", "AI_API_KEY", "AI_MAX_DAILY_TOKENS", "AI_MODE", "AI_TIMEOUT_SECONDS",
    "AI_MIN_CONFIDENCE", "NEW_RELIC_LICENSE_KEY", "OTEL_EXPORTER_OTLP_ENDPOINT", "SENTRY_DSN", "JWT_SECRET",
    "SHOPIFY_DEMO_API_PRODUCE_MIN_ORDERS", "SHOPIFY_DEMO_API_PRODUCE_MAX_ORDERS", "WEBHOOK_DELAY_SECONDS",
}  # fmt: skip
RUN_SH = {"E2A_HOME", "E2A_PYTHON", "E2A_CHROMIUM", "E2A_DEMO_PASSWORD", "E2A_ADMIN_PASSWORD", "POSTGRES_PASSWORD"}
INSIDE = {"CRASH_AT", "E2A_TEST_DATABASE", "PROMETHEUS_MULTIPROC_DIR"}  # set by the tests and by the supervisor, for nobody else
ROOMS = ("e2a", "tenants", "orders", "exceptions", "billing", "analytics", "shopify_mock")


def listed() -> set[str]:
    return set(re.findall(r"^# ([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def read_by_the_code() -> set[str]:
    """Names that stand in a call of one of the readers: `env.text("X"`, `_whole(environ, "X"`, `environ.get("X"`."""
    files = (path for room in ROOMS for path in (ROOT / room).rglob("*.py") if path.parent.name != "stack")
    reader = r"""(?:\benv\.[a-z_]+\(|environ,|environ\.get\(|environ\[)\s*"([A-Z][A-Z0-9_]+)\""""
    return {name for path in files for name in re.findall(reader, path.read_text())} - INSIDE


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def test_the_example_lists_every_variable_that_is_read_and_no_other() -> None:
    assert listed() == read_by_the_code() | RUN_SH
    assert listed() >= CONTRACT


def test_a_copy_of_the_example_changes_nothing() -> None:
    assert [
        line for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")
    ] == []


def test_compose_runs_the_same_processes_as_the_supervisor(tmp_path: Path) -> None:
    ports = {"SHOPIFY_MOCK_SMTP_PORT": "8091"}
    stack = Stack(Home(tmp_path), {**ports, "DATABASE_URL": "x", "REDIS_URL": "x"}, tmp_path, None, None)
    ours = {process.name for process in processes_of(stack)} | {"postgres", "redis"}
    assert set(compose()["services"]) == ours | {"redis-cache", "prepare"}


def test_compose_names_only_variables_of_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    services = compose()["services"].values()
    set_there = {name for service in services if service.get("image") == "e2a" for name in service["environment"]}
    assert (set(re.findall(r"\$\{([A-Z0-9_]+)", text)) | set_there) - listed() == set()


def test_the_broker_never_evicts_and_the_cache_may() -> None:
    services = compose()["services"]
    assert services["redis"]["command"][-2:] == ["--maxmemory-policy", "noeviction"]
    assert services["redis-cache"]["command"][-1] == "allkeys-lru"


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {
        name: os.environ[name] for name in ("PATH", "E2A_FIELD_KEYS", "DATABASE_URL", "REDIS_URL") if name in os.environ
    }
    keys = {"SECRET_KEY": secrets.token_urlsafe(48), "JWT_SECRET": secrets.token_urlsafe(48)}
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env={**clean, **keys, **environment}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("app_env", ["production", "staging"])
def test_the_deployment_check_has_nothing_to_say(app_env: str, tmp_path: Path) -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", APP_ENV=app_env, E2A_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_a_wrong_value_stops_the_start_with_a_sentence_that_names_it(tmp_path: Path) -> None:
    done = manage("check", AI_MODE="clever", E2A_HOME=str(tmp_path))
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].endswith("AI_MODE must be one of smart, full, fallback; it is 'clever'.")


def test_image_serves_the_api_by_the_same_entrance_as_the_stack() -> None:
    said = (ROOT / "Dockerfile").read_text().splitlines()[-1].removeprefix("CMD ")
    image, stack = json.loads(said), api_command(8001)
    assert image[-1] == stack[-1] == "e2a.rsgi:application"
    for option in ("--interface", "--http1-header-read-timeout", "--http1-buffer-size"):
        assert image[image.index(option) + 1] == stack[stack.index(option) + 1]
