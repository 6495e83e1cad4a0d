"""A queue of jobs in which nobody's crowd keeps another waiting: each sender has a line, and the lines take turns."""

from collections import OrderedDict, deque
from queue import SimpleQueue
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    def __init__(self) -> None:
        self.lines: OrderedDict[str, deque[T]] = OrderedDict()  # none is empty; the first is next
        self.lock = Lock()
        self.tickets: SimpleQueue[None] = SimpleQueue()  # one a job: waiting for it costs no Python

    def put(self, sender: str, job: T) -> None:
        with self.lock:
            self.lines.setdefault(sender, deque()).append(job)
        self.tickets.put(None)

    def get(self) -> T:
        """Waits for a job: the first of the line that has waited longest for its turn."""
        self.tickets.get()
        with self.lock:
            sender, line = self.lines.popitem(last=False)
            job = line.popleft()
            if line:
                self.lines[sender] = line
        return job
