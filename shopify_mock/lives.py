"""Turns the life of one order: reads it, asks a rule how it goes on, and writes that with its webhooks."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from shopify_mock.batch import Happening
from shopify_mock.courses import Course
from shopify_mock.desk import Desk
from shopify_mock.planning import Placed, plan_more
from shopify_mock.state import view
from shopify_mock.view import Json, View
from shopify_mock.webhooks import event_id_of_act

TRUTH = """
UPDATE shop_order SET until = CASE WHEN :until IS NOT NULL THEN :until WHEN :replace AND until > :now THEN NULL ELSE until END
WHERE id = :order AND problem IS NOT NULL AND (until IS NULL OR until > :now)"""
WRITE_ACT = "INSERT INTO act (at, order_id, operation, key, input, result, done_at) VALUES (?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Moment:
    """An order as it stands when somebody acts on it. `rng` gives the same for the same act."""

    order_id: int
    found: View
    past: Sequence[Happening]
    ahead: Sequence[Happening]
    at: int
    rng: Random
    pace: float


Turn = Callable[[Moment], Course | None]


class Lives:
    def __init__(self, desk: Desk) -> None:
        self.desk, self.store = desk, desk.store

    def moment(self, order_id: int, now: float) -> Moment | None:
        life = self.store.life(order_id, now)
        if life is None:
            return None
        goods, past, ahead = life
        rng = Random(f"acts/{self.desk.config.seed}/{order_id}/{self._count(order_id)}")
        return Moment(order_id, view(goods, past), past, ahead, int(now), rng, self.desk.settings.pace_seconds)

    def act(self, order_id: int, operation: str, given: Json, turn: Turn, *, key: str | None = None) -> int | None:
        """One transaction. Returns the act's number; None if there is no such order or nothing came of it.

        Raises: whatever `turn` raises; nothing is written then.
        """
        with self.store.writing() as connection:
            now = time.time()
            moment = self.moment(order_id, now)
            course = turn(moment) if moment else None
            if moment is None or course is None:
                return None
            done_at = max((h.at for h in course.ahead or () if h.kind == "cancelled"), default=moment.at)
            values = (moment.at, order_id, operation, key, json.dumps(given), "{}", done_at)
            number = connection.execute(WRITE_ACT, values).lastrowid
            self._write(moment, course, int(number or 0), now)
            return number

    def _write(self, moment: Moment, course: Course, act: int, now: float) -> None:
        replace = course.ahead is not None
        after = len(moment.past) - 1
        placed = [
            Placed(after + 1 + index, happening, event_id_of_act(moment.order_id, act * 1000 + index))
            for index, happening in enumerate([*course.now, *(course.ahead or ())])
        ]
        deliveries = plan_more(
            moment.order_id,
            moment.found.goods["parcels"],
            placed,
            rng=Random(f"chaos/acts/{moment.order_id}/{act}"),
            now=now,
            delay=self.desk.config.webhook_delay,
            settings=self.desk.settings,
        )
        self.store.turn(moment.order_id, after, placed, deliveries, replace=replace)
        truth: dict[str, Any] = {
            "until": course.until,
            "replace": replace,
            "now": moment.at,
            "order": moment.order_id,
        }
        with self.store.writing() as connection:
            connection.execute(TRUTH, truth)

    def _count(self, order_id: int) -> int:
        return int(self.store.rows("SELECT count(*) AS n FROM act WHERE order_id = ?", (order_id,))[0]["n"])
