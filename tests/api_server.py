"""The API's server as the stack starts it, in a process of its own on the test run's database, and raw bytes to it."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from e2a.stack.processes import API_THREADS, api_command
from tenants.models import Tenant
from tenants.services import create_api_key
from tests.live import ROOT, database_url, free_port
from tests.servers import listens_at, wait_until

BODY_SECONDS = 2.0  # what a body may take here, so that the slow sender's test is not slow
CRLF = b"\r\n"


class ApiServer:
    """`log` is what it printed, `process` the parent of its workers."""

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        self.output = home / "api.log"

    @contextmanager
    def running(self) -> Iterator["ApiServer"]:
        environ = os.environ | {
            "DATABASE_URL": database_url(),
            "E2A_BODY_SECONDS": str(BODY_SECONDS),
            "E2A_DB_POOL_SIZE": str(API_THREADS),
            "PYTHONUNBUFFERED": "1",
        }
        with self.output.open("wb") as log:
            process = subprocess.Popen(api_command(self.port), cwd=ROOT, env=environ, stdout=log, stderr=log)
        self.process = process
        try:
            wait_until(lambda: listens_at(self.port), 60, f"The API's server did not start; see {self.output}")
            yield self
        finally:
            process.terminate()
            process.wait(20)

    def log(self) -> str:
        return self.output.read_text()

    def open(self, timeout: float = 10) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def exchange(self, sent: bytes) -> bytes:
        """All that comes back until the server closes."""
        with self.open() as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may have heard enough
                connection.sendall(sent)
            return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass  # closed with bytes of ours unread; what had come is what was answered
    return b"".join(parts)


def statuses(answer: bytes) -> list[int]:
    """Of every answer in these bytes."""
    return [int(part[:3]) for part in answer.replace(b"HTTP/1.0 ", b"HTTP/1.1 ").split(b"HTTP/1.1 ")[1:]]


class Sender:
    """Heads and bodies of requests of a program of acme; `Connection: close` unless `more` says otherwise."""

    def __init__(self) -> None:
        self.key = create_api_key(tenant=Tenant.objects.get(slug="acme"), scopes=["ingest"]).key

    def head(self, *lines: str, path: str = "/events", host: str | None = "127.0.0.1", close: bool = True) -> bytes:
        named = [f"Host: {host}"] if host is not None else []
        own = [f"Authorization: Bearer {self.key}", "X-Tenant-Id: acme", "Content-Type: application/json"]
        last = ["Connection: close"] if close else []
        return "\r\n".join([f"POST {path} HTTP/1.1", *named, *own, *lines, *last, "", ""]).encode()

    def whole(self, body: Any, *lines: str, **more: Any) -> bytes:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.head(f"Content-Length: {len(raw)}", *lines, **more) + raw


def chunked(body: bytes, size: int = 16_384) -> bytes:
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.fixture(scope="session")
def api_server(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    """Started once a session, by the first test that asks for `api`."""
    home = tmp_path_factory.mktemp("api")
    with django_db_blocker.unblock():
        server = ApiServer(home)
    with server.running():
        yield server


@pytest.fixture
def api(api_server: ApiServer, committed: None) -> ApiServer:
    return api_server
