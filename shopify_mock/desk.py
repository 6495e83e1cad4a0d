"""What the shop can be asked and told at `/admin/…`: batches, settings, orders, truth."""

import random
import threading
import time
from collections.abc import Mapping
from typing import Any

from shopify_mock.batch import make_batch
from shopify_mock.config import MAX_BATCH, Config, Settings
from shopify_mock.errors import WrongRequest
from shopify_mock.planning import plan_deliveries
from shopify_mock.shop import utc_iso
from shopify_mock.state import view
from shopify_mock.store import Store

Json = dict[str, Any]
PROBLEMS = """
SELECT id, number, problem, since, until, deadline FROM shop_order WHERE problem IS NOT NULL ORDER BY number"""
PAGE = 250


class Desk:
    def __init__(self, store: Store, config: Config) -> None:
        self.store, self.config = store, config
        self._generating = threading.Lock()
        self.settings = config.settings.changed(store.kept("settings") or {})

    def generate(self, asked: Mapping[str, Any], *, now: float | None = None) -> Json:
        """A batch, with its whole past planned as webhooks. Raises: WrongRequest."""
        wrong = set(asked) - {"count", "seed", "struck"}
        if wrong:
            raise WrongRequest(f"“{sorted(wrong)[0][:64]}” is not known; a batch takes count, seed and struck.")
        count = _whole(asked, "count", 1, MAX_BATCH)
        seed = _whole(asked, "seed", 0, 2**63 - 1)
        struck = _whole(asked, "struck", 0, MAX_BATCH) or 0
        with self._generating:
            batches = int(self.store.kept("batches") or 0)
            seed = self.config.seed + batches if seed is None else seed
            if count is None:
                count = random.Random(seed).randint(self.config.least_orders, self.config.most_orders)
            return self._generate(count, seed, batches, struck, time.time() if now is None else now)

    def _generate(self, count: int, seed: int, batches: int, struck: int, now: float) -> Json:
        first = self.store.next_number()
        orders = make_batch(
            seed=seed,
            base=int(now),
            count=count,
            first_number=first,
            problem_share=self.settings.problem_share,
            struck=struck,
        )
        deliveries = plan_deliveries(
            orders, seed=seed, now=now, delay=self.config.webhook_delay, settings=self.settings
        )
        with self.store.writing():
            self.store.add(orders, deliveries)
            self.store.keep("batches", batches + 1)
        return {"count": count, "first": f"#{first}", "last": f"#{first + count - 1}", "seed": seed}

    def change_settings(self, values: Mapping[str, Any]) -> Json:
        """Holds for batches generated from now on. Raises: WrongSetting."""
        changed: Settings = self.settings.changed(values)
        self.store.keep("settings", {**(self.store.kept("settings") or {}), **values})
        self.settings = changed
        return changed.as_dict()

    def problems(self) -> list[Json]:
        """The truth, which nothing that is sent names."""
        return [
            {
                "order_id": row["id"],
                "name": f"#{row['number']}",
                "problem": row["problem"],
                "since": utc_iso(row["since"]),
                "until": utc_iso(row["until"]) if row["until"] is not None else None,
                "deadline": utc_iso(row["deadline"]) if row["deadline"] is not None else None,
            }
            for row in self.store.rows(PROBLEMS)
        ]

    def orders(self, query: Mapping[str, str]) -> Json:
        """Orders that exist by now, newest first, a page."""
        limit = min(_number_of(query, "limit", 50), PAGE)
        page = _number_of(query, "page", 1)
        now = time.time()
        total = self.store.rows("SELECT count(*) AS n FROM shop_order WHERE created_at <= ?", (now,))[0]["n"]
        rows = self.store.rows(
            "SELECT id FROM shop_order WHERE created_at <= ? ORDER BY number DESC LIMIT ? OFFSET ?",
            (now, limit, (page - 1) * limit),
        )
        return {
            "orders": [self.order(row["id"], now) for row in rows],
            "total": total,
            "page": page,
            "pages": max(1, -(-total // limit)),
        }

    def order(self, order_id: int, now: float) -> Json | None:
        last = self.store.known(order_id, now)
        return None if last is None else view(*self.store.history(order_id, through=last)).order


def _whole(asked: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = asked.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise WrongRequest(f"{name} must be a whole number from {least} to {most}.")
    return value


def _number_of(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or not 1 <= len(text) <= 9 or not int(text):
        raise WrongRequest(f"{name} must be a whole number from 1.")
    return int(text)
