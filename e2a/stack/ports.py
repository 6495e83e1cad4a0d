"""Whether the stack's ports are free, and who has one that is not."""

import errno
import os
import socket
from collections.abc import Collection, Mapping
from pathlib import Path

from e2a.stack.servers import CannotStart

MAIL_FROM, MAIL_PORTS = 20_000, 10_000
LISTENING = "0A"  # the state in /proc/net/tcp


def check_free(ports: Mapping[str, int]) -> None:
    """Raises: CannotStart naming the port, its variable and who has it."""
    for name, port in ports.items():
        trouble = trouble_of(port)
        if trouble == errno.EACCES:
            raise CannotStart(f"{name} {port} may only be used by root: choose one above 1023.")
        if trouble:
            raise CannotStart(f"Port {port} is taken by {holder_of(port)}: stop it, or set {name} to a free port.")


def trouble_of(port: int) -> int:
    """The error number of binding it on loopback, or 0. Ended connections (TIME_WAIT) do not count."""
    with socket.socket() as mine:
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            mine.bind(("127.0.0.1", port))
            mine.listen(1)
        except OSError as error:
            return error.errno or errno.EADDRINUSE
    return 0


def free_ports(names: Mapping[str, int]) -> dict[str, int]:
    """Ports that are free now, one for each name."""
    held = {name: socket.create_server(("127.0.0.1", 0)) for name in names}
    found = {name: server.getsockname()[1] for name, server in held.items()}
    for server in held.values():
        server.close()
    return found


def mail_port(key: str, taken: Collection[int]) -> int:
    """For the shop's mail server, which nobody types: the first free one from a place that follows from the home's key.

    Far from ports that people choose, and below those that the kernel gives to outgoing connections.
    """
    start = MAIL_FROM + int(key, 16) % MAIL_PORTS
    return next(port for port in range(start, start + 1000) if port not in taken and not trouble_of(port))


def holder_of(port: int) -> str:
    """`python (process 4711)` where /proc tells, else `another program`."""
    sockets = listening_inodes(port)
    for entry in Path("/proc").glob("[0-9]*/fd/*") if sockets else ():
        try:
            if os.readlink(entry) in sockets:
                process = entry.parents[1]
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue
    return "another program"


def listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for columns in (line.split() for line in lines):
            if columns[3] == LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{columns[9]}]")
    return found
