"""A whole installation of its own for the faults: servers that sync to disk, proxies before them, and our processes.

Nobody restarts what dies here: a test kills, starts again and looks.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import psycopg

from e2a.stack.processes import api_command
from e2a.stack.servers import Postgres, Valkey, wait_until
from tests.faults.proxy import Proxy
from tests.live import free_port
from tests.servers import listens, start_postgres, start_valkey

ROOT = Path(__file__).resolve().parents[2]
SECRET = "faults-secret-0123456789-0123456789"
TENANTS = ("acme", "calm")  # `calm` gets the same events without any fault: what the state must be
SLA = '{"payment_processing_minutes": 30, "order_fulfillment_hours": 24, "inventory_check_minutes": 15}'
DURABLE = ("max_connections=100", "max_locks_per_transaction=256")
MAPPING = {"order_id": "order", "event_type": "type", "occurred_at": "at", "event_id": "id"}
MAKE_SOURCE = """
import json, sys
from tenants.models import Tenant, WebhookSecret, WebhookSource
from e2a.encryption import secret_digest
row = WebhookSource.objects.create(tenant=Tenant.objects.get(slug="acme"), name="shop", provider="json", mapping=json.loads(sys.argv[1]))
WebhookSecret.objects.create(source=row, secret=sys.argv[2], digest=secret_digest(sys.argv[2]))
"""


class Installation:
    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711)
        self.home = home
        self.postgres = Postgres(home / "pg" / "data", home / "s")
        self.valkey = Valkey(home / "vk", home / "v")
        self.database_proxy = Proxy(home / "p" / ".s.PGSQL.5432", home / "s" / ".s.PGSQL.5432")
        self.redis_proxy = Proxy(home / "q" / "valkey.sock", home / "v" / "valkey.sock")
        self.port = free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.keys: dict[str, str] = {}
        self.environ = os.environ | {
            "APP_ENV": "test",
            "DATABASE_URL": f"postgresql://postgres@/postgres?host={home / 'p'}",
            "REDIS_URL": f"unix://{home / 'q' / 'valkey.sock'}?db=0",
            "PROMETHEUS_MULTIPROC_DIR": str(home / "metrics"),
            "E2A_DB_POOL_SIZE": "0",
        }

    def start(self) -> None:
        (self.home / "metrics").mkdir()
        self.start_postgres()
        self.start_redis()
        self.database_proxy.start()
        self.redis_proxy.start()
        self.manage("migrate_schemas", "--shared", "-v", "0")
        for tenant in TENANTS:
            self.manage("create_tenant", tenant, "--sla", SLA)
            self.keys[tenant] = self.manage("create_api_key", tenant, "--scope", "ingest").splitlines()[-1]
        self.manage("setup_schedules")
        self.django(MAKE_SOURCE, json.dumps(MAPPING), SECRET)
        self.start_api()
        for name in ("radar", "worker", "beat"):
            self.start_process(name)

    def start_postgres(self) -> None:
        (self.processes["postgres"],) = start_postgres(self.postgres, DURABLE)

    def start_redis(self) -> None:
        (self.home / "v" / "valkey.sock").unlink(missing_ok=True)
        (self.processes["redis"],) = start_valkey(self.valkey)

    def commands(self) -> Mapping[str, list[str]]:
        celery = [sys.executable, "-m", "celery", "-A", "e2a"]
        return {
            "api": api_command(self.port),
            "radar": [sys.executable, "manage.py", "radar"],
            "worker": [*celery, "worker", "--concurrency", "2", "--without-gossip", "--without-mingle", "-l", "WARNING"],
            "beat": [*celery, "beat", "-l", "WARNING", "--pidfile="],
        }  # fmt: skip

    def start_process(self, name: str) -> None:
        pool = {"E2A_DB_POOL_SIZE": "4"} if name == "api" else {}
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.commands()[name], cwd=ROOT, env=self.environ | pool, stdout=log, stderr=log, start_new_session=True
            )

    def start_api(self) -> None:
        self.start_process("api")
        wait_until(self.api_answers, 30, f"The API did not start; see {self.home}/api.log")

    def api_answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=1).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """The process and its children, without a word."""
        process = self.processes[name]
        for pid in [process.pid, *children_of(process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            process.wait(20)

    def crash_postgres(self) -> None:
        """As `pg_ctl -m immediate`: no shutdown checkpoint, recovery at the next start."""
        process = self.processes["postgres"]
        process.send_signal(signal.SIGQUIT)
        process.wait(20)

    def stop(self) -> None:
        for name in ("beat", "worker", "radar", "api"):
            if name in self.processes and self.processes[name].poll() is None:
                self.kill(name)
        self.database_proxy.stop()
        self.redis_proxy.stop()
        for name in ("redis", "postgres"):
            if self.processes[name].poll() is None:
                self.kill(name, signal.SIGCONT)
                self.kill(name)

    def manage(self, *arguments: str) -> str:
        """Raises: AssertionError with what the command said."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def django(self, program: str, *arguments: str) -> None:
        head = "import django; django.setup()\n"
        environ = self.environ | {"DJANGO_SETTINGS_MODULE": "e2a.settings"}
        subprocess.run([sys.executable, "-c", head + program, *arguments], cwd=ROOT, env=environ, check=True)

    def rows(self, text: str, **values: Any) -> list[tuple[Any, ...]]:
        """Asked of PostgreSQL itself, past the proxy."""
        with psycopg.connect(f"postgresql://postgres@/postgres?host={self.home / 's'}", autocommit=True) as connection:
            return connection.execute(text, values or None).fetchall()

    def redis_is_up(self) -> bool:
        return listens(self.home / "v" / "valkey.sock")


def children_of(pid: int) -> list[int]:
    """The processes that it started; PostgreSQL's backends have process groups of their own."""
    done = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in done.stdout.split()]
