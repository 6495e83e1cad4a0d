"""A proxy between a process and its server, on a Unix socket, to cut, slow or swallow what passes.

It runs in a thread of its own; `mode` may change at any moment and holds for open connections too.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

PASS, DOWN, BLACK_HOLE = "pass", "down", "black hole"
COMMIT = b"COMMIT"


class Proxy:
    """Listens at `path`, passes on to `server` (both Unix sockets).

    `latency` and `slice_bytes` slow what passes. `on_commit`, once set, is called after a COMMIT has reached the server and
    before its answer goes back; that connection is then cut.
    """

    def __init__(self, path: Path, server: Path) -> None:
        self.path, self.server = path, server
        self.mode = PASS
        self.latency = 0.0
        self.slice_bytes = 0
        self.on_commit: Callable[[], None] | None = None
        self.cuts = 0
        self.loop = asyncio.new_event_loop()
        self.writers: set[asyncio.StreamWriter] = set()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self) -> "Proxy":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.parent.chmod(0o700)
        self.path.unlink(missing_ok=True)
        self.thread.start()
        self.ready.wait(5)
        return self

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        listener = self.loop.run_until_complete(asyncio.start_unix_server(self.serve, str(self.path)))
        self.ready.set()
        self.loop.run_forever()
        listener.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.05))
        self.loop.close()

    def stop(self) -> None:
        self.reset()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    def reset(self) -> None:
        """Cuts every open connection."""
        self.loop.call_soon_threadsafe(self.cut_all)

    def cut_all(self) -> None:
        for writer in list(self.writers):
            writer.transport.abort()

    def become(self, mode: str) -> None:
        self.mode = mode
        if mode == DOWN:
            self.reset()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            if self.mode != DOWN:
                await self.connect(reader, writer)
        self.writers.discard(writer)
        writer.transport.abort()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until either end leaves."""
        far_reader, far_writer = await asyncio.open_unix_connection(str(self.server))
        self.writers.add(far_writer)
        lost = asyncio.Event()
        there = asyncio.ensure_future(self.pump(reader, far_writer, lost, watch=True))
        back = asyncio.ensure_future(self.pump(far_reader, writer, lost, watch=False))
        try:
            await asyncio.wait([there, back], return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.cancel()
            back.cancel()
            self.writers.discard(far_writer)
            far_writer.transport.abort()

    async def pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event, *, watch: bool
    ) -> None:
        """`lost`: from now on nothing goes back to the process."""
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(65536):
                while self.mode == BLACK_HOLE:
                    await asyncio.sleep(0.02)
                if self.latency:
                    await asyncio.sleep(self.latency)
                act = self.on_commit if watch and COMMIT in data else None
                if act:
                    self.on_commit = None
                    lost.set()
                if watch or not lost.is_set():
                    await self.pass_on(data, writer)
                if act:
                    await self.lose_answer(act)
                    return

    async def pass_on(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        size = self.slice_bytes or len(data)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()

    async def lose_answer(self, act: Callable[[], None]) -> None:
        """The server gets time to commit; then the caller is told, and the connection ends without its answer."""
        await asyncio.sleep(0.2)
        self.cuts += 1
        act()
