"""Sends what is due: several connections, 5 seconds a try, Shopify's 8 retries within 4 hours.

One thread looks for due rows and writes results down; the others send. A redirect is a failure. The first retries come
within seconds, so that a restarted receiver catches up; once it answers again after having been away (no connection,
502 to 504), all that failed for that reason is due at once. (Shopify's own first retry comes later.)
"""

import logging
import queue
import threading
import time
from dataclasses import dataclass

import httpx

from shopify_mock.store import Store
from shopify_mock.webhooks import body_of, headers_of

logger = logging.getLogger(__name__)
BACKOFF = (1, 3, 10, 60, 300, 1_200, 3_600, 9_000)  # seconds; 3 h 56 min in all
TIMEOUT_SECONDS = 5.0
CONNECTIONS = 8
AWAY = (0, 502, 503, 504)
IN_FLIGHT = 256


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery with its place among its tries."""

    id: int
    attempts: int
    headers: dict[str, str]
    body: bytes


Result = tuple[str, int, int, float, int]


class Sender:
    def __init__(self, store: Store, *, url: str, secret: str, transport: httpx.BaseTransport | None = None) -> None:
        self.store, self.url, self.secret = store, url, secret
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._client = httpx.Client(
            transport=transport, timeout=TIMEOUT_SECONDS, limits=limits, follow_redirects=False, trust_env=False
        )
        self._parcels: queue.Queue[Parcel | None] = queue.Queue()
        self._results: queue.Queue[Result] = queue.Queue()
        self._in_flight: set[int] = set()
        self._away = False
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        if not self.url:
            return
        works = [self._dispatch, *[self._work] * CONNECTIONS]
        self._threads = [threading.Thread(target=work, daemon=True, name=f"sender-{i}") for i, work in enumerate(works)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """What is being sent is finished and written down; the rest stays a row."""
        self._stop.set()
        for _ in self._threads[1:]:
            self._parcels.put(None)
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS + 1)
        self._write_down()
        self._client.close()

    def _dispatch(self) -> None:
        while not self._stop.is_set():
            try:
                moved = self._write_down() + self._take()
            except Exception:
                logger.exception("The deliveries could not be read or written; trying again.")
                moved = 0
            if not moved:
                self._stop.wait(0.05)

    def _take(self) -> int:
        """Puts due rows that are not under way into the queue."""
        room = IN_FLIGHT - len(self._in_flight)
        if room < IN_FLIGHT // 4:
            return 0
        rows = self.store.due(time.time(), IN_FLIGHT)
        fresh = [row for row in rows if row["id"] not in self._in_flight][:room]
        for row in fresh:
            goods, past = self.store.history(row["order_id"], through=row["sequence"])
            body = body_of(row["topic"], goods, past)
            headers = headers_of(
                topic=row["topic"],
                event_id=row["event_id"],
                webhook_id=row["webhook_id"],
                triggered_at=row["triggered_at"],
                body=body,
                secret=self.secret,
            )
            self._in_flight.add(row["id"])
            self._parcels.put(Parcel(row["id"], row["attempts"], headers, body))
        return len(fresh)

    def _work(self) -> None:
        while (parcel := self._parcels.get()) is not None and not self._stop.is_set():
            self._results.put(result_of(parcel, self._post(parcel), time.time()))

    def _post(self, parcel: Parcel) -> int:
        """The status of the answer; 0 if there was none."""
        try:
            return self._client.post(self.url, content=parcel.body, headers=parcel.headers).status_code
        except (httpx.HTTPError, OSError):
            return 0

    def _write_down(self) -> int:
        results = []
        while not self._results.empty():
            results.append(self._results.get())
        if not results:
            return 0
        self.store.settle(results)
        self._in_flight.difference_update(result[4] for result in results)
        self._watch([result[2] for result in results])
        return len(results)

    def _watch(self, answers: list[int]) -> None:
        """Notes whether the receiver is away, and wakes what waited for it."""
        if any(answer not in AWAY for answer in answers):
            if self._away:
                self.store.wake(time.time())
            self._away = False
        else:
            self._away = True


def result_of(parcel: Parcel, answer: int, now: float) -> Result:
    """What becomes of a delivery that was tried: (state, attempts, answer, due_at, id)."""
    attempts = parcel.attempts + 1
    if 200 <= answer < 300:
        return "done", attempts, answer, now, parcel.id
    if attempts > len(BACKOFF):
        return "failed", attempts, answer, now, parcel.id
    return "planned", attempts, answer, now + BACKOFF[attempts - 1], parcel.id
