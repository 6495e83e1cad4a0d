"""The shop's own file: orders, their truth, what happens to them, and every webhook still to be sent (SQLite, WAL).

A delivery is a row from before it is due until after the receiver said 2xx: a kill -9 may double one, never lose one.
Bodies are not stored: they follow from the order and its happenings, to the byte.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shopify_mock.batch import Happening, PlannedOrder
from shopify_mock.planning import Delivery, Placed

SCHEMA = """
CREATE TABLE IF NOT EXISTS shop_order (
  id INTEGER PRIMARY KEY, number INTEGER NOT NULL UNIQUE, created_at INTEGER NOT NULL, goods TEXT NOT NULL,
  problem TEXT, since INTEGER, until INTEGER, deadline INTEGER);
CREATE INDEX IF NOT EXISTS shop_order_created ON shop_order (created_at);
CREATE TABLE IF NOT EXISTS happening (
  order_id INTEGER NOT NULL REFERENCES shop_order, sequence INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
  data TEXT NOT NULL, PRIMARY KEY (order_id, sequence)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery (
  id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES shop_order, sequence INTEGER NOT NULL,
  topic TEXT NOT NULL, event_id TEXT NOT NULL, webhook_id TEXT NOT NULL UNIQUE, triggered_at INTEGER NOT NULL,
  due_at REAL NOT NULL, state TEXT NOT NULL CHECK (state IN ('planned', 'done', 'failed', 'dropped')),
  attempts INTEGER NOT NULL DEFAULT 0, answer INTEGER, copy INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due_at) WHERE state = 'planned';
CREATE INDEX IF NOT EXISTS delivery_state ON delivery (state, copy);
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS act (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, order_id INTEGER NOT NULL REFERENCES shop_order, operation TEXT NOT NULL,
  key TEXT UNIQUE, input TEXT NOT NULL, result TEXT NOT NULL, done_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS act_order ON act (order_id);
CREATE TABLE IF NOT EXISTS received (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('mail', 'slack', 'hook')),
  sender TEXT NOT NULL, recipient TEXT NOT NULL, subject TEXT NOT NULL, headers TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS received_kind ON received (kind, id);
"""
DUE = """
SELECT id, order_id, sequence, topic, event_id, webhook_id, triggered_at, attempts
FROM delivery WHERE state = 'planned' AND due_at <= ? ORDER BY due_at, id LIMIT ?"""
COUNTS = """
SELECT count(*) FILTER (WHERE state = 'done') AS sent,
  count(*) FILTER (WHERE state = 'planned' AND due_at <= :now) AS pending,
  count(*) FILTER (WHERE state = 'failed') AS failed,
  count(*) FILTER (WHERE state = 'planned' AND due_at > :now) AS planned_later,
  count(*) FILTER (WHERE state = 'planned' AND attempts > 0) AS retrying,
  count(*) FILTER (WHERE state = 'dropped') AS dropped,
  count(*) FILTER (WHERE copy > 0) AS doubled
FROM delivery"""
ADD_DELIVERY = """
INSERT INTO delivery (order_id, sequence, topic, event_id, webhook_id, triggered_at, due_at, state, copy)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
CHANGED = """
WITH seen AS (
  SELECT o.id, max(h.at) AS updated_at FROM shop_order o JOIN happening h ON h.order_id = o.id
  WHERE o.created_at <= :now AND h.at <= :now GROUP BY o.id)
SELECT id, updated_at FROM seen WHERE updated_at >= :least AND updated_at <= :most
  AND ((:key = 'id' AND id > :after_id) OR (:key = 'updated_at' AND (updated_at, id) > (:after, :after_id)))
ORDER BY CASE WHEN :key = 'updated_at' THEN updated_at END, id LIMIT :limit"""


class Store:
    """One connection a thread, one writer at a time."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.path = home / "shop.sqlite3"
        self._local = threading.local()
        self._writing = threading.RLock()
        self._connection().executescript(SCHEMA)

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            found.row_factory = sqlite3.Row
            found.execute("PRAGMA journal_mode = WAL")
            found.execute("PRAGMA synchronous = NORMAL")
            self._local.connection = found
        return found

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that waits for its turn; nested ones join it."""
        with self._writing:
            connection = self._connection()
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def rows(self, statement: str, values: Any = ()) -> list[sqlite3.Row]:
        return self._connection().execute(statement, values).fetchall()

    def kept(self, name: str) -> Any:
        found = self.rows("SELECT value FROM kept WHERE name = ?", (name,))
        return json.loads(found[0]["value"]) if found else None

    def keep(self, name: str, value: Any) -> None:
        with self.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, json.dumps(value)))

    def next_number(self) -> int:
        return int(self.rows("SELECT coalesce(max(number), 1000) + 1 AS next FROM shop_order")[0]["next"])

    def add(self, orders: Sequence[PlannedOrder], deliveries: Iterable[Delivery]) -> None:
        with self.writing() as connection:
            connection.executemany(
                "INSERT INTO shop_order VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (o.id, o.number, o.happenings[0].at, json.dumps(o.goods), o.problem, o.since, o.until, o.deadline)
                    for o in orders
                ),
            )
            connection.executemany(
                "INSERT INTO happening VALUES (?, ?, ?, ?, ?)",
                (
                    (o.id, index, h.at, h.kind, json.dumps(h.data))
                    for o in orders
                    for index, h in enumerate(o.happenings)
                ),
            )
            self._add_deliveries(connection, deliveries)

    def _add_deliveries(self, connection: sqlite3.Connection, deliveries: Iterable[Delivery]) -> None:
        names = ("order_id", "sequence", "topic", "event_id", "webhook_id", "triggered_at", "due_at", "state", "copy")
        connection.executemany(ADD_DELIVERY, (tuple(getattr(d, name) for name in names) for d in deliveries))

    def life(self, order_id: int, now: float) -> tuple[dict[str, Any], list[Happening], list[Happening]] | None:
        """Goods, what has happened, and what lies ahead; None for an order that the shop does not know yet."""
        last = self.known(order_id, now)
        if last is None:
            return None
        goods, past = self.history(order_id, through=last)
        ahead = self.rows(
            "SELECT at, kind, data FROM happening WHERE order_id = ? AND sequence > ? ORDER BY sequence",
            (order_id, last),
        )
        return goods, past, [Happening(row["at"], row["kind"], json.loads(row["data"])) for row in ahead]

    def turn(
        self, order_id: int, after: int, placed: Sequence[Placed], deliveries: Iterable[Delivery], *, replace: bool
    ) -> None:
        """The life goes on otherwise from the place `after`: what lay ahead is replaced, or comes after what is added."""
        at = (order_id, after)
        with self.writing() as connection:
            ahead = connection.execute("SELECT * FROM happening WHERE order_id = ? AND sequence > ?", at).fetchall()
            connection.execute("DELETE FROM happening WHERE order_id = ? AND sequence > ?", at)
            if replace:
                connection.execute("DELETE FROM delivery WHERE order_id = ? AND sequence > ?", at)
            else:
                connection.execute(
                    "UPDATE delivery SET sequence = sequence + ? WHERE order_id = ? AND sequence > ?",
                    (len(placed), *at),
                )
            kept = [] if replace else ahead
            connection.executemany(
                "INSERT INTO happening VALUES (?, ?, ?, ?, ?)",
                [(order_id, p.sequence, p.happening.at, p.happening.kind, json.dumps(p.happening.data)) for p in placed]
                + [(order_id, row["sequence"] + len(placed), row["at"], row["kind"], row["data"]) for row in kept],
            )
            self._add_deliveries(connection, deliveries)

    def history(self, order_id: int, *, through: int) -> tuple[dict[str, Any], list[Happening]]:
        """The order's goods and its happenings up to that sequence number."""
        goods = self.rows("SELECT goods FROM shop_order WHERE id = ?", (order_id,))[0]["goods"]
        past = self.rows(
            "SELECT at, kind, data FROM happening WHERE order_id = ? AND sequence <= ? ORDER BY sequence",
            (order_id, through),
        )
        return json.loads(goods), [Happening(row["at"], row["kind"], json.loads(row["data"])) for row in past]

    def known(self, order_id: int, now: float) -> int | None:
        """The sequence number of the last happening that is past; None for an order that the shop does not know yet."""
        found = self.rows("SELECT max(sequence) AS last FROM happening WHERE order_id = ? AND at <= ?", (order_id, now))
        last: int | None = found[0]["last"]
        return last

    def changed(self, **values: Any) -> list[sqlite3.Row]:
        """(id, updated_at) of the orders that the shop knows `now`, a page."""
        return self.rows(CHANGED, values)

    def due(self, now: float, limit: int) -> list[sqlite3.Row]:
        return self.rows(DUE, (now, limit))

    def settle(self, results: Sequence[tuple[str, int, int, float, int]]) -> None:
        """(state, attempts, answer, due_at, id) of deliveries that were tried."""
        with self.writing() as connection:
            connection.executemany(
                "UPDATE delivery SET state = ?, attempts = ?, answer = ?, due_at = ? WHERE id = ?", results
            )

    def wake(self, now: float) -> None:
        """The receiver is back: what failed because it was away is due again at once."""
        with self.writing() as connection:
            connection.execute(
                "UPDATE delivery SET due_at = ? WHERE state = 'planned' AND due_at > ? AND attempts > 0"
                " AND answer IN (0, 502, 503, 504)",
                (now, now),
            )

    def stats(self, now: float) -> dict[str, Any]:
        generated = self.rows("SELECT count(*) AS n FROM shop_order")[0]["n"]
        return {"generated": generated, "deliveries": dict(self.rows(COUNTS, {"now": now})[0])}
