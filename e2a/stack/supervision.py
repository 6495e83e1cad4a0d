"""The supervisor (supervisord): its configuration, and what is asked of it over its socket.

The configuration holds no path of ours but the socket's: commands go through the launcher and logs are named relative to the
home, in which the supervisor runs. So no space, quote or percent sign in a folder's name can break it.
"""

import http.client
import os
import socket
import subprocess
import sys
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2a.stack.home import Home
from e2a.stack.marks import MARK, mark_of
from e2a.stack.processes import Process
from e2a.stack.servers import CannotStart, last_line, wait_until

NAME = "supervisor"
LOG = "logs/supervisor.log"
ANSWER_SECONDS = 10
LEFT = (OSError, http.client.HTTPException, xmlrpc.client.Error)


@dataclass(frozen=True, slots=True)
class State:
    """`word` is supervisord's: RUNNING, STARTING, BACKOFF, STOPPED, EXITED, FATAL …"""

    word: str
    pid: int
    seconds: int


def render(processes: Sequence[Process], socket_path: Path) -> str:
    """supervisord.conf. What dies is restarted for ever, after a pause that grows by a second each time it dies at once."""
    user = "user=root\n" if os.geteuid() == 0 else ""
    head = f"""[supervisord]
nodaemon=true
silent=true
{user}logfile={LOG}
logfile_maxbytes=5MB
logfile_backups=1
pidfile=run/supervisord.pid

[unix_http_server]
file={escaped(str(socket_path))}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
    return head + "".join(section(number, process) for number, process in enumerate(processes, start=1))


def section(number: int, process: Process) -> str:
    return f"""
[program:{process.name}]
command=/bin/sh -c 'exec "$E2A_STACK_PYTHON" -m e2a.stack.launch {process.name}'
priority={number}
autostart=false
autorestart=true
startsecs=1
startretries=1000000
stopsignal={process.stop_signal}
stopwaitsecs={process.stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile=logs/{process.name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""


def escaped(text: str) -> str:
    return text.replace("%", "%%")


class Supervisor:
    """Of one home. Methods raise one of LEFT when it does not answer."""

    def __init__(self, home: Home, sockets: Path) -> None:
        self.home, self.socket = home, sockets / "sv.sock"

    def start(self, processes: Sequence[Process], environ: Mapping[str, str]) -> None:
        """Starts the supervisor and none of its processes. Raises: CannotStart."""
        config = self.home.run / "supervisord.conf"
        config.write_text(render(processes, self.socket))
        environment = {**environ, "E2A_STACK_PYTHON": sys.executable, MARK: mark_of(self.home.folder, NAME)}
        with (self.home.logs / "supervisor.out").open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-c", "run/supervisord.conf"],
                cwd=self.home.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

        def answers() -> bool:
            if process.poll() is not None:
                said = last_line((self.home.logs / "supervisor.out").read_text(errors="replace"))
                raise CannotStart(f"The supervisor ended at once: {said}")
            return self.pid() is not None

        wait_until(answers, 30, f"The supervisor does not answer; see {self.home.folder / LOG}.")

    def pid(self) -> int | None:
        """None when none runs."""
        try:
            return int(self._ask("getPID"))
        except LEFT:
            return None

    def states(self) -> dict[str, State]:
        return {
            row["name"]: State(row["statename"], row["pid"], max(0, row["now"] - row["start"]) if row["pid"] else 0)
            for row in self._ask("getAllProcessInfo")
        }

    def begin(self, name: str) -> None:
        try:
            self._ask("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise

    def halt(self, name: str) -> None:
        """Asks it to stop and does not wait."""
        try:
            self._ask("stopProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise

    def shut_down(self) -> None:
        self._ask("shutdown")

    def _ask(self, method: str, *arguments: Any) -> Any:
        proxy = xmlrpc.client.ServerProxy("http://supervisor", transport=_SocketTransport(self.socket))
        with proxy:
            return getattr(proxy.supervisor, method)(*arguments)


class _SocketTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _SocketConnection(self.path)


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))
