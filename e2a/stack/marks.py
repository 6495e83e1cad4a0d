"""Finds the stack's processes, whoever started them and whatever became of their parents.

Each carries a mark in its environment, which its children inherit. Pid files would go stale, and name processes that
are no longer ours.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

MARK = "E2A_STACK_PROCESS"
POLITE = {"postgres": signal.SIGINT}  # PostgreSQL's fast stop; SIGTERM would wait for its clients


def mark_of(home: Path, name: str) -> str:
    return f"{home}:{name}"  # a home's name holds no colon


def marked(home: Path, name: str = "") -> dict[int, str]:
    """The processes of this home, or of one part of it, by id; this one and its ancestors left out."""
    start = f"{MARK}={home}:{name}"
    found = {}
    for pid, entries in environments():
        mark = next((entry for entry in entries if entry.startswith(start)), "")
        if mark and (not name or mark == start):
            found[pid] = mark.rpartition(":")[2]
    return {pid: part for pid, part in found.items() if pid not in own_line()}


def environments() -> Iterator[tuple[int, list[str]]]:
    """(pid, entries NAME=value) of the processes that we may look into."""
    if not Path("/proc/self/environ").exists():
        yield from environments_by_ps()
        return
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                content = (folder / "environ").read_bytes()
            except OSError:
                continue
            yield int(folder.name), os.fsdecode(content).split("\0")


def environments_by_ps() -> Iterator[tuple[int, list[str]]]:
    """macOS. A home with a space in its name is found by the mark's rest up to the next variable."""
    done = subprocess.run(
        ["ps", "-axEww", "-o", "pid=,command="], capture_output=True, text=True, errors="replace", check=False
    )
    for line in done.stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        _, found, rest = command.partition(f" {MARK}=")
        if found and pid.isdigit():
            home, colon, name = rest.partition(":")
            yield int(pid), [f"{MARK}={home}{colon}{name.split(' ', 1)[0]}"]


def own_line() -> set[int]:
    return {os.getpid(), os.getppid()}


def end(home: Path, name: str = "", *, patience: float = 10) -> list[str]:
    """Ends what is left: asked first, killed after `patience` seconds. Returns the names."""
    left = marked(home, name)
    for pid, part in left.items():
        send(pid, POLITE.get(part, signal.SIGTERM))
    until = time.monotonic() + patience
    while alive := marked(home, name):
        if time.monotonic() > until:
            kill(alive)
            break
        time.sleep(0.05)
    return sorted(set(left.values()))


def kill(pids: Iterable[int]) -> None:
    for pid in pids:
        send(pid, signal.SIGKILL)


def send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
