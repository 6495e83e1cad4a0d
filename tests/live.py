"""A web server as people meet it: Daphne in a process of its own, on the test run's database, with a Valkey of its own.

Started once a session, by the first test that asks for `live`. Such a test commits (`committed`), so all is swept after it.
Browser tests take `page` of pytest-playwright and `live.sign_in(page, …)`.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from e2a.stack.servers import Valkey
from tenants.models import Tenant, User
from tests.servers import listens, wait_until

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
Page = Any  # of playwright, which only browser tests need


class Live:
    """`port` is the web server's; `environ` that of every program beside it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.valkey = Valkey(home / "vk", home / "v", durable=False)
        self.environ = os.environ | {
            "DATABASE_URL": database_url(),
            "REDIS_URL": self.valkey.url,
            "E2A_WEB_PORT": str(self.port),
            "E2A_SOCKET_RECHECK_SECONDS": "1",
            "PYTHONUNBUFFERED": "1",
        }
        self.running: list[subprocess.Popen[bytes]] = []
        self.redis: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.start_redis()
        self.start_web()

    def start_web(self) -> None:
        self.web = self.run("web", "-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port), "e2a.asgi:application")
        wait_until(self.answers, 60, f"Daphne did not start; see {self.home}/web.log")

    def stop_web(self) -> None:
        self.web.kill()
        self.web.wait()

    def start_redis(self) -> None:
        self.valkey.create()
        with (self.home / "valkey.log").open("ab") as log:
            self.redis = subprocess.Popen(self.valkey.command(), stdout=log, stderr=log)
        wait_until(lambda: listens(self.valkey.sockets / "valkey.sock"), 10, "Valkey did not start")

    def stop_redis(self) -> None:
        if self.redis is not None:
            self.redis.kill()
            self.redis.wait()
            (self.valkey.sockets / "valkey.sock").unlink(missing_ok=True)

    def run(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """A Python program in the server's environment; its output goes to `home/NAME.log`."""
        with (self.home / f"{name}.log").open("ab") as log:
            command = [sys.executable, *arguments]
            process = subprocess.Popen(command, cwd=ROOT, env=self.environ, stdout=log, stderr=log)
        self.running.append(process)
        return process

    def manage(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """`live.manage("radar", "radar")` is `manage.py radar`, stopped at the session's end if not before."""
        return self.run(name, "manage.py", *arguments)

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()
        self.stop_redis()

    def url(self, slug: str, path: str = "/") -> str:
        return f"http://{slug}.localhost:{self.port}{path}"

    def answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def session_of(self, user: User) -> str:
        """The id of a session in which that person is signed in."""
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    def sign_in(self, page: Page, tenant: Tenant, user: User) -> None:
        """The browser gets a session's cookie, as after the login."""
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": self.session_of(user), "url": self.url(tenant.slug)}
        page.context.add_cookies([cookie])


def database_url() -> str:
    """Of the test run's own database."""
    at = {
        key: quote(str(connection.settings_dict[key]), safe="") for key in ("USER", "PASSWORD", "NAME", "HOST", "PORT")
    }
    who = at["USER"] + (f":{at['PASSWORD']}" if at["PASSWORD"] else "")
    return f"postgresql://{who}@/{at['NAME']}?host={at['HOST']}" + (f"&port={at['PORT']}" if at["PORT"] else "")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def eventually(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits for a condition that no event tells. Raises: AssertionError saying what did not come true."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@pytest.fixture(scope="session")
def web_server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Live]:
    home = Path(tempfile.mkdtemp(prefix="e2a-live-", dir="/tmp"))
    with django_db_blocker.unblock():
        server = Live(home)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def live(web_server: Live, committed: None) -> Live:
    return web_server


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    # Playwright's loop runs in this thread from now on, and Django would take each query for one from asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    found = os.environ.get("E2A_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    return {
        **browser_type_launch_args,
        **({"executable_path": found} if found else {}),
        "args": ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP *.localhost 127.0.0.1"],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1440, "height": 900}, "timezone_id": "UTC"}
