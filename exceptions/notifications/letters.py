"""Notifications in words. Of the order they name its id, of the customer nothing. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from exceptions.choices import Reason, Severity
from exceptions.notifications.models import Notification
from exceptions.notifications.words import Matter

MOST_LINES = 50  # of one message


@dataclass(frozen=True, slots=True)
class Line:
    """`what` happened, to `whom` (an exception in words, or nothing)."""

    what: str
    whom: str

    @property
    def text(self) -> str:
        return f"{self.what}: {self.whom}" if self.whom else self.what


def line_of(notification: Notification) -> Line:
    """`notification.exception` is read with it."""
    record = notification.exception
    if record is None:
        return Line(notification.text or Matter(notification.matter).label, "")
    reason = Reason(record.reason_code).label if record.reason_code in Reason.values else record.reason_code
    whom = f"{reason}, order {record.order_ref}"
    if notification.matter == Matter.BREACHED:
        return Line(f"{Severity(record.severity).label} exception", whom)
    return Line(what_of(notification), whom)


def what_of(notification: Notification) -> str:
    by = person_of(notification.actor)
    match notification.matter:
        case Matter.ASSIGNED:
            return f"{by} gave you" if by else "Assigned to you"
        case Matter.MENTIONED:
            return f"{by} mentioned you" if by else "You are mentioned"
        case Matter.ESCALATED:
            return notification.text or "Escalated to you"
        case Matter.OVER:
            return "Over by itself"
    return str(Matter(notification.matter).label)


def person_of(actor: str) -> str:
    """The user name of a person, else nothing."""
    kind, _, name = actor.partition(":")
    return name if kind == "user" else ""


@dataclass(frozen=True, slots=True)
class Whom:
    """Who gets a message, and where its links lead: `host` is an address without a slash at its end."""

    name: str
    team: str
    host: str


def address_of_line(notification: Notification, whom: Whom) -> str:
    path = f"/exceptions/{notification.exception_id}/" if notification.exception_id else "/exceptions/"
    return whom.host + path


def letter_of(rows: Sequence[Notification], whom: Whom) -> dict[str, str]:
    """{"subject", "text"} of an e-mail that tells all of them."""
    first = line_of(rows[0]).text
    subject = first if len(rows) == 1 else f"{len(rows)} notifications"
    lines = [f"{line_of(row).text}\n{address_of_line(row, whom)}" for row in rows[:MOST_LINES]]
    more = [f"and {len(rows) - MOST_LINES} more: {whom.host}/inbox/"] * (len(rows) > MOST_LINES)
    foot = f"You get this as {whom.name} of {whom.team}. What reaches you: {whom.host}/inbox/settings/"
    return {"subject": f"[{whom.team}] {subject}", "text": "\n\n".join([*lines, *more, "-- \n" + foot])}


def post_of(rows: Sequence[Notification], whom: Whom) -> dict[str, str]:
    """{"text"} of a Slack message."""
    lines = [f"{line_of(row).text} {address_of_line(row, whom)}" for row in rows[:MOST_LINES]]
    more = [f"and {len(rows) - MOST_LINES} more: {whom.host}/inbox/"] * (len(rows) > MOST_LINES)
    return {"text": "\n".join([f"For {whom.name}:", *lines, *more])}


def hook_of(rows: Sequence[Notification], whom: Whom) -> dict[str, Any]:
    """{"type", "data"} of a webhook: of the exceptions, nothing of who ordered."""
    told = [told_of(row, whom) for row in rows[:MOST_LINES]]
    return {"type": "notification", "data": {"member": whom.name, "count": len(rows), "notifications": told}}


def told_of(row: Notification, whom: Whom) -> dict[str, Any]:
    record = row.exception
    return {
        "matter": row.matter,
        "text": line_of(row).text,
        "at": row.created_at.isoformat(),
        "exception_id": row.exception_id,
        "order_id": record.order_ref if record else None,
        "merchant": record.merchant if record else None,
        "reason_code": record.reason_code if record else None,
        "severity": record.severity if record else None,
        "link": address_of_line(row, whom),
    }
