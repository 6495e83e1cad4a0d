"""Writes of notifications: telling people, reading, choosing. In the schema that the connection stands in."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import msgspec
from django.db import connection
from django.db.models import F, Func

from exceptions.notifications.mentions import find_mentioned, names_in, possible_names, trouble_of
from exceptions.notifications.models import Notification
from exceptions.notifications.statements import notify_statement
from exceptions.notifications.words import USUAL, USUAL_SEVERITY, Way
from tenants.models import Membership

TEXT_LENGTH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`subject`: the matter's identity; a person is told of each once. `entry_id`: the row of the timeline that tells it."""

    user_id: int
    matter: str
    subject: str
    exception_id: int | None = None
    entry_id: int | None = None
    actor: str = ""
    text: str = ""


def notify(notices: Sequence[Notice], *, now: datetime) -> int:
    """Call it in the transaction of what is told. One row for each way that the person has chosen; none for who has left,
    and none that is there already. Returns how many rows were made."""
    if not notices:
        return 0
    schema: str = connection.schema_name  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        cursor.execute(
            notify_statement(schema),
            {
                "schema": schema,
                "usual": list(USUAL),
                "usual_severity": USUAL_SEVERITY,
                "notices": msgspec.json.encode([asdict(notice) for notice in notices]).decode(),
                "now": now,
            },
        )
        return int(cursor.rowcount)


@dataclass(frozen=True, slots=True)
class Named:
    """Who a comment names: user names by id. `trouble`: a sentence when it cannot be taken so."""

    names: dict[int, str]
    trouble: str


def people_named(text: str) -> Named:
    """Members of this tenant only: for any other name there is a sentence, whoever has it elsewhere."""
    names = names_in(text)
    if not names:
        return Named({}, "")
    members = Membership.objects.filter(
        tenant__schema_name=connection.schema_name,  # type: ignore[attr-defined]
        user__is_active=True,
    ).annotate(low=Func(F("user__username"), function="lower"))
    rows = members.filter(low__in=possible_names(names)).values_list("low", "user_id", "user__username")
    found = list(rows)
    mentioned = find_mentioned(names, {low: user_id for low, user_id, _ in found})
    spelled = {user_id: name for _, user_id, name in found}
    return Named({user_id: spelled[user_id] for user_id in mentioned.ids}, trouble_of(mentioned))


def mark_read(*, user_id: int, ids: Iterable[int], now: datetime) -> int:
    """Of this person's own only. Returns how many were unread."""
    mine = Notification.objects.filter(user_id=user_id, way=Way.PAGE, read_at=None)
    return mine.filter(pk__in=list(ids)).update(read_at=now)


def mark_all_read(*, user_id: int, through: int, now: datetime) -> int:
    """Up to the newest that the person has seen; what came since stays unread."""
    mine = Notification.objects.filter(user_id=user_id, way=Way.PAGE, read_at=None)
    return mine.filter(pk__lte=through).update(read_at=now)
