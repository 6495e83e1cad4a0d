"""The environment of the stack's processes: generated secrets, a .env file beside run.sh, the caller's environment, in rising order.

Until the stack is stopped, what it was started with stands below the caller's, so that `E2A_WEB_PORT=9000 ./run.sh start`
is followed by a plain `./run.sh demo`, after a crash too.
"""

import json
from collections.abc import Mapping

from e2a.stack.home import Home
from e2a.stack.secret_file import read_values
from e2a.stack.servers import CannotStart

PREFIXES = ("E2A_", "AI_", "SHOPIFY_", "OTEL_", "SENTRY_", "NEW_RELIC_")
NAMES = (
    "APP_ENV", "SERVICE_NAME", "LOG_LEVEL", "SECRET_KEY", "JWT_SECRET", "EMAIL_URL", "DEFAULT_FROM_EMAIL", "DATABASE_URL",
    "REDIS_URL", "WEBHOOK_DELAY_SECONDS",
)  # fmt: skip
NO_SETTINGS = ("E2A_ENV_FILE", "E2A_HOME", "E2A_PYTHON", "E2A_CHROMIUM", "E2A_STACK_ID")
# What would lead our programs elsewhere: another Django, another database, another broker, another server's options.
STRAY = ("PIP_", "PG", "GRANIAN_", "CELERY_", "DJANGO_", "PROMETHEUS_", "SUPERVISOR_", "E2A_STACK", "E2A_TEST")
STRAY_NAMES = ("BROKER_URL", "RESULT_BACKEND", "LOADER", "VIRTUAL_ENV")
PORTS = {"E2A_WEB_PORT": 8000, "E2A_API_PORT": 8001, "SHOPIFY_MOCK_PORT": 8090}
MAIL_PORT = "SHOPIFY_MOCK_SMTP_PORT"


def is_setting(name: str) -> bool:
    if name in NO_SETTINGS or name.startswith(STRAY):
        return False
    return name in NAMES or name.startswith(PREFIXES)


def settings_of(environ: Mapping[str, str]) -> dict[str, str]:
    """E²A's own variables that say something; an empty one is as good as none."""
    return {name: value.strip() for name, value in environ.items() if is_setting(name) and value.strip()}


def rest_of(environ: Mapping[str, str]) -> dict[str, str]:
    """What is no setting of ours and leads nobody astray: PATH, HOME, locale, proxies …"""
    stray = (*STRAY, "PYTHON")
    kept = {k: v for k, v in environ.items() if not k.startswith(stray) and k not in STRAY_NAMES and not is_setting(k)}
    return {**kept, **{k: environ[k] for k in ("PYTHONPATH", "PYTHONSAFEPATH") if k in environ}}


def chosen_settings(home: Home, environ: Mapping[str, str]) -> dict[str, str]:
    return {**settings_of(read_values(home.secrets)), **read_started(home), **settings_of(environ)}


def check_same(home: Home, settings: Mapping[str, str]) -> None:
    """Raises: CannotStart when a running stack was started with other settings."""
    started = read_started(home)
    names = sorted(name for name in {*started, *settings} if value_of(started, name) != value_of(settings, name))
    if names:
        raise CannotStart(
            f"The stack of {home.folder} runs with another {', '.join(names)}: say ./run.sh restart to change it, or set E2A_HOME "
            "to another folder for a second stack."
        )


def read_started(home: Home) -> dict[str, str]:
    try:
        found = json.loads(home.settings.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def value_of(settings: Mapping[str, str], name: str) -> str:
    return settings.get(name, str(PORTS.get(name, "")))


def ports_of(settings: Mapping[str, str]) -> dict[str, int]:
    """By variable. Raises: CannotStart when one is no port or two are the same."""
    found: dict[str, int] = {}
    wanted = {**{name: str(default) for name, default in PORTS.items()}, **settings}
    for name in (*PORTS, MAIL_PORT):
        text = wanted.get(name)
        if text is None:
            continue
        if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= 65_535):
            raise CannotStart(f"{name} must be a port from 1 to 65535; it is “{text[:40]}”.")
        twin = next((other for other, port in found.items() if port == int(text)), None)
        if twin:
            raise CannotStart(f"{twin} and {name} are both {text}: give one of them another port.")
        found[name] = int(text)
    return found
