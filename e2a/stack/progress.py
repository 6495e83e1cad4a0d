"""What a person sees while something takes its time: one line a step, with its seconds."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Line:
    """A line that is rewritten on a terminal; elsewhere it is printed when it ends, and a dot every ten seconds."""

    def __init__(self, title: str) -> None:
        self.title, self.note = title, ""
        self.began = self.shown = time.monotonic()
        self.live = sys.stdout.isatty()
        self.lock = threading.Lock()
        self._print(f"{title} …")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def tell(self, note: str = "") -> None:
        """`note` stands behind the title until the next one."""
        with self.lock:
            self.note = note or self.note
            if self.live:
                self._print(f"\r\x1b[K{self.title} … {self.note} {self.seconds:.0f} s")
            elif time.monotonic() - self.shown > 10:
                self.shown = time.monotonic()
                self._print(f" {self.note or '.'}")

    def end(self, word: str) -> None:
        with self.lock:
            start = f"\r\x1b[K{self.title} …" if self.live else ""
            self._print(f"{start} {word} ({self.seconds:.1f} s)\n")

    @staticmethod
    def _print(text: str) -> None:
        print(text, end="", flush=True)


@contextmanager
def step(title: str) -> Iterator[Line]:
    """Shows the title, the seconds while it goes, and `done` or `failed`."""
    line = Line(title)
    over = threading.Event()

    def tick() -> None:
        while not over.wait(1):
            line.tell()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    word = "failed"
    try:
        yield line
        word = "done"
    finally:
        over.set()
        thread.join()
        line.end(word)
