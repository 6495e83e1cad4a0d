"""The fold: which exceptions are one incident. A round costs a fixed number of statements, whatever the number of exceptions.

What belongs together is computed from the exceptions themselves each time, never patched, so any order of arrival gives the same
incidents, and a round that nothing has happened since writes nothing. What a person has decided is left as it is (CONTRACT 4).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction

from e2a.pulse import pulse
from exceptions.incidents.models import IncidentRound, IncidentRule
from exceptions.incidents.rules import Wanted, install_default_rules
from exceptions.incidents.statements import (
    CLOSING_STATEMENTS,
    LOCK,
    RECOUNT_STATEMENT,
    TRY_LOCK,
    WAIT_LOCK,
    fold_statement,
    preview_statement,
)
from exceptions.live import version

SIGHT = timedelta(days=7)  # exceptions that opened before are folded no more; their incidents stay
MOST_PREVIEWED = 20
AT_ALL = -1  # no rule's id


@dataclass(frozen=True, slots=True)
class Round:
    """`looked`: whether there was anything new to look at; `written`: rows."""

    looked: bool
    written: int = 0


@dataclass(frozen=True, slots=True)
class Foretold:
    """An incident that a rule would make now."""

    shared: Mapping[str, str]
    orders: int
    exceptions: int
    first_at: datetime
    last_at: datetime


def fold_incidents(*, now: datetime, always: bool = False) -> Round | None:
    """One round in the tenant's schema; None if another is at it. `always`: even if nothing is new."""
    with transaction.atomic():
        if not locked():
            return None
        install_default_rules(now=now)
        seen = version()
        last = IncidentRound.objects.first()
        if last is not None and last.version == seen and not always:
            return Round(looked=False)
        written = sum(fold_rule(rule, now) for rule in IncidentRule.objects.filter(enabled=True))
        written += sum(execute(text, {"now": now, "since": now - SIGHT, "only": None}) for text in CLOSING_STATEMENTS)
        IncidentRound.objects.update_or_create(pk=1, defaults={"version": seen, "at": now})
        if written:
            transaction.on_commit(partial(pulse.touch, connection.schema_name))  # type: ignore[attr-defined]
    return Round(looked=True, written=written)


def recount(incident_id: int, *, now: datetime) -> None:
    """The numbers of one incident, at once; the caller holds the incidents."""
    execute(RECOUNT_STATEMENT, {"now": now, "since": now - SIGHT, "only": incident_id})


def hold_incidents() -> None:
    """Until the end of the transaction no round and no other person changes this tenant's incidents."""
    with connection.cursor() as cursor:
        cursor.execute(WAIT_LOCK, [LOCK])


def locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(TRY_LOCK, [LOCK])
        row: tuple[bool] = cursor.fetchone()
    return row[0]


def fold_rule(rule: IncidentRule, now: datetime) -> int:
    wanted = Wanted(
        title=rule.title,
        dimensions=tuple(rule.dimensions),
        reasons=tuple(rule.reasons),
        window_minutes=rule.window_minutes,
        minimum=rule.minimum,
    )
    return execute(fold_statement(wanted.dimensions), values(wanted, rule, now))


def values(wanted: Wanted, rule: IncidentRule | None, now: datetime) -> dict[str, Any]:
    return {
        "rule": rule.pk if rule is not None and rule.pk is not None else AT_ALL,
        "place": rule.place if rule is not None else 32_767,
        "since": now - SIGHT,
        "window": wanted.window,
        "minimum": wanted.minimum,
        "reasons": list(wanted.reasons),
        "now": now,
    }


def foretell(wanted: Wanted, rule: IncidentRule | None, *, now: datetime) -> list[Foretold]:
    """What a rule with these values would fold now, the largest first, at most 20 and one more; writes nothing.

    `rule`: the one that is edited; its own incidents count as free. Exceptions of incidents that a person holds, or that an earlier rule found, do not.
    """
    with connection.cursor() as cursor:
        cursor.execute(preview_statement(wanted.dimensions), values(wanted, rule, now) | {"most": MOST_PREVIEWED + 1})
        return [Foretold(json.loads(row[3]), *row[4:]) for row in cursor.fetchall()]


def execute(text: str, parameters: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        written: int = cursor.rowcount
    return max(written, 0)
