"""What came in from outside: e-mails, Slack messages and webhooks of whoever is being tried out. Kept, and shown."""

import json
import time
from collections.abc import Mapping
from typing import Any

from shopify_mock.shop import utc_iso
from shopify_mock.store import Store

Json = dict[str, Any]
KINDS = ("mail", "slack", "hook")
SHOWN = 100
LONGEST = 64 * 1024
WRITE = "INSERT INTO received (at, kind, sender, recipient, subject, headers, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
READ = "SELECT * FROM received WHERE kind = ? ORDER BY id DESC LIMIT ?"


class Inbox:
    def __init__(self, store: Store) -> None:
        self.store = store

    def keep(
        self,
        kind: str,
        *,
        sender: str = "",
        recipient: str,
        subject: str = "",
        headers: Mapping[str, str] | None = None,
        body: str,
    ) -> int:
        """Its number. Bodies longer than 64 KiB are cut."""
        told = json.dumps(dict(headers or {}), ensure_ascii=False)
        values = (time.time(), kind, sender, recipient, subject, told, body[:LONGEST])
        with self.store.writing() as connection:
            return int(connection.execute(WRITE, values).lastrowid or 0)

    def newest(self, kind: str) -> list[Json]:
        return [
            {
                "id": row["id"],
                "at": utc_iso(row["at"]),
                "from": row["sender"],
                "to": row["recipient"],
                "subject": row["subject"],
                "headers": json.loads(row["headers"]),
                "body": row["body"],
            }
            for row in self.store.rows(READ, (kind, SHOWN))
        ]

    def count(self, kind: str) -> int:
        return int(self.store.rows("SELECT count(*) AS n FROM received WHERE kind = ?", (kind,))[0]["n"])
