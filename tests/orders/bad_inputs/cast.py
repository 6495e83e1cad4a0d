"""Bad inputs (RELIABILITY 4): how each is tried, and what must hold whatever the answer is.

No 5xx, no partial row, one log line with the correlation id, the body not echoed, nothing secret logged.
"""

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.orders.door_cast import rows
from tests.orders.letters.cast import TABLES

MARK = "never-say-this-again"  # stands in bodies; no answer and no log line may hold it
numbers = count(1)
KEPT = "orders_deadletter"


@dataclass(frozen=True, slots=True)
class Answered:
    """`grown`: tables that have more rows than before, and by how many."""

    status: int
    content: bytes
    headers: Any
    grown: dict[str, int] = field(default_factory=dict)

    @property
    def body(self) -> Any:
        return json.loads(self.content)


def sizes(schema: str = "acme") -> dict[str, int]:
    return {table: rows(f"SELECT count(*) FROM {{s}}.{table}", schema)[0][0] for table in TABLES}


class Trial:
    """Sends bad requests through all of the middleware, and checks what must always hold."""

    def __init__(self, output: pytest.CaptureFixture[str], logs: pytest.LogCaptureFixture) -> None:
        self.output = output
        self.logs = logs

    def __call__(
        self,
        client: Client,
        path: str,
        body: bytes | str = b"",
        *,
        method: str = "POST",
        secrets: tuple[str, ...] = (),
        **meta: str,
    ) -> Answered:
        """`meta`: as in WSGI, such as CONTENT_TYPE or HTTP_HOST."""
        identity = f"trial-{next(numbers):06}"
        raw = body.encode() if isinstance(body, str) else body
        before, strangers = sizes(), sizes("globex")
        self.output.readouterr()
        self.logs.clear()
        kind = meta.pop("CONTENT_TYPE", "application/json")
        headers = {"HTTP_X_CORRELATION_ID": identity, **meta}
        answer = client.generic(method, path, raw, content_type=kind, CONTENT_TYPE=kind, **headers)
        self.check(answer, identity, (MARK, *secrets))
        after = sizes()
        assert sizes("globex") == strangers
        grown = {name: after[name] - before[name] for name in TABLES if after[name] != before[name]}
        return Answered(answer.status_code, answer.content, answer, grown)

    def check(self, answer: HttpResponse, identity: str, secrets: tuple[str, ...]) -> None:
        assert answer.status_code < 500, answer.content
        assert answer["X-Correlation-Id"] == identity
        printed = self.output.readouterr().out
        told = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
        requests = [line for line in told if line.get("event") == "request"]
        assert [line["correlation_id"] for line in requests] == [identity]
        assert requests[0]["status"] == answer.status_code
        for word in secrets:
            assert word.encode() not in answer.content
            assert word not in printed + self.logs.text
        if answer.content and answer.status_code >= 400 and answer["Content-Type"] == "application/problem+json":
            problem = json.loads(answer.content)
            assert (problem["status"], problem["correlation_id"]) == (answer.status_code, identity)


def refused(answered: Answered, status: int, *fields: str) -> None:
    """A refusal of that status; 422 is kept as a dead letter, nothing else leaves any row."""
    assert answered.status == status, answered.content
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert answered.grown == ({KEPT: 1} if status == 422 else {})
    if fields:
        assert sorted(answered.body["errors"]) == sorted(fields)
