"""Progress of long work on a terminal: one line that is written over; where nobody watches, a line now and then."""

import sys
import time
from typing import TextIO

WIDTH = 30
TERMINAL_SECONDS, LOG_SECONDS = 0.2, 10.0


class Progress:
    """`total` 0: how much there is cannot be told, so only the count is shown."""

    def __init__(self, label: str, total: int, *, out: TextIO | None = None) -> None:
        self.label, self.total = label, total
        self.out = out or sys.stderr
        self.on_terminal = self.out.isatty()
        self.began = self.shown_at = time.monotonic()

    def show(self, done: int, note: str = "", *, last: bool = False) -> None:
        now = time.monotonic()
        if now - self.shown_at < (TERMINAL_SECONDS if self.on_terminal else LOG_SECONDS) and not last:
            return
        self.shown_at = now
        text = f"{self.label} {bar(done, self.total)} {note}".rstrip()
        self.out.write(f"\r\x1b[K{text}" if self.on_terminal else f"{text}\n")
        if last and self.on_terminal:
            self.out.write("\n")
        self.out.flush()


def bar(done: int, total: int) -> str:
    if not total:
        return ""
    share = min(done / total, 1)
    filled = int(share * WIDTH)
    return f"[{'#' * filled}{'.' * (WIDTH - filled)}] {share:4.0%}"
