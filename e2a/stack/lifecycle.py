"""Start and stop of a stack. Each may be cut off at any point and said again."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from e2a.stack import marks, probes
from e2a.stack.environment import MAIL_PORT, check_same, chosen_settings, ports_of
from e2a.stack.home import ROOT, Home, make_socket_folder
from e2a.stack.ports import check_free, mail_port
from e2a.stack.processes import Process, Stack, environment_of, processes_of, programs_of, servers_of
from e2a.stack.progress import Line, step
from e2a.stack.secret_file import ensure_secrets
from e2a.stack.servers import CannotStart, last_line
from e2a.stack.supervision import LEFT, NAME, Supervisor

SERVERS_SECONDS = 60
PROGRAMS_SECONDS = 120
IN_WORDS = {"STARTING": "is starting", "BACKOFF": "ends as soon as it is started", "STOPPING": "is stopping"}


def open_stack(home: Home, environ: Mapping[str, str]) -> Stack:
    """The stack of a home with the settings in force; makes folders and secrets that are missing. Raises: CannotStart."""
    home.make()
    there = (home.postgres_folder() / "data" / "PG_VERSION").exists()
    secrets = ensure_secrets(home.secrets, home.postgres_folder() if there else None)
    settings = chosen_settings(home, environ)
    if MAIL_PORT not in settings:
        settings[MAIL_PORT] = str(mail_port(home.key, ports_of(settings).values()))
    return Stack.of(home, settings, secrets["E2A_STACK_ID"])


def is_running(home: Home) -> bool:
    """Whether the supervisor lives, answering or not."""
    return bool(marks.marked(home.folder, NAME))


def start(stack: Stack) -> None:
    """Returns when all answer. A running stack is left as it is, but for what is stopped in it. Raises: CannotStart."""
    supervisor = Supervisor(stack.home, stack.sockets)
    was_running = supervisor.pid() is not None
    if was_running:
        check_same(stack.home, stack.settings)
        if not troubles_of(stack):
            print("The stack is running already.")
            return
    else:
        begin_supervisor(stack, supervisor)
    bring_up(stack, supervisor, "Starting the servers", servers_of(stack), SERVERS_SECONDS)
    try:
        with step("Preparing the database") as line:
            prepare(stack, line)
    except CannotStart:
        if not was_running:
            stop(stack)  # else the wrong setting that may be the reason would stay in force
        raise
    bring_up(stack, supervisor, "Starting the programs", programs_of(stack), PROGRAMS_SECONDS)


def begin_supervisor(stack: Stack, supervisor: Supervisor) -> None:
    """Raises: CannotStart."""
    stack.home.check_room()
    end_what_is_left(stack.home)
    check_free(stack.ports)
    for name, trouble in probes.named_troubles(stack).items():
        raise CannotStart(
            f"The server that {name} names {trouble}: correct {name}, or unset it to have one started here."
        )
    make_socket_folder(stack.sockets)
    if stack.postgres:
        title = "Looking at the database's files" if stack.postgres.data.exists() else "Making the database"
        with step(title):
            stack.postgres.create()
    if stack.valkey:
        stack.valkey.create()
    metrics = stack.home.run / "metrics"  # counters of processes that are gone would be counted for ever
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir()
    processes = processes_of(stack)
    write_private(stack.home.settings, stack.settings)
    write_private(stack.home.commands, {process.name: described(stack, process) for process in processes})
    supervisor.start(processes, stack.environment())


def described(stack: Stack, process: Process) -> dict[str, Any]:
    return {"command": process.command, "environment": environment_of(stack, process)}


def write_private(path: Path, values: Mapping[str, Any]) -> None:
    """The file names passwords."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(values, out, indent=1)


def end_what_is_left(home: Home) -> None:
    """What outlived its supervisor: the supervisor first, else it would restart what is ended."""
    marks.kill(marks.marked(home.folder, NAME))
    if marks.marked(home.folder):
        with step("Ending what a killed supervisor left behind"):
            marks.end(home.folder)


def bring_up(stack: Stack, supervisor: Supervisor, title: str, processes: Sequence[Process], seconds: float) -> None:
    """Starts them and waits until each runs and answers. Raises: CannotStart naming those that do not."""
    if not processes:
        return
    with step(title) as line:
        began = time.monotonic()
        for process in processes:
            supervisor.begin(process.name)
        while found := troubles_of(stack, processes, fresh=time.monotonic() - began):
            line.tell(f"waiting for {', '.join(found)}")
            if time.monotonic() - began > seconds:
                raise CannotStart(what_does_not_answer(stack.home, found))
            time.sleep(0.2)


def what_does_not_answer(home: Home, found: Mapping[str, str]) -> str:
    first = next(iter(found))
    log = home.logs / f"{first}.log"
    said = f" Its log ends with: {last_line(log.read_text(errors='replace'))[:300]}" if log.exists() else ""
    return f"{', '.join(f'{name} {trouble}' for name, trouble in found.items())}; see ./run.sh logs {first}.{said}"


def troubles_of(
    stack: Stack, processes: Sequence[Process] = (), *, fresh: float = probes.SILENT_SECONDS
) -> dict[str, str]:
    """Name and what is wrong, of the processes that do not run or do not answer; `supervisor` if that is it."""
    processes = processes or processes_of(stack)
    try:
        states = Supervisor(stack.home, stack.sockets).states()
    except LEFT:
        return {NAME: "does not run"}
    words = {process.name: states[process.name].word if process.name in states else "" for process in processes}
    down = {name: IN_WORDS.get(word, "does not run") for name, word in words.items() if word != "RUNNING"}
    up = [process for process in processes if process.name not in down]
    return {**down, **probes.troubles(up, stack, fresh=fresh)}


def prepare(stack: Stack, line: Line) -> None:
    """Migrations, schedules, static files. Raises: CannotStart with what Django said last."""
    command = [sys.executable, str(ROOT / "manage.py"), "prepare"]
    log = stack.home.logs / "prepare.log"
    said: list[str] = []
    with (
        log.open("w") as out,
        subprocess.Popen(
            command,
            env=stack.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        for text in process.stdout or ():
            out.write(text)
            said.append(text)
            line.tell(text.strip()[:60])
    if process.returncode:
        sentence = re.sub(r"^[\w.]*(?:ImproperlyConfigured|CommandError): ", "", last_line("".join(said)))
        raise CannotStart(f"{sentence} (All that was said is in {log}.)")


def stop(stack: Stack) -> None:
    """Programs first, then the servers they write to, then the supervisor and whatever is left."""
    if not marks.marked(stack.home.folder):
        stack.home.settings.unlink(missing_ok=True)
        print("The stack is not running.")
        return
    supervisor = Supervisor(stack.home, stack.sockets)
    with step("Stopping the stack") as line:
        try:
            for processes in (programs_of(stack), servers_of(stack)):
                halt(supervisor, processes, line)
            supervisor.shut_down()
            wait(lambda: not is_running(stack.home), 10)
        except LEFT:
            line.tell("the supervisor does not answer")
        marks.kill(marks.marked(stack.home.folder, NAME))
        marks.end(stack.home.folder)
        shutil.rmtree(stack.sockets, ignore_errors=True)
        stack.home.settings.unlink(missing_ok=True)


def halt(supervisor: Supervisor, processes: Sequence[Process], line: Line) -> None:
    """All at once; the supervisor itself kills what takes longer than its time."""
    names = {process.name for process in processes}
    for name in names & set(supervisor.states()):
        supervisor.halt(name)

    def ended() -> bool:
        left = sorted(name for name, state in supervisor.states().items() if name in names and state.pid)
        line.tell(f"waiting for {', '.join(left)}" if left else "")
        return not left

    wait(ended, max((process.stop_seconds for process in processes), default=0) + 5)


def wait(done: Callable[[], bool], seconds: float) -> None:
    """At most so long."""
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(0.1)
