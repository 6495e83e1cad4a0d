"""The versions of a tenant's policy, read once a process: the door asks for them with every event, and they never change."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg

from orders.statements import POLICY_RULES
from tenants.policy import Policy, PolicyVersion, parse_policy

MOST_KEPT = 4096
_versions: dict[str, tuple[PolicyVersion, ...]] = {}
_policies: dict[tuple[int, str], Policy] = {}  # by id and the transaction that wrote the row


def versions_from(connection: psycopg.Connection[Any], listed: str) -> Sequence[PolicyVersion]:
    """`listed`: what the statement POLICIES says, [[id, valid_from, xmin], …] in the order of the versions."""
    known = _versions.get(listed)
    if known is None:
        known = _read(connection, msgspec.json.decode(listed))
        _keep(_versions, listed, known)
    return known


def _read(connection: psycopg.Connection[Any], rows: Sequence[Any]) -> tuple[PolicyVersion, ...]:
    unread = [key for key, _, written in rows if (key, written) not in _policies]
    texts = dict(connection.execute(POLICY_RULES, {"ids": unread}).fetchall()) if unread else {}
    versions = []
    for key, start, written in rows:
        policy = _policies.get((key, written))
        if policy is None:
            policy = parse_policy(msgspec.json.decode(texts[key]))
            _keep(_policies, (key, written), policy)
        versions.append(PolicyVersion(key, datetime.fromisoformat(start).astimezone(UTC), policy))
    return tuple(versions)


def _keep(store: dict[Any, Any], key: Any, value: Any) -> None:
    if len(store) >= MOST_KEPT:
        store.clear()
    store[key] = value
