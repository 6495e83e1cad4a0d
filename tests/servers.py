"""PostgreSQL and Valkey for the tests: the embedded ones, started by the first process of a run and stopped at its end.

With E2A_TEST_HOME set they stay in that folder between runs (nothing is synced to disk, so a crash may spoil them).
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from e2a.stack.servers import Postgres, Valkey, check_short, own, wait_until

STARTED = "E2A_TEST_SERVERS"  # set for the processes that a run starts (xdist's workers)
# No vacuum by itself: it would look at a table while a test's rows, soon to be rolled back, are in it, and plans would follow.
OPTIONS = (
    "autovacuum=off",
    "max_connections=300",
    "shared_buffers=128MB",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_locks_per_transaction=512",
)


def ensure_test_servers() -> tuple[str, str]:
    """The addresses (DATABASE_URL, REDIS_URL)."""
    given = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    if os.environ.get(STARTED) or all(given):
        return given
    home = Path(os.environ.get("E2A_TEST_HOME") or tempfile.mkdtemp(prefix="e2a-", dir="/tmp"))
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)
    check_short(home / "s")
    postgres = Postgres(home / "pg" / "data", home / "s", fsync=False)
    valkey = Valkey(home / "vk", home / "v", durable=False)
    started = [*start_postgres(postgres), *start_valkey(valkey)]
    if not os.environ.get("E2A_TEST_HOME"):
        atexit.register(stop, started, home)
    os.environ[STARTED] = "1"
    return postgres.url, valkey.url


def start_postgres(postgres: Postgres, options: Sequence[str] = OPTIONS) -> list[subprocess.Popen[bytes]]:
    postgres.create()
    if postgres.answers():
        return []
    own(postgres.sockets)
    process = launch(postgres.command(*options), postgres.data.parent.parent / "postgres.log")
    wait_until(postgres.answers, 30, f"PostgreSQL did not start; see {postgres.data.parent.parent}/postgres.log")
    return [process]


def start_valkey(valkey: Valkey) -> list[subprocess.Popen[bytes]]:
    valkey.create()
    path = valkey.sockets / "valkey.sock"
    if listens(path):
        return []
    process = launch(valkey.command(), valkey.data / "valkey.log")
    wait_until(lambda: listens(path), 10, f"Valkey did not start; see {valkey.data}/valkey.log")
    return [process]


def launch(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True
        )


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        return client.connect_ex(str(path)) == 0


def listens_at(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


def stop(processes: list[subprocess.Popen[bytes]], home: Path) -> None:
    for process in processes:
        process.send_signal(signal.SIGQUIT if "postgres" in str(process.args) else signal.SIGTERM)
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
    shutil.rmtree(home, ignore_errors=True)
