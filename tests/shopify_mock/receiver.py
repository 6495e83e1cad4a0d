"""A receiver of webhooks, and shops to send them: the cast of these tests."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from shopify_mock.config import Config, read_config
from shopify_mock.desk import Desk
from shopify_mock.sender import Sender
from shopify_mock.server import make_server
from shopify_mock.store import Store

SECRET = "a secret of the tests"
ROOT = Path(__file__).parents[2]


@dataclass
class Receiver:
    """Answers what `answers` says, in turn, then 200; keeps all it got."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def receiving(answers: list[int] | None = None, port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver(answers=answers or [])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((dict(self.headers.items()), body))
            status = receiver.answers.pop(0) if receiver.answers else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", receiver.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with _Server(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/webhooks/acme/shopify"
        yield receiver
        server.shutdown()


def config_of(home: Path, **values: str) -> Config:
    return read_config({"SHOPIFY_MOCK_HOME": str(home), "SHOPIFY_MOCK_SECRET": SECRET, **values})


def desk_of(home: Path, **values: str) -> Desk:
    config = config_of(home, **values)
    return Desk(Store(config.home), config)


@contextmanager
def sending(desk: Desk, url: str) -> Iterator[Sender]:
    sender = Sender(desk.store, url=url, secret=SECRET)
    sender.start()
    try:
        yield sender
    finally:
        sender.stop()


@contextmanager
def serving(desk: Desk) -> Iterator[httpx.Client]:
    with make_server(desk, 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_address[1]}", trust_env=False) as client:
            yield client
        server.shutdown()


@contextmanager
def shop_process(home: Path, environ: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The real process and its address; killed at the end."""
    values = {"SHOPIFY_MOCK_PORT": "0", "SHOPIFY_MOCK_HOME": str(home), "SHOPIFY_MOCK_SECRET": SECRET, **environ}
    command = [sys.executable, "-m", "shopify_mock"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **values}, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        yield process, process.stderr.readline().split()[-1]
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def wait_until(true: Callable[[], bool], seconds: float = 8) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.02)


def deliveries(desk: Desk) -> dict[str, int]:
    found: dict[str, int] = desk.store.stats(time.time())["deliveries"]
    return found
