"""The promised delivery time of an order, stated and changed by its events (CONTRACT 4). Pure."""

from collections.abc import Iterable
from datetime import datetime

from orders.facts import CREATED, UPDATED, Fact, rank


def promise_of(detailed: Iterable[Fact], ended_at: datetime | None) -> datetime | None:
    """The promise that counts. `ended_at`: when the delivery stage ended, if it did.

    The first statement sets it. A later one counts if it was made before the end and before the promise then standing
    had passed; one of None withdraws it.
    """
    statements = [
        fact for fact in detailed if fact.event_type in (CREATED, UPDATED) and fact.detail and "promise" in fact.detail
    ]
    if not statements:
        return None
    statements.sort(key=rank)
    promise = stated(statements[0])
    for fact in statements[1:]:
        at = fact.effective_at
        if (ended_at is None or at < ended_at) and (promise is None or at <= promise):
            promise = stated(fact)
    return promise


def stated(fact: Fact) -> datetime | None:
    value = fact.detail and fact.detail["promise"]
    return datetime.fromisoformat(value) if value else None
