"""Whom an act of a person or a playbook concerns. Pure."""

from collections.abc import Sequence

from exceptions.choices import Kind
from exceptions.notifications.services import Notice
from exceptions.notifications.words import Matter
from exceptions.transitions import Act


def notices_of(act: Act, entries: Sequence[tuple[int, int]], *, actor: str) -> list[Notice]:
    """`entries`: (exception, its new row of the timeline). Nobody is told of what they did themselves."""
    matter, people = concerned(act)
    told = [user_id for user_id, name in people.items() if actor != f"user:{name}"]
    return [
        Notice(
            user_id=user_id,
            matter=matter,
            subject=f"entry:{entry}",
            exception_id=exception,
            entry_id=entry,
            actor=actor,
        )
        for exception, entry in entries
        for user_id in told
    ]


def concerned(act: Act) -> tuple[str, dict[int, str]]:
    """User names by id."""
    if act.kind == Kind.ASSIGNED and act.columns["assignee_id"] is not None:
        return Matter.ASSIGNED, {act.columns["assignee_id"]: act.detail["to"]}
    if act.kind == Kind.COMMENTED:
        return Matter.MENTIONED, {person["id"]: person["name"] for person in act.detail.get("mentions", ())}
    return "", {}
