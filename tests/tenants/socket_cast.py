"""A websocket client that does what a browser would not: any header, any frame, or nothing at all."""

import base64
import os
import socket
import struct
from types import TracebackType
from typing import Self


class RawSocket:
    """Shakes hands at once; `status` is the HTTP answer's (101 when the socket is open)."""

    def __init__(self, port: int, host: str, *, origin: str | None = "", session: str = "", path: str = "/ws") -> None:
        """`origin` is the host's own unless given; None sends none."""
        self.tcp = socket.create_connection(("127.0.0.1", port), timeout=10)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        if origin is not None:
            lines.append(f"Origin: {origin or f'http://{host}:{port}'}")
        if session:
            lines.append(f"Cookie: sessionid={session}")
        self.tcp.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head, _, self.rest = self.read_head().partition(b"\r\n\r\n")
        self.status = int(head.split(b" ", 2)[1])

    def read_head(self) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head:
            part = self.tcp.recv(4096)
            if not part:
                break
            head += part
        return head

    def send_text(self, text: bytes) -> None:
        size = len(text)
        length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 127]) + struct.pack("!Q", size)
        self.tcp.sendall(b"\x81" + length + b"\0\0\0\0" + text)

    def read(self, seconds: float) -> tuple[int, bytes] | None:
        """The next frame, (opcode, payload), pings aside; None when nothing came in that time."""
        self.tcp.settimeout(seconds)
        try:
            while True:
                opcode, payload = self.frame()
                if opcode != 9:
                    return opcode, payload
        except TimeoutError:
            return None

    def frame(self) -> tuple[int, bytes]:
        first, second = self.exactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self.exactly(2))
        return first & 0x0F, self.exactly(size)

    def exactly(self, size: int) -> bytes:
        while len(self.rest) < size:
            part = self.tcp.recv(4096)
            if not part:
                return b"\x88\x00"[:size] if not self.rest else self.rest
            self.rest += part
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def close_code(self, seconds: float) -> int | None:
        """The code with which the server closes within that time; 0 for none given, None when it does not close."""
        found = self.read(seconds)
        while found is not None and found[0] != 8:
            found = self.read(seconds)
        if found is None:
            return None
        return int.from_bytes(found[1][:2], "big") if found[1] else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tcp.close()
