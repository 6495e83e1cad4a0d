"""A stack's home: where its state lives, and the short folder of its sockets."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2a.stack.servers import ROOTS_PLACE, CannotStart, unreachable

ROOT = Path(__file__).resolve().parents[2]
SOCKET_PARENTS = (Path("/tmp"), Path("/var/tmp"))  # short, and there after the login ended, as $XDG_RUNTIME_DIR is not
LEAST_FREE_MB = 200


@dataclass(frozen=True, slots=True)
class Home:
    """E2A_HOME, absolute."""

    folder: Path

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets.env"

    @property
    def settings(self) -> Path:
        """What the running stack was started with (JSON)."""
        return self.run / "settings.json"

    @property
    def commands(self) -> Path:
        """Command and environment of each process (JSON), for the launcher."""
        return self.run / "processes.json"

    @property
    def key(self) -> str:
        """Tells homes apart in a folder they share."""
        return hashlib.sha256(os.path.realpath(self.folder).encode()).hexdigest()[:16]

    def make(self) -> None:
        for folder in (self.run, self.logs):
            folder.mkdir(mode=0o700, exist_ok=True, parents=True)

    def check_room(self) -> None:
        """Raises: CannotStart when the disk is nearly full."""
        free = shutil.disk_usage(self.folder).free // 1_000_000
        if free < LEAST_FREE_MB:
            raise CannotStart(
                f"The disk of {self.folder} has only {free} MB free, and the stack needs {LEAST_FREE_MB}: free some and start again."
            )

    def postgres_folder(self) -> Path:
        """In the home; as root, where the home is closed to the user that PostgreSQL then runs as, in a place of root's."""
        inside = self.folder / "postgres"
        return inside if unreachable(inside) is None else ROOTS_PLACE / self.key / "postgres"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One starts or stops at a time; the second waits."""
        with (self.folder / "stack.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("Another ./run.sh starts or stops this stack; waiting for it …", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def socket_folder(home: Home, stack_id: str) -> Path:
    """Where ours is, under /tmp; its name is derived from the home and a secret, so that nobody can make it first.

    Raises: CannotStart when another user has it all the same, or nothing short is writable.
    """
    parent = next((folder for folder in SOCKET_PARENTS if os.access(folder, os.W_OK)), None)
    if parent is None:
        raise CannotStart(
            "Neither /tmp nor /var/tmp can be written, and the servers' sockets need a short path: open one of them."
        )
    name = hashlib.sha256(f"{stack_id}\0{home.key}".encode()).hexdigest()[:12]
    folder = parent / f"e2a-{name}"
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or folder.stat().st_uid != os.geteuid())):
        raise CannotStart(f"{folder} belongs to somebody else: have it removed, and start again.")
    return folder


def make_socket_folder(folder: Path) -> None:
    """As root, PostgreSQL's user passes through to its own folder inside; nobody can list it."""
    mode = 0o711 if os.geteuid() == 0 else 0o700
    folder.mkdir(mode=mode, exist_ok=True)
    folder.chmod(mode)
