"""Senders that do not give up: each event is sent until it is answered 2xx, and every answer is written down."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx

from tests.faults.installation import SECRET, Installation

COURSE = (
    "order_created",
    "payment_confirmed",
    "inventory_allocated",
    "order_packed",
    "order_fulfilled",
    "order_delivered",
)
LONGEST_ANSWER = 5.0
PATIENCE_SECONDS = 60.0


@dataclass
class Log:
    """`slowest`: seconds of the slowest answer, or of waiting for one that never came; `refused`: answers that were not 2xx, by status."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    cut: int = 0
    slowest: float = 0.0
    without_retry_after: int = 0
    refused_at: list[float] = field(default_factory=list)  # by time.monotonic()
    gave_up: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, event_id: str, answer: httpx.Response | None, seconds: float) -> bool:
        """Whether the event is done."""
        with self.lock:
            self.slowest = max(self.slowest, seconds)
            if answer is None:
                self.cut += 1
                return False
            if answer.status_code in (200, 201):
                self.acknowledged[event_id] = answer.status_code
                self.duplicates += answer.json().get("status") == "duplicate"
                return True
            self.refused[answer.status_code] = self.refused.get(answer.status_code, 0) + 1
            self.refused_at.append(time.monotonic())
            self.without_retry_after += "Retry-After" not in answer.headers
            return False


def events_of(prefix: str, orders: int, *, now: datetime, seed: int) -> list[dict[str, Any]]:
    """Orders' courses, shuffled; some never paid whose deadline falls within the next seconds."""
    rng = Random(seed)
    events = []
    for number in range(orders):
        order = f"{prefix}-{number}"
        soon = number % 5 == 0
        began = now - (
            timedelta(minutes=30) - timedelta(seconds=rng.randint(1, 8))
            if soon
            else timedelta(hours=rng.randint(1, 40))
        )
        for step, kind in enumerate(COURSE[: 1 if soon else rng.randint(1, len(COURSE))]):
            at = min(began + timedelta(minutes=20 * step), now)
            events.append({"source": "wms", "event_type": kind, "event_id": f"{order}-{kind}", "order_id": order,
                           "occurred_at": at.astimezone(UTC).isoformat(), "payload": {"step": step}})  # fmt: skip
    rng.shuffle(events)
    return events


class Load:
    """Sends events from several threads at a pace, half of them as a provider's signed webhooks."""

    def __init__(
        self, installation: Installation, prefix: str, *, orders: int, seconds: float, senders: int = 6
    ) -> None:
        self.installation = installation
        self.log = Log()
        rows = installation.rows("SELECT clock_timestamp()")
        self.events = events_of(prefix, orders, now=rows[0][0], seed=len(prefix))
        self.pause = seconds * senders / len(self.events)
        self.threads = [
            threading.Thread(target=self.send, args=(self.events[n::senders], n % 2), daemon=True)
            for n in range(senders)
        ]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def over(self) -> bool:
        return not any(thread.is_alive() for thread in self.threads)

    def __exit__(self, *error: object) -> None:
        for thread in self.threads:
            thread.join(PATIENCE_SECONDS * 2)

    def send(self, events: Sequence[dict[str, Any]], as_webhook: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{self.installation.port}", timeout=20) as client:
            for event in events:
                self.send_one(client, event, as_webhook=bool(as_webhook))
                time.sleep(self.pause)

    def send_one(self, client: httpx.Client, event: dict[str, Any], *, as_webhook: bool) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            began = time.monotonic()
            try:
                answer = self.webhook(client, event) if as_webhook else self.event(client, event)
            except httpx.HTTPError:
                answer = None
            if self.log.note(event["event_id"], answer, time.monotonic() - began):
                return
            time.sleep(0.2)
        self.log.gave_up.append(event["event_id"])

    def event(self, client: httpx.Client, event: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.installation.keys['acme']}", "X-Tenant-Id": "acme"}
        return client.post("/events", json=event, headers=headers)

    def webhook(self, client: httpx.Client, event: dict[str, Any]) -> httpx.Response:
        body = json.dumps(
            {
                "order": event["order_id"],
                "type": event["event_type"],
                "at": event["occurred_at"],
                "id": event["event_id"],
            }
        ).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Signature": signature, "Content-Type": "application/json"}
        return client.post("/webhooks/acme/shop", content=body, headers=headers)

    def repeat_in_calm(self) -> None:
        """The same events to the tenant that no fault befalls."""
        headers = {"Authorization": f"Bearer {self.installation.keys['calm']}", "X-Tenant-Id": "calm"}
        url = f"http://127.0.0.1:{self.installation.port}/events/batch"
        answer = httpx.post(url, json={"events": self.events}, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        assert answer.json()["rejected"] == []
