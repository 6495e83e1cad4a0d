"""What is shown of a stack: addresses, status, logs."""

import os
from collections.abc import Sequence

from e2a.stack import marks
from e2a.stack.home import Home
from e2a.stack.lifecycle import troubles_of
from e2a.stack.probes import named_troubles
from e2a.stack.processes import Stack, processes_of
from e2a.stack.servers import CannotStart
from e2a.stack.supervision import LEFT, NAME, State, Supervisor

LINES = "50"


def print_addresses(stack: Stack) -> None:
    ports = stack.ports
    print(f"Back-office  {stack.web}/  (any tenant: TENANT.{stack.domain}:{ports['E2A_WEB_PORT']})")
    print(f"Admin        http://{stack.domain}:{ports['E2A_WEB_PORT']}/admin/")
    print(f"API          http://127.0.0.1:{ports['E2A_API_PORT']}/api/docs")
    print(f"Shop         http://127.0.0.1:{ports['SHOPIFY_MOCK_PORT']}/")


def print_status(stack: Stack) -> int:
    """0 only when all run and answer."""
    try:
        states = Supervisor(stack.home, stack.sockets).states()
    except LEFT:
        print(without_supervisor(sorted(set(marks.marked(stack.home.folder).values()))))
        return 1
    named = named_troubles(stack)
    troubles = troubles_of(stack) | named
    for process in processes_of(stack):
        print(line_of(process.name, states.get(process.name), troubles.get(process.name, ""), process.port))
    for name, variable in (("postgres", "DATABASE_URL"), ("redis", "REDIS_URL")):
        if name not in states:
            print(f"{name:14}{named.get(variable, 'answers'):30}  elsewhere, named by {variable}")
    print(f"Not as it should be: {', '.join(troubles)}." if troubles else "All run.")
    return 1 if troubles else 0


def without_supervisor(left: Sequence[str]) -> str:
    if not left:
        return "The stack is not running."
    if NAME in left:
        return "The supervisor does not answer: say ./run.sh start, which starts the stack anew."
    return f"The supervisor is gone; {', '.join(left)} still run: say ./run.sh start."


def line_of(name: str, state: State | None, trouble: str, port: int) -> str:
    if state is None or not state.pid:
        return f"{name:14}{trouble or 'is not running'}"
    where = f"port {port}" if port else ""
    return f"{name:14}{trouble or 'runs':30}{age_of(state.seconds):>9}  process {state.pid:<8}{where}".rstrip()


def age_of(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def follow(home: Home, name: str) -> int:
    """Becomes `tail`, which goes on at a new file when a log is turned over. Raises: CannotStart for a name without a log."""
    known = {path.stem: path for path in sorted(home.logs.glob("*.log"))}
    if name and name not in known:
        raise CannotStart(f"There is no log of “{name}”; there are {', '.join(known) or 'none yet'}.")
    files: Sequence[str] = [str(known[name])] if name else [str(path) for path in known.values()]
    if not files:
        raise CannotStart("There are no logs yet: say ./run.sh start.")
    os.execvp("tail", ["tail", "-n", LINES, "-F", *files])
