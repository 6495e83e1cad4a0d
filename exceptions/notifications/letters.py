"""Notifications in words. Of the order they name its id, of the customer nothing. Pure."""

from dataclasses import dataclass

from exceptions.choices import Reason, Severity
from exceptions.notifications.models import Notification
from exceptions.notifications.words import Matter


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
