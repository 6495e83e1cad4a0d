"""What every channel of actions can do: prepare a call without making it, make it, and look whether it was made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

import httpx

from exceptions.playbooks.catalogue import ActionKind
from exceptions.playbooks.subject import Subject

Json = dict[str, Any]


class NotPossible(Exception):
    """The action cannot be done to this order as it stands; nothing was called."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


class NotNeeded(NotPossible):
    """The action would only repeat what was done; nothing was called."""


@dataclass(frozen=True, slots=True)
class Work:
    """An action to be done. `key` is its idempotency key; `request` what was sent before, if it was."""

    subject: Subject
    action: ActionKind
    parameters: Mapping[str, Any]
    key: str
    actor: str
    now: datetime
    request: Json | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """`request`: the exact call, as it is shown and kept, without secrets. `calls`: what the channel itself needs of it."""

    request: Json
    cost: str
    undo: str
    money_cents: int | None = None
    currency: str = ""
    calls: Any = None


@dataclass(frozen=True, slots=True)
class Performed:
    """`delivery_id`: the message that is on its way."""

    answer: str
    delivery_id: int | None = None


class Found(Enum):
    """What a look says of a call whose answer never came."""

    HAPPENED = "happened"
    ABSENT = "absent"  # it left no trace
    UNCLEAR = "unclear"  # nobody can tell


@dataclass(frozen=True, slots=True)
class Tools:
    """The way out, and how to wait: seams for tests."""

    transport: httpx.BaseTransport | None = None
    sleep: Callable[[float], None] = field(default=lambda seconds: None)


class Channel(Protocol):
    def prepare(self, work: Work, tools: Tools) -> Prepared:
        """Reads only. Raises: NotPossible, CallError."""

    def perform(self, work: Work, prepared: Prepared, tools: Tools) -> Performed:
        """Raises: NotPossible, CallError."""

    def look_up(self, work: Work, tools: Tools) -> Found:
        """Raises: CallError."""


def undo_of(action: ActionKind) -> str:
    return action.undo or "It cannot be undone."
