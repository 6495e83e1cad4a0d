"""`./run.sh test`: pytest over everything, with a browser that is found or installed; `./run.sh bench`: the benchmark.

Both bring servers, a home and settings of their own: a running stack, its variables and its data are nothing to them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from e2a.stack.environment import rest_of
from e2a.stack.home import ROOT, Home
from e2a.stack.progress import step
from e2a.stack.servers import CannotStart

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ON_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
APT = (
    ["apt-get", "update", "-qq"],
    ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
)
MOST_PROCESSES = 4


def run_tests(home: Home, arguments: Sequence[str]) -> NoReturn:
    """Becomes pytest. Raises: CannotStart without a browser."""
    become("pytest", with_defaults(arguments), E2A_CHROMIUM=browser(home, os.environ))


def run_bench(arguments: Sequence[str]) -> NoReturn:
    become("tests.bench", arguments)


def become(module: str, arguments: Sequence[str], **environment: str) -> NoReturn:
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, "-m", module, *arguments], {**rest_of(os.environ), **environment})


def with_defaults(arguments: Sequence[str], cores: int = os.cpu_count() or 1) -> list[str]:
    """Several processes, unless the caller says how many or runs the faults, which want the machine for themselves."""
    marks = [value for flag, value in pairwise(arguments) if flag == "-m"]
    chosen = list(arguments)
    if not marks:
        chosen = ["-m", "not faults_long", *chosen]
    apart = any("faults" in mark and "not faults" not in mark for mark in marks)
    counted = any(argument.startswith("-n") or argument.startswith("--numprocesses") for argument in arguments)
    if not apart and not counted and cores > 1:
        chosen = ["-n", str(min(cores, MOST_PROCESSES)), "--dist", "loadfile", *chosen]
    return chosen


def browser(home: Home, environ: Mapping[str, str]) -> str:
    """The path of a Chromium. Raises: CannotStart when none is there and none can be installed."""
    if named := environ.get("E2A_CHROMIUM"):
        if shutil.which(named) is None:
            raise CannotStart(f"E2A_CHROMIUM is {named}, which is no program that can be run: correct it, or unset it.")
        return named
    found = installed_browser(home)
    if found is None:
        install_browser(home)
        found = installed_browser(home)
    if found is None:
        raise CannotStart(
            "The browser tests need Chromium, which is not there and could not be installed: install it (Debian, Ubuntu: "
            "apt-get install chromium), or name one with E2A_CHROMIUM=/path/of/chromium, and say ./run.sh test again."
        )
    return found


def installed_browser(home: Home) -> str | None:
    known = [shutil.which(name) for name in BROWSERS]
    own = sorted((home.folder / "browsers").glob("chromium-*/chrome-*/chrome"))
    places = [*filter(None, known), *(str(path) for path in (*own, ON_MACOS) if path.exists())]
    return next(iter(places), None)


def install_browser(home: Home) -> None:
    """By the system's packages as root, else by Playwright into the home; whether it worked is seen by looking again."""
    log = home.logs / "browser.log"
    home.logs.mkdir(parents=True, exist_ok=True)
    with step("Installing Chromium for the browser tests (some minutes)"), log.open("w") as out:
        if os.geteuid() == 0 and shutil.which("apt-get"):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            for command in APT:
                subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False)
        if not any(map(shutil.which, BROWSERS)):
            environment = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(home.folder / "browsers")}
            command = [sys.executable, "-m", "playwright", "install", "chromium"]
            subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False)
