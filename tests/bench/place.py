"""Where the benchmark happens: its own PostgreSQL (durable, as in production) and Valkey in a folder of its own, and the API server.

`Place.open` must come before anything of Django's, which reads its settings from the environment.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from e2a.stack.processes import POSTGRES
from e2a.stack.servers import Postgres, Valkey, wait_until
from tests.servers import listens

ROOT = Path(__file__).resolve().parent.parent.parent
KEYS = {"SECRET_KEY": 24, "JWT_SECRET": 24}


class Place:
    """`environ` is that of every process of the benchmark."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="e2a-bench-", dir="/tmp"))
        self.home.chmod(0o711)
        self.postgres = Postgres(self.home / "pg" / "data", self.home / "s")
        self.valkey = Valkey(self.home / "vk", self.home / "v", durable=False)
        self.running: list[subprocess.Popen[bytes]] = []
        self.environ = {
            **os.environ,
            **{name: secrets.token_hex(size) for name, size in KEYS.items()},
            "APP_ENV": "local",
            "DJANGO_SETTINGS_MODULE": "e2a.settings",
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "E2A_HOME": str(self.home),
            "E2A_FIELD_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "E2A_LOG_FORMAT": "json",
        }

    def open(self) -> None:
        """Starts the servers and sets this process's environment."""
        self.postgres.create()
        self.start("postgres", self.postgres.command(*POSTGRES))
        wait_until(self.postgres.answers, 30, f"PostgreSQL did not start; see {self.home}/postgres.log")
        self.valkey.create()
        self.start("valkey", self.valkey.command())
        wait_until(lambda: listens(self.valkey.sockets / "valkey.sock"), 10, "Valkey did not start")
        os.environ.update(self.environ)

    def start(self, name: str, command: list[str], **environ: str) -> subprocess.Popen[bytes]:
        with (self.home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT, env={**self.environ, **environ}
            )
        self.running.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGQUIT if "postgres" in str(process.args) else signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
        self.running.remove(process)

    def close(self) -> None:
        for process in reversed(list(self.running)):
            self.stop(process)
        shutil.rmtree(self.home, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", port)) == 0


def memory_mib(process: subprocess.Popen[bytes]) -> float:
    """Resident memory of a process and its children, shared pages counted once a process."""
    return sum(resident(pid) for pid in [process.pid, *children(process.pid)]) / 1024


def resident(pid: int) -> int:
    """KiB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def settle() -> None:
    """Lets the machine come to rest between two measurements."""
    time.sleep(1)
