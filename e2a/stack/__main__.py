"""`python -m e2a.stack COMMAND`: what run.sh hands over to, inside the environment."""

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from e2a.stack import demo as demonstration
from e2a.stack import lifecycle, testing, viewing
from e2a.stack.environment import rest_of, settings_of
from e2a.stack.home import ROOT, Home
from e2a.stack.secret_file import read_values
from e2a.stack.servers import CannotStart

Act = Callable[[Home, Sequence[str]], int]


def start(home: Home, arguments: Sequence[str]) -> int:
    no_arguments("start", arguments)
    with home.locked():
        stack = lifecycle.open_stack(home, os.environ)
        lifecycle.start(stack)
    viewing.print_addresses(stack)
    return 0


def stop(home: Home, arguments: Sequence[str]) -> int:
    no_arguments("stop", arguments)
    with home.locked():
        lifecycle.stop(lifecycle.open_stack(home, os.environ))
    return 0


def restart(home: Home, arguments: Sequence[str]) -> int:
    """With the settings it runs with, and what the caller names besides."""
    no_arguments("restart", arguments)
    with home.locked():
        stack = lifecycle.open_stack(home, os.environ)
        lifecycle.stop(stack)
        lifecycle.start(stack)
    viewing.print_addresses(stack)
    return 0


def status(home: Home, arguments: Sequence[str]) -> int:
    no_arguments("status", arguments)
    return viewing.print_status(lifecycle.open_stack(home, os.environ))


def logs(home: Home, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run.sh logs", description="Follows the log of one part, or of all.")
    parser.add_argument(
        "name", nargs="?", default="", help="postgres, redis, web, api, worker, beat, radar, shopify-mock …"
    )
    return viewing.follow(home, parser.parse_args(arguments).name)


def manage(home: Home, arguments: Sequence[str]) -> int:
    stack = lifecycle.open_stack(home, os.environ)
    os.execve(sys.executable, [sys.executable, str(ROOT / "manage.py"), *arguments], stack.environment())


def demo(home: Home, arguments: Sequence[str]) -> int:
    orders = demonstration.orders_asked(arguments)
    with home.locked():
        stack = lifecycle.open_stack(home, os.environ)
        lifecycle.start(stack)
    demonstration.run_demo(stack, orders)
    return 0


def test(home: Home, arguments: Sequence[str]) -> int:
    testing.run_tests(home, arguments)


def bench(home: Home, arguments: Sequence[str]) -> int:
    testing.run_bench(arguments)


COMMANDS: dict[str, Act] = {
    "demo": demo,
    "start": start,
    "stop": stop,
    "restart": restart,
    "status": status,
    "logs": logs,
    "manage": manage,
    "test": test,
    "bench": bench,
}


def no_arguments(command: str, arguments: Sequence[str]) -> None:
    argparse.ArgumentParser(prog=f"./run.sh {command}").parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    command, *rest = arguments or ["help"]
    if command not in COMMANDS:
        print(f"There is no command “{command}”; ./run.sh help lists them.", file=sys.stderr)
        return 2
    written = settings_of(read_values(Path(os.environ["E2A_ENV_FILE"])))
    clean = {**rest_of(os.environ), **written, **settings_of(os.environ), "E2A_HOME": os.environ["E2A_HOME"]}
    os.environ.clear()
    os.environ.update(clean)  # libpq reads PGHOST and others by itself
    try:
        return COMMANDS[command](Home(Path(os.environ["E2A_HOME"])), rest)
    except CannotStart as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(sentence_of(error), file=sys.stderr)
    except KeyboardInterrupt:
        print("\nInterrupted; say the same again to go on.", file=sys.stderr)
        return 130
    return 1


def sentence_of(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk of E2A_HOME is full: free some space, and say the same again."
    return f"{error.filename or 'E2A_HOME'} cannot be used ({error.strerror}): free or open it, or set E2A_HOME to another folder."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
