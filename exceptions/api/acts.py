"""What a client asks for, as an act of `transitions`: the same for one exception and for many."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from exceptions import transitions
from exceptions.api.asking import Asking
from exceptions.api.serializers import (
    AssignSerializer,
    CommentSerializer,
    ReasonSerializer,
    ResolveSerializer,
    SnoozeSerializer,
    TagSerializer,
)
from exceptions.services import comment_act, snooze_act
from exceptions.transitions import Act

INPUTS: Mapping[str, type[serializers.Serializer[Any]]] = {
    "acknowledge": ReasonSerializer,
    "start": ReasonSerializer,
    "resolve": ResolveSerializer,
    "reopen": ReasonSerializer,
    "assign": AssignSerializer,
    "snooze": SnoozeSerializer,
    "comment": CommentSerializer,
    "tag": TagSerializer,
    "untag": TagSerializer,
}

TAGGING = {"tag": transitions.tag, "untag": transitions.untag}


def read_act(action: str, body: Any, asking: Asking) -> tuple[Act, str]:
    """The act and its reason. Raises: ValidationError, Unprocessable."""
    given = INPUTS[action](data=body)
    given.is_valid(raise_exception=True)
    data = given.validated_data
    reason = data.get("text") or data.get("reason", "")
    match action:
        case "acknowledge":
            return transitions.acknowledge(at=asking.now), reason
        case "start":
            return transitions.start(), reason
        case "resolve":
            return transitions.resolve(resolution=data["resolution"], label=data["label"], at=asking.now), reason
        case "reopen":
            return transitions.reopen(), reason
        case "assign":
            return assignment(data, asking), reason
        case "snooze":
            return snooze_act(data["until"], asking.now), reason
        case "tag" | "untag":
            return TAGGING[action](name=data["tag"]), reason
        case _:
            return comment_act(data["text"]), reason


def assignment(data: Mapping[str, Any], asking: Asking) -> Act:
    name = data.get("assignee", "me")
    if name is None:
        return transitions.assign(assignee_id=None, name="")
    user = asking.member(name)
    if "assignee" not in data:
        return transitions.take(assignee_id=user.pk, name=user.username)
    return transitions.assign(assignee_id=user.pk, name=user.username)
