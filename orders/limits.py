"""How much a sender may send: token buckets in the process's own memory, so that no limit depends on Redis (issue: limits).

A process has its own, so several processes allow as many times as much. Forged requests count against the address they come
from and never against the tenant whose name they bear; what a provider has signed is refused only far beyond what others may send.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil
from threading import Lock

from django.conf import settings

from e2a.errors import TooMany
from e2a.observability.metrics import INGEST_ERRORS

BURST_SECONDS = 4  # how long a sender who was quiet may send all at once what they may send in that time
FAR_BEYOND = 5  # times a tenant's limit, for signed webhooks
DEEPEST_DEBT = 10  # bursts; of an address that goes on forging no more is noted, and nothing is looked up
MOST_KEPT = 10_000
FORGED = "Too many requests from this address were forged."


@dataclass(slots=True)
class Bucket:
    """May be in debt: a batch is taken whole when anything at all is left."""

    tokens: float
    at: float


class Buckets:
    """One a key; of the most recently used ones only, so that inventing keys costs no memory."""

    def __init__(
        self, per_second: float, *, most_kept: int = MOST_KEPT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_second, self.burst = per_second, per_second * BURST_SECONDS
        self.most_kept, self.clock = most_kept, clock
        self.buckets: OrderedDict[str, Bucket] = OrderedDict()
        self.lock = Lock()

    def take(self, key: str, cost: float = 1) -> float:
        """Seconds to wait; 0 if it was taken."""
        with self.lock:
            bucket = self._filled(key)
            if bucket.tokens <= 0:
                return (1 - bucket.tokens) / self.per_second
            bucket.tokens -= cost
            return 0.0

    def blame(self, key: str) -> float:
        """Takes one, also from nothing. Seconds until the key may be believed again; 0 if it still is."""
        with self.lock:
            bucket = self._filled(key)
            bucket.tokens = max(bucket.tokens - 1, -DEEPEST_DEBT * self.burst)
            return max(0.0, -bucket.tokens / self.per_second)

    def forget(self) -> None:
        with self.lock:
            self.buckets.clear()

    def is_hopeless(self, key: str) -> bool:
        with self.lock:
            return key in self.buckets and self._filled(key).tokens < 1 - DEEPEST_DEBT * self.burst

    def _filled(self, key: str) -> Bucket:
        now = self.clock()
        bucket = self.buckets.get(key)
        if bucket is None:
            bucket = self.buckets[key] = Bucket(self.burst, now)
            if len(self.buckets) > self.most_kept:
                self.buckets.popitem(last=False)
        else:
            self.buckets.move_to_end(key)
        bucket.tokens = min(self.burst, bucket.tokens + (now - bucket.at) * self.per_second)
        bucket.at = now
        return bucket


class Limits:
    """The door's limits of this process."""

    def __init__(
        self, *, tenant: float, source: float, forged: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.tenants = Buckets(tenant, clock=clock)
        self.sources = Buckets(source, clock=clock)
        self.signed = Buckets(tenant * FAR_BEYOND, clock=clock)
        self.addresses, self.forgers = Buckets(forged, clock=clock), Buckets(forged, clock=clock)

    def admit(self, schema: str, count: int = 1) -> None:
        """Events of a program, before anything is read. Raises: TooMany."""
        wait = self.tenants.take(schema, count)
        refuse(wait, "This tenant sends more events than the limit allows.", schema)

    def admit_sources(self, schema: str, sources: Iterable[str]) -> None:
        """The source of each event. Raises: TooMany."""
        for source, count in Counter(sources).items():
            wait = self.sources.take(f"{schema}/{source}", count)
            refuse(wait, f"The source {source} sends more events than the limit allows.", schema)

    def admit_signed(self, schema: str) -> None:
        """A webhook whose signature holds. Raises: TooMany."""
        wait = self.signed.take(schema)
        refuse(wait, "This tenant gets far more webhooks than the limit allows.", schema)

    def forget(self) -> None:
        """As if nobody had sent anything yet."""
        for buckets in (self.tenants, self.sources, self.signed, self.addresses, self.forgers):
            buckets.forget()

    def check_forger(self, address: str, name: str) -> None:
        """Before anything is looked up. Raises: TooMany for an address that has forged and forged in this tenant's name.

        Others may stand behind the same address (a proxy, a provider), and so the tenant's name belongs to it.
        """
        if self.forgers.is_hopeless(f"{address} {name[:64]}"):
            refuse(1, FORGED)

    def note_forged(self, address: str, name: str) -> None:
        """A request whose key or signature did not hold. Raises: TooMany once there were too many from the address."""
        self.forgers.blame(f"{address} {name[:64]}")
        refuse(self.addresses.blame(address), FORGED)


def refuse(seconds: float, sentence: str, schema: str = "") -> None:
    """Raises: TooMany if there is anything to wait for."""
    if seconds > 0:
        INGEST_ERRORS.labels(schema, "", "limit").inc()
        raise TooMany(sentence, retry_after=ceil(seconds))


limits = Limits(
    tenant=settings.TENANT_EVENTS_PER_SECOND,
    source=settings.SOURCE_EVENTS_PER_SECOND,
    forged=settings.FORGED_PER_SECOND,
)
