"""How long a request waits for PostgreSQL before it gives up and answers 503: a hung server must not hang its clients.

A provider counts an answer after five seconds as a failure, so the door gives up before that. Once PostgreSQL was silent, the
process waits only briefly until it has answered again, or requests would queue behind each other's waiting. Work outside a
request (radar, tasks, commands) waits as long as it takes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from typing import Any

import psycopg
from psycopg.errors import _WaitTimeout

SHORTEST_WAIT = 0.05
BRIEF_WAIT = 0.5  # while PostgreSQL is known to be silent
_until: ContextVar[float | None] = ContextVar("patience", default=None)


class Silence:
    """Whether PostgreSQL left this process's last request without an answer."""

    known = False


class DatabaseSilent(psycopg.OperationalError):
    """PostgreSQL did not answer in time; the connection was given up."""


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Everything that this thread asks of PostgreSQL inside must be answered within so many seconds from now."""
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def patience_left(most: float) -> float:
    """Seconds that this request may still wait, at most `most`; that long outside a request."""
    until = _until.get()
    if until is None:
        return most
    return min(most, BRIEF_WAIT if Silence.known else inf, max(SHORTEST_WAIT, until - time.monotonic()))


class PatientConnection(psycopg.Connection[Any]):
    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Raises: DatabaseSilent when the request's patience ends first. What was sent may still take effect."""
        if timeout is not None or _until.get() is None:
            return super().wait(gen, interval, timeout)
        try:
            found = super().wait(gen, interval, patience_left(inf))
        except _WaitTimeout:
            self.pgconn.finish()
            Silence.known = True
            raise DatabaseSilent(DatabaseSilent.__doc__ or "") from None
        Silence.known = False
        return found
