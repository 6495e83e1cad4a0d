"""The history of the configuration: triggers copy each change into an append-only table, with who, where and why.

Triggers, because they also see what bulk updates and SQL change. Secrets, digests and passwords are never among the columns.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import pghistory
from django.db import models
from django.http import HttpRequest

from e2a.observability.correlation import correlation_id

Kind = TypeVar("Kind", bound=type[models.Model])
PRIVATE_PATHS = ("/invitation/", "/password/reset/")  # what follows opens an account


def audited(*columns: str) -> Callable[[Kind], Kind]:
    """A class decorator: changes of these columns are kept in MODELChange."""

    def decorate(model: Kind) -> Kind:
        tracked: Kind = pghistory.track(
            pghistory.InsertEvent("added"),
            pghistory.UpdateEvent("changed"),
            pghistory.DeleteEvent("removed"),
            fields=list(columns),
            context_field=pghistory.ContextJSONField(),
            append_only=True,
            model_name=f"{model.__name__}Change",
        )(model)
        return tracked

    return decorate


def context_of(request: HttpRequest) -> Mapping[str, str]:
    """`actor`, `url` and `correlation_id`; a form that asks for a reason adds it itself."""
    actor = f"user:{request.user.get_username()}" if request.user.is_authenticated else "nobody"
    url = next((path + "…" for path in PRIVATE_PATHS if request.path.startswith(path)), request.path)
    return {"actor": actor, "url": url[:200], "correlation_id": correlation_id.get()}
