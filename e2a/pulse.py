"""The pulse: tells the open pages that something changed, without any request ever waiting for Redis.

`touch` notes a tenant's schema in memory; one background thread a process sends at most one hint a second for each. A hint
that is lost costs a page one polling interval, never data. Nothing but a process's own memory is shared with the thread.
"""

import logging
import threading
import time
from collections.abc import Callable

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)
INTERVAL_SECONDS = 1.0


class Pulse:
    """`send(schema)` is the way to Redis, injectable in tests."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self.send = send
        self.touched: set[str] = set()
        self.lock = threading.Lock()
        self.wake = threading.Event()
        self.thread: threading.Thread | None = None

    def touch(self, schema: str) -> None:
        """Never blocks. The thread is started by the first touch of a process, so it survives no fork."""
        with self.lock:
            self.touched.add(schema)
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self.run, name="pulse", daemon=True)
                self.thread.start()
        self.wake.set()

    def run(self) -> None:
        while True:
            self.wake.wait()
            self.wake.clear()
            self.beat()
            time.sleep(INTERVAL_SECONDS)

    def beat(self) -> None:
        """Sends what was touched since the last beat. A failure drops the hints: the pages poll besides."""
        if not threading.main_thread().is_alive():
            return  # the process is ending, and the event loops have ended already
        with self.lock:
            schemas, self.touched = self.touched, set()
        for schema in sorted(schemas):
            try:
                self.send(schema)
            except Exception as error:
                logger.warning("pulse not sent: %s", type(error).__name__)
                return


def group_of(schema: str) -> str:
    """The websocket group of a tenant. Made here only, never taken from a client."""
    return f"tenant.{schema}"


def send_hint(schema: str) -> None:
    layer = get_channel_layer()
    if layer is not None:
        async_to_sync(layer.group_send)(group_of(schema), {"type": "changed"})


pulse = Pulse(send_hint)
