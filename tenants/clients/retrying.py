"""Tries again, with growing and jittered pauses, what can be tried again without harm."""

from collections.abc import Callable
from typing import TypeVar

import stamina

from tenants.clients.errors import Busy, Unsure

T = TypeVar("T")
TRIES = 4
WHOLE_SECONDS = 90.0


def retried(act: Callable[[], T], *, harmless: bool, tries: int = TRIES, seconds: float = WHOLE_SECONDS) -> T:
    """`harmless`: doing it twice is as good as once (a read, a call with an idempotency key), so an unsure one is repeated.

    Raises: what the last try raises.
    """

    def again(error: Exception) -> bool | float:
        if isinstance(error, Busy):
            return True if error.wait_seconds is None else error.wait_seconds
        return harmless and isinstance(error, Unsure)

    for attempt in stamina.retry_context(on=again, attempts=tries, timeout=seconds):
        with attempt:
            return act()
    raise AssertionError("a try returns or raises")  # pragma: no cover
