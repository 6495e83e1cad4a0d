"""AI providers for tests: one in the process that notes what it receives, and one on a real socket that misbehaves."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from exceptions.analyst.asking import Limits
from exceptions.analyst.client import Provider
from exceptions.analyst.services import Tools

URL = "https://ai.example.com/v1"
GOOD: dict[str, Any] = {
    "label": "payment_issue",
    "confidence": 0.9,
    "blame": "payment",
    "root_cause": "The bank has not confirmed the payment.",
    "evidence": [{"event": "e1", "shows": "ordered, and nothing after it"}],
    "ops_note": "No payment came. Write to the customer.",
    "client_note": "We have not received your payment yet.",
    "action": "email_customer",
}


def completion(content: Any, **more: Any) -> dict[str, Any]:
    text = content if isinstance(content, str) else json.dumps(content)
    usage = {"prompt_tokens": 700, "completion_tokens": 120, "total_tokens": 820, "cost": 0.00042}
    return {"choices": [{"message": {"role": "assistant", "content": text}}], "usage": usage, **more}


def answering(answer: dict[str, Any], **changes: Any) -> httpx.Response:
    return httpx.Response(200, json=completion(answer | changes))


@dataclass
class FakeProvider:
    """`replies` are given in turn, the last one for good; a callable makes one, an exception is raised."""

    replies: list[Any] = field(default_factory=lambda: [GOOD])
    received: list[dict[str, Any]] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.received.append(json.loads(request.content))
        reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        if callable(reply):
            reply = reply(request)
        return reply if isinstance(reply, httpx.Response) else answering(reply)

    @property
    def asked(self) -> str:
        """All that was ever received, as text."""
        return "\n".join(json.dumps(body, ensure_ascii=False) for body in self.received)

    def provider(self, **more: Any) -> Provider:
        return Provider(URL, "some/model", "key", transport=httpx.MockTransport(self.handle), **more)


def tools(provider: Provider | None, **more: Any) -> Tools:
    """Asks about everything; waits no time between tries."""
    limits = Limits(more.pop("daily_tokens", 1_000_000), 1.0, sleep=more.pop("sleep", lambda seconds: None))
    return Tools(**{"provider": provider, "limits": limits, "mode": "full", "least_confidence": 0.55, **more})


@contextmanager
def socket_provider(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on a real socket; `behave` gets each connection, once its request has come. Gives its base address."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            client.settimeout(5)
            threading.Thread(target=talk, args=[client], daemon=True).start()

    def talk(client: socket.socket) -> None:
        with client:
            try:
                client.recv(65_536)
                behave(client)
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        ended.set()
        thread.join()
        listener.close()


def drip(client: socket.socket, head: bytes, *, seconds: float = 4.0) -> None:
    """A byte now and then, for longer than anyone should wait."""
    client.sendall(head)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        client.sendall(b"x")
        time.sleep(0.02)
