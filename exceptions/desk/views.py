"""Saving a list under a name, for oneself or for the whole team, and choosing columns.

Whoever may operate can share a view. A shared view is changed and deleted by who made it, and by managers; a view of one's own by
its owner alone, and nobody else sees it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from e2a.errors import Forbidden, NotFound, Unprocessable
from exceptions.desk.models import NAME_LENGTH, DeskColumns, SavedView
from exceptions.desk.tabs import COLUMN_TITLES, DEFAULT_COLUMNS
from tenants.models import Scope

MOST_VIEWS = 50  # of a person, and shared in a tenant


class NoSuchView(NotFound):
    """There is no such view, or it is somebody else's own."""


class NotYourView(Forbidden):
    """A shared view is changed by who made it or by a manager. Save one of your own instead."""


class MayNotShare(Forbidden):
    """Your role looks only: it saves views of its own, and shares none."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, and with which scopes."""

    user_id: int
    scopes: frozenset[str]

    def may_change(self, owner_id: int) -> bool:
        return owner_id == self.user_id or Scope.ADMIN in self.scopes


def save_view(person: Person, *, name: str, query: str, shared: bool) -> SavedView:
    """Raises: MayNotShare; Unprocessable for a name that is taken or missing, or one view too many."""
    check_sharing(person, shared)
    known = SavedView.objects.filter(shared=True) if shared else own_views(person)
    if known.count() >= MOST_VIEWS:
        raise Unprocessable(errors={"name": [f"There are {MOST_VIEWS} such views already: delete one first."]})
    with named_once():
        return SavedView.objects.create(name=read_name(name), query=query, owner_id=person.user_id, shared=shared)


def change_view(
    person: Person, view_id: int, *, name: str, shared: bool, now: datetime, query: str | None = None
) -> SavedView:
    """`query`: None leaves it. What is shared or not changes hands only with the right to share.

    Raises: NoSuchView, NotYourView, MayNotShare; Unprocessable.
    """
    with transaction.atomic():
        view = changeable(person, view_id)
        if shared != view.shared:
            check_sharing(person, shared)
        view.name, view.shared, view.updated_at = read_name(name), shared, now
        view.query = view.query if query is None else query
        with named_once():
            view.save(update_fields=["name", "shared", "query", "updated_at"])
    return view


def delete_view(person: Person, view_id: int) -> SavedView:
    """Raises: NoSuchView, NotYourView."""
    with transaction.atomic():
        view = changeable(person, view_id)
        SavedView.objects.filter(pk=view.pk).delete()
    return view


def find_view(person: Person, view_id: int) -> SavedView:
    """Raises: NoSuchView."""
    view = SavedView.objects.filter(pk=view_id).first()
    if view is None or not (view.shared or view.owner_id == person.user_id):
        raise NoSuchView
    return view


def changeable(person: Person, view_id: int) -> SavedView:
    """Locked. Raises: NoSuchView, NotYourView."""
    SavedView.objects.select_for_update().filter(pk=view_id).first()
    view = find_view(person, view_id)
    if not person.may_change(view.owner_id):
        raise NotYourView
    return view


def own_views(person: Person) -> QuerySet[SavedView]:
    return SavedView.objects.filter(owner_id=person.user_id, shared=False)


def check_sharing(person: Person, shared: bool) -> None:
    if shared and Scope.OPERATE not in person.scopes:
        raise MayNotShare


def read_name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > NAME_LENGTH:
        raise Unprocessable(errors={"name": [f"Give it a name of at most {NAME_LENGTH} characters."]})
    return name


@contextmanager
def named_once() -> Iterator[None]:
    """The constraint decides who of two is first."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise Unprocessable(errors={"name": ["There is a view of this name already: choose another."]}) from None


def choose_columns(person: Person, columns: Sequence[str]) -> None:
    """In the order of the known ones, so that the table looks alike to all; the usual ones are kept as no choice.

    Raises: Unprocessable for an unknown one.
    """
    unknown = [name for name in columns if name not in COLUMN_TITLES]
    if unknown:
        raise Unprocessable(errors={"columns": [f"“{unknown[0]}” is no column: use {', '.join(COLUMN_TITLES)}."]})
    chosen = [name for name in COLUMN_TITLES if name in columns]
    if chosen == list(DEFAULT_COLUMNS):
        DeskColumns.objects.filter(user_id=person.user_id).delete()
    else:
        DeskColumns.objects.update_or_create(user_id=person.user_id, defaults={"columns": chosen})
