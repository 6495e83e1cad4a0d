"""Who asks, where and when, read once at the edge."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from rest_framework.request import Request

from e2a.errors import Unprocessable
from exceptions.selectors import database_now, find_member
from tenants.models import User


class UnknownMember(Unprocessable):
    """The person named is not a member here."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(errors={"assignee": [sentence]})


@dataclass(frozen=True, slots=True)
class Asking:
    """`user` is None for a key; `schema` is the tenant's."""

    actor: str
    user: User | None
    schema: str
    now: datetime

    def member(self, name: str) -> User:
        """The member that a client names; `me` is who asks. Raises: UnknownMember."""
        found = self.user if name == "me" else find_member(self.schema, name)
        if found is not None:
            return found
        if name == "me":
            raise UnknownMember("A key is nobody: name a member.")
        raise UnknownMember(f"“{name}” is not a member here: use a member's user name or e-mail.")


def asking_of(request: Request) -> Asking:
    user = request.user if isinstance(request.user, User) else None
    who: Any = request.auth
    schema: str = connection.schema_name  # type: ignore[attr-defined]
    return Asking(who.actor, user, schema, database_now())
