"""A load generator: one process, one loop over non-blocking sockets, keep-alive, so that the client costs as little as it can.

Each connection sends its next request when its answer has come (closed loop), or when its turn has come by the clock (`rate`): then
the time waited for a free connection counts as latency, too.
"""

import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

HEAD_END = b"\r\n\r\n"


@dataclass(slots=True)
class Result:
    """`latencies` in seconds, one a request."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        ranked = sorted(self.latencies)
        return ranked[min(int(len(ranked) * share), len(ranked) - 1)]


@dataclass(slots=True)
class Connection:
    sock: socket.socket
    began: float = 0.0
    answer: bytes = b""


def request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


def run(port: int, requests: Sequence[bytes], *, connections: int, rate: float = 0) -> Result:
    """Sends each request once. Raises: ConnectionError when the server hangs up."""
    chooser = selectors.DefaultSelector()
    idle = deque(connect(port, chooser) for _ in range(connections))  # in turns: one that is idle for long is hung up on
    result, began = Result(0.0), time.perf_counter()
    waiting, due, busy = iter(requests), turns(began, rate), 0
    turn: float | None = next(due)
    todo = len(requests)
    while todo or busy:
        now = time.perf_counter()
        while idle and todo and turn is not None and turn <= now:
            send(idle.popleft(), next(waiting), turn if rate else now)
            busy, todo, turn = busy + 1, todo - 1, next(due)
        pause = None if busy and not (todo and idle) else max(0.0, (turn or now) - now)
        for key, _ in chooser.select(pause):
            if receive(key.data, result):
                busy -= 1
                idle.append(key.data)
    result.seconds = time.perf_counter() - began
    for connection in idle:
        connection.sock.close()
    return result


def connect(port: int, chooser: selectors.BaseSelector) -> Connection:
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = Connection(sock)
    chooser.register(sock, selectors.EVENT_READ, connection)
    return connection


def turns(began: float, rate: float) -> Iterator[float]:
    turn = began
    while True:
        yield turn
        turn += 1 / rate if rate else 0


def send(connection: Connection, raw: bytes, began: float) -> None:
    connection.began = began
    connection.sock.sendall(raw)


def receive(connection: Connection, result: Result) -> bool:
    """Whether the whole answer has come."""
    part = connection.sock.recv(65536)
    if not part:
        raise ConnectionError("the server hung up")
    connection.answer += part
    head, found, body = connection.answer.partition(HEAD_END)
    if not found or len(body) < content_length(head):
        return False
    result.latencies.append(time.perf_counter() - connection.began)
    result.statuses[head[9:12].decode()] += 1
    connection.answer = b""
    return True


def content_length(head: bytes) -> int:
    at = head.lower().index(b"content-length:") + 15
    return int(head[at:].split(b"\r\n", 1)[0])
