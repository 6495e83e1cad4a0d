"""What the stack consists of: each process with its command, its own environment and how it is stopped."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from e2a.stack.environment import MAIL_PORT, ports_of, rest_of
from e2a.stack.home import ROOT, Home, socket_folder
from e2a.stack.servers import Postgres, Valkey, check_short

DEMO_TENANT = "demo-3pl"
DEMO_SOURCE = "shopify"
WEB_POOL, API_WORKERS, API_THREADS = 10, 2, 4
POSTGRES = (
    "max_connections=200", "shared_buffers=256MB", "max_locks_per_transaction=256", "max_wal_size=2GB", "wal_compression=on",
    "max_parallel_workers_per_gather=0",  # their shared memory does not fit the 64 MB that a container has
    "idle_in_transaction_session_timeout=5min", "log_line_prefix=%m [%p] %a ",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Process:
    """`environment` is added to what all have. `port` is where it answers `/healthz`, 0 if it has none."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    stop_signal: str = "TERM"
    stop_seconds: int = 10


@dataclass(frozen=True, slots=True)
class Stack:
    """A home with chosen settings. A server that is None is named by DATABASE_URL or REDIS_URL and not ours to start."""

    home: Home
    settings: dict[str, str]
    sockets: Path
    postgres: Postgres | None
    valkey: Valkey | None

    @classmethod
    def of(cls, home: Home, settings: Mapping[str, str], stack_id: str) -> "Stack":
        """Raises: CannotStart."""
        sockets = socket_folder(home, stack_id)
        check_short(sockets / "pg")
        postgres = Postgres(home.postgres_folder() / "data", sockets / "pg")
        valkey = Valkey(home.folder / "redis", sockets / "vk")
        named = dict(settings)
        return cls(
            home,
            named,
            sockets,
            None if "DATABASE_URL" in named else postgres,
            None if "REDIS_URL" in named else valkey,
        )

    @property
    def ports(self) -> dict[str, int]:
        return ports_of(self.settings)

    @property
    def domain(self) -> str:
        return self.settings.get("E2A_BASE_DOMAIN", "localhost")

    @property
    def web(self) -> str:
        """The back-office of the demo tenant."""
        return f"http://{DEMO_TENANT}.{self.domain}:{self.ports['E2A_WEB_PORT']}"

    def environment(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Of all processes, and of manage.py."""
        servers = {
            "DATABASE_URL": self.postgres.url if self.postgres else self.settings["DATABASE_URL"],
            "REDIS_URL": self.valkey.url if self.valkey else self.settings["REDIS_URL"],
        }
        ports = {name: str(port) for name, port in self.ports.items()}
        mail = {"EMAIL_URL": f"smtp://127.0.0.1:{ports[MAIL_PORT]}"}  # read at the shop's page /mail
        fixed = {"E2A_HOME": str(self.home.folder), "DJANGO_SETTINGS_MODULE": "e2a.settings", "PYTHONUNBUFFERED": "1"}
        return {**rest_of(environ), **mail, **self.settings, **ports, **servers, **fixed}


def processes_of(stack: Stack) -> list[Process]:
    """In the order in which they start."""
    return [*servers_of(stack), *programs_of(stack)]


def servers_of(stack: Stack) -> list[Process]:
    found = []
    if stack.postgres:
        found.append(Process("postgres", stack.postgres.command(*POSTGRES), stop_signal="INT", stop_seconds=30))
    if stack.valkey:
        # Its title would overwrite the environment by which it is found again.
        found.append(Process("redis", stack.valkey.command("--set-proc-title", "no"), stop_seconds=20))
    return found


def api_command(port: int) -> list[str]:
    """The API's server. A request's head has at most 64 KiB, so that nobody's headers fill the memory."""
    return [
        sys.executable, "-m", "granian", "--interface", "rsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", str(API_WORKERS), "--respawn-failed-workers", "--http1-header-read-timeout", "10000",
        "--respawn-interval", "0.5", "--workers-kill-timeout", "8", "--backlog", "1024", "--http1-buffer-size", "65536",
        "--no-ws", "--log-level", "warning", "e2a.rsgi:application",
    ]  # fmt: skip


def programs_of(stack: Stack) -> list[Process]:
    ports = stack.ports
    web, api, shop = ports["E2A_WEB_PORT"], ports["E2A_API_PORT"], ports["SHOPIFY_MOCK_PORT"]
    metrics = {"PROMETHEUS_MULTIPROC_DIR": str(stack.home.run / "metrics")}
    python = [sys.executable, "-m"]
    workers = str(max(2, min(4, os.cpu_count() or 2)))
    celery = [*python, "celery", "-A", "e2a"]
    return [
        Process(
            "web", [*python, "daphne", "-b", "127.0.0.1", "-p", str(web), "--no-server-name", "-v", "0", "e2a.asgi:application"],
            {**metrics, "E2A_DB_POOL_SIZE": str(WEB_POOL)}, web,
        ),
        Process("api", api_command(api), {**metrics, "E2A_DB_POOL_SIZE": str(API_THREADS)}, api),
        Process(
            "worker", [*celery, "worker", "--concurrency", workers, "--without-gossip", "--without-mingle", "-l", "INFO"],
            metrics, stop_seconds=30,
        ),
        Process("beat", [*celery, "beat", "-l", "WARNING", "--pidfile="]),
        Process("radar", [sys.executable, str(ROOT / "manage.py"), "radar"], metrics),
        Process(
            "shopify-mock", [*python, "shopify_mock"],
            {
                "SHOPIFY_MOCK_HOME": str(stack.home.folder / "shopify-mock"),
                "SHOPIFY_MOCK_WEBHOOK_URL": stack.settings.get("SHOPIFY_MOCK_WEBHOOK_URL")
                or f"http://127.0.0.1:{api}/webhooks/{DEMO_TENANT}/{DEMO_SOURCE}",
            },
            shop,
        ),
    ]  # fmt: skip


def environment_of(stack: Stack, process: Process) -> dict[str, str]:
    """All that the process gets; a pool size or service name that the caller chose goes before ours."""
    service = {"SERVICE_NAME": f"e2a-{process.name}"}
    chosen = {
        name: stack.settings[name]
        for name in ("E2A_DB_POOL_SIZE",)
        if name in stack.settings and name in process.environment
    }
    return {**service, **stack.environment(), **process.environment, **chosen}
