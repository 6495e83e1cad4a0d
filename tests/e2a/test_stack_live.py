"""One real stack, in a folder with a space in its name: started, killed in every way, started again, stopped."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2a.stack import marks
from e2a.stack.environment import PORTS
from e2a.stack.home import Home
from e2a.stack.install import handed_over
from e2a.stack.ports import free_ports, trouble_of

NAMES = {"postgres", "redis", "web", "api", "worker", "beat", "radar", "shopify-mock", "supervisor"}


class Stack:
    """`./run.sh COMMAND` without the installing, in a home and with ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.home, self.ports = Home(folder), free_ports(PORTS)
        ours = {k: v for k, v in os.environ.items() if not k.endswith("_URL") and not k.startswith(("E2A_", "DJANGO_"))}
        named = {name: str(port) for name, port in self.ports.items()}
        self.environment = {**handed_over(ours, folder), **named, "APP_ENV": "test", "E2A_ENV_FILE": "/none", "PGHOST": "/nowhere"}

    def command(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "e2a.stack", *arguments],
            env=self.environment, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def says(self, *arguments: str) -> tuple[int, str]:
        process = self.command(*arguments)
        said, _ = process.communicate()
        return process.returncode, said

    def kill(self, *names: str) -> None:
        """-9, the first process of each, as a person would."""
        found = marks.marked(self.home.folder)
        for name in names:
            os.kill(min(pid for pid, part in found.items() if part == name), signal.SIGKILL)

    def parts(self) -> set[str]:
        return set(marks.marked(self.home.folder).values())

    def web_answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["E2A_WEB_PORT"], timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def a_stack() -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="e2a a b", dir="/tmp"))
    folder.chmod(0o711)
    stack = Stack(folder)
    try:
        yield stack
    finally:
        stack.says("stop")
        marks.kill(marks.marked(folder))
        shutil.rmtree(folder)


@pytest.fixture
def stack() -> Iterator[Stack]:
    with a_stack() as one:
        yield one


def wait_for(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_stack_survives_the_killing_of_any_process_and_of_its_supervisor(stack: Stack) -> None:
    code, said = stack.says("start")
    assert (code, stack.parts()) == (0, NAMES), said
    assert stack.says("status")[0] == 0
    assert "The stack is running already." in stack.says("start")[1]
    stack.kill("web", "api", "worker", "beat", "redis", "postgres", "radar", "shopify-mock")
    wait_for(lambda: stack.says("status")[0] == 0)
    with a_stack() as beside:
        code, said = beside.says("start")
        assert (code, beside.parts()) == (0, NAMES), said
        assert stack.web_answers() and beside.web_answers()
        assert beside.says("stop")[0] == 0
    assert (stack.says("status")[0], stack.parts()) == (0, NAMES)
    stack.kill("supervisor")
    code, said = stack.says("status")
    assert code == 1 and "The supervisor is gone" in said
    assert stack.web_answers()
    both = [stack.command("start"), stack.command("start")]
    outputs = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert any("The stack is running already." in said for said in outputs)
    assert (stack.says("status")[0], stack.parts()) == (0, NAMES)
    assert (
        stack.says("manage", "prepare", "--json")[1].splitlines()[-1]
        == '{"migrated": [], "schedules": [], "static_collected": false}'
    )
    assert stack.says("stop")[0] == 0
    assert stack.parts() == set()
    assert [trouble_of(port) for port in stack.ports.values()] == [0, 0, 0]
    assert stack.says("status") == (1, "The stack is not running.\n")
