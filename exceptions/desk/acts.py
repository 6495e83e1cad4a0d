"""The acts that the desk does on many at once, and their words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exceptions import transitions
from exceptions.transitions import Act


@dataclass(frozen=True, slots=True)
class Words:
    """`Acknowledge` 12 exceptions; 12 are `acknowledged`."""

    verb: str
    done: str
    icon: str


NEXT_STEP = "next_step"  # of the playbook; see exceptions.desk.next_steps
WORDS: Mapping[str, Words] = {
    "acknowledge": Words("Acknowledge", "acknowledged", "eye"),
    "take": Words("Take", "yours now", "hand"),
    "assign": Words("Assign", "assigned", "user-plus"),
    "snooze": Words("Snooze", "snoozed", "bell-off"),
    "comment": Words("Comment on", "commented on", "message-square"),
    "resolve": Words("Resolve", "resolved", "check"),
    NEXT_STEP: Words("Run the next playbook step of", "run", "zap"),
}


def build(action: str, given: Mapping[str, Any], *, now: datetime) -> Act:
    """`given`: take and assign need assignee_id and name; snooze until; comment may have mentions; resolve resolution and label."""
    match action:
        case "acknowledge":
            return transitions.acknowledge(at=now)
        case "take":
            return transitions.take(assignee_id=given["assignee_id"], name=given["name"])
        case "assign":
            return transitions.assign(assignee_id=given["assignee_id"], name=given["name"])
        case "snooze":
            return transitions.snooze(until=datetime.fromisoformat(given["until"]))
        case "comment":
            return transitions.comment(mentions={person["id"]: person["name"] for person in given.get("mentions", ())})
        case _:
            return transitions.resolve(resolution=given["resolution"], at=now, label=given.get("label", ""))
