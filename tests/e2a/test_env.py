"""The readers of the environment: a wrong value stops the start with one sentence that names it (CONTRACT 6)."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from e2a.env import Environment, broker_url, database_settings, email_settings, redis_database

ROOT = Path(__file__).resolve().parent.parent.parent
Reader = Callable[[Environment], Any]
READ = {
    "whole": lambda env: env.whole("X", 5, low=1, high=9),
    "number": lambda env: env.number("X", 0.5, low=0, high=1),
    "flag": lambda env: env.flag("X", True),
    "one_of": lambda env: env.one_of("X", "a", ("a", "b")),
    "url": lambda env: env.url("X", "redis://h", ("redis://", "unix://")),
    "host": lambda env: env.host("X", "localhost"),
}


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("whole", "", 5),
        ("whole", " 9 ", 9),
        ("number", "0.25", 0.25),
        ("flag", "No", False),
        ("flag", "1", True),
        ("one_of", "b", "b"),
        ("url", "unix:///tmp/s?db=0", "unix:///tmp/s?db=0"),
        ("url", "redis://:p@h:6379/0", "redis://:p@h:6379/0"),
        ("host", "e2a.example.com", "e2a.example.com"),
    ],
)
def test_value_is_read(kind: str, raw: str, value: Any) -> None:
    assert READ[kind](Environment({"X": raw})) == value


@pytest.mark.parametrize(
    ("kind", "raw", "sentence"),
    [
        ("whole", "ten", "X must be a whole number from 1 to 9; it is 'ten'."),
        ("whole", "10", "X must be a whole number from 1 to 9; it is '10'."),
        ("whole", "1.5", "X must be a whole number from 1 to 9; it is '1.5'."),
        ("number", "nan", "X must be a number from 0 to 1; it is 'nan'."),
        ("number", "inf", "X must be a number from 0 to 1; it is 'inf'."),
        ("flag", "perhaps", "X must be true or false; it is 'perhaps'."),
        ("one_of", "c", "X must be one of a, b; it is 'c'."),
        ("url", "http://h", "X must be a URL that starts with redis:// or unix://; it is 'http://h'."),
        ("url", "redis://", "X must be a URL that starts with redis:// or unix://; it is 'redis://'."),
        ("url", "redis://h:port", "X must be a URL that starts with redis:// or unix://; it is 'redis://h:port'."),
        ("host", "https://x", "X must be a host name such as e2a.example.com; it is 'https://x'."),
        ("host", "UPPER", "X must be a host name such as e2a.example.com; it is 'UPPER'."),
    ],
)
def test_wrong_value_is_named_in_a_sentence(kind: str, raw: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        READ[kind](Environment({"X": raw}))
    assert str(refused.value) == sentence


def test_secret_is_long_and_never_quoted() -> None:
    for raw in ("", "too-short-a-secret"):
        with pytest.raises(ImproperlyConfigured) as refused:
            Environment({"X": raw}).secret("X")
        assert str(refused.value) == "X must be set to a random text of at least 32 characters."


def test_password_of_a_url_is_never_quoted() -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        Environment({"X": "mysql://app:hunter2@db/e2a"}).url("X", "", ("postgresql://",))
    assert str(refused.value) == "X must be a URL that starts with postgresql://; it is 'mysql://…@db/e2a'."


def test_database_url_in_its_forms() -> None:
    over_tcp = database_settings("postgresql://app:p%40ss@db.example:5433/shop?sslmode=require")
    assert over_tcp == {
        "NAME": "shop",
        "USER": "app",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }
    over_socket = database_settings("postgresql://postgres@/e2a?host=/tmp/a folder")
    assert (over_socket["HOST"], over_socket["PORT"], over_socket["NAME"]) == ("/tmp/a folder", "", "e2a")


def test_redis_url_in_its_forms() -> None:
    assert redis_database("redis://:p@h:6379/0", 2) == "redis://:p@h:6379/2"
    assert redis_database("unix:///tmp/s/valkey.sock?db=0", 1) == "unix:///tmp/s/valkey.sock?db=1"
    assert broker_url("unix:///tmp/s/valkey.sock?db=3") == "redis+socket:///tmp/s/valkey.sock?virtual_host=0"
    assert broker_url("redis://h:1/5") == "redis://h:1/0"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("consolemail://", ("console", "", 25, "", "", False, False)),
        ("memorymail://test", ("locmem", "test", 25, "", "", False, False)),
        ("smtp://u:p%40@mail.example:2525", ("smtp", "mail.example", 2525, "u", "p@", False, False)),
        ("smtps://mail.example", ("smtp", "mail.example", 465, "", "", True, False)),
        ("smtp+tls://mail.example", ("smtp", "mail.example", 587, "", "", False, True)),
    ],
)
def test_email_url_in_its_forms(url: str, expected: tuple[Any, ...]) -> None:
    kind, *rest = expected
    assert email_settings(url) == (f"django.core.mail.backends.{kind}.EmailBackend", *rest)


WRONG = {
    "APP_ENV": "dev",
    "LOG_LEVEL": "loud",
    "SECRET_KEY": "short",
    "JWT_SECRET": "short",
    "E2A_FIELD_KEYS": "no-key",
    "E2A_BASE_DOMAIN": "http://x",
    "E2A_WEB_PORT": "99999",
    "E2A_API_PORT": "web",
    "DATABASE_URL": "mysql://x",
    "REDIS_URL": "http://x",
    "EMAIL_URL": "pigeon://x",
    "AI_PROVIDER_BASE_URL": "ftp://x",
    "AI_MAX_DAILY_TOKENS": "many",
    "AI_MODE": "clever",
    "AI_TIMEOUT_SECONDS": "0",
    "AI_MIN_CONFIDENCE": "2",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "x",
    "SENTRY_DSN": "x",
}
START = """
import importlib, json, os, sys
said = {}
good = dict(os.environ)
for name, value in json.loads(sys.argv[1]).items():
    os.environ.clear(); os.environ.update(good | {name: value})
    sys.modules.pop("e2a.settings", None)
    try:
        importlib.import_module("e2a.settings")
        said[name] = "started"
    except Exception as error:
        said[name] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""


def test_each_wrong_value_stops_the_start() -> None:
    done = subprocess.run(
        [sys.executable, "-c", START, json.dumps(WRONG)],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout.splitlines()[-1])
    assert {name: text for name, text in said.items() if not text.startswith(f"ImproperlyConfigured: {name}")} == {}


def test_production_settings_pass_djangos_deployment_checks() -> None:
    given = {"APP_ENV": "production", "SECRET_KEY": "abcdefghij-0123456789-" * 3, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ) | given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
