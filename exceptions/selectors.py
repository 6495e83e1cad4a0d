"""Every shaped read of exceptions. All of it reads the schema that the connection stands in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    Count,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    Func,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest, Now

from exceptions.analyst.models import Analysis
from exceptions.analyst.standing import find_latest
from exceptions.choices import Severity, Status, Verdict
from exceptions.errors import NoSuchException
from exceptions.incidents.models import IncidentMember
from exceptions.models import ExceptionRecord, TimelineEntry
from exceptions.playbooks.models import Attempt
from exceptions.playbooks.selectors import actions_of
from orders.cursors import Cursor, Page, newest_first, page_by_rank, page_of
from orders.models import Parcel
from tenants.models import Membership, User

NOBODY = 0  # as an assignee in a filter: assigned to nobody
EXPORT_CHUNK = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Empty means any; but without `verdict`, what never was is left out. `assignee` is a user's id or NOBODY."""

    status: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    reason_code: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    merchant: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    carrier: tuple[str, ...] = ()  # of the order, as the warehouse
    warehouse: tuple[str, ...] = ()
    order_id: str = ""
    incident: int | None = None  # that it belongs to now
    assignee: int | None = None
    opened_after: datetime | None = None
    opened_before: datetime | None = None
    search: str = ""
    tag: str = ""
    history: bool | None = None  # born of history, or not
    snoozed: bool | None = None  # sleeps at this moment, or not


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the exceptions whose verdict is not `none`. `active`: not resolved."""

    by_status: Mapping[str, int]
    active_by_severity: Mapping[str, int]
    active: int


@dataclass(frozen=True, slots=True)
class Detail:
    record: ExceptionRecord
    timeline: list[TimelineEntry]
    names: Mapping[int, str] = field(default_factory=dict)
    analysis: Analysis | None = None  # of the latest occurrence that was analysed
    actions: Sequence[Attempt] = ()  # oldest first


def database_now() -> datetime:
    """The present instant, which is the database's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        row: tuple[datetime] = cursor.fetchone()
    return row[0]


def filter_exceptions(filters: Filters) -> QuerySet[ExceptionRecord]:
    chosen = ExceptionRecord.objects.all()
    chosen = chosen.filter(verdict__in=filters.verdict) if filters.verdict else chosen.exclude(verdict=Verdict.NONE)
    for name in ("status", "severity", "reason_code", "merchant", "stage"):
        values = getattr(filters, name)
        if values:
            chosen = chosen.filter(**{f"{name}__in": values})
    for name in ("carrier", "warehouse"):
        values = getattr(filters, name)
        if values:
            chosen = chosen.filter(**{f"order__{name}__in": values})
    return narrowed(chosen, filters)


def narrowed(chosen: QuerySet[ExceptionRecord], filters: Filters) -> QuerySet[ExceptionRecord]:
    """By what has one value only."""
    if filters.order_id:
        chosen = chosen.filter(order_ref=filters.order_id)
    if filters.incident is not None:
        chosen = chosen.filter(pk__in=members_of_incident(filters.incident))
    if filters.snoozed is not None:
        chosen = chosen.filter(sleeping(filters.snoozed))
    if filters.history is not None:
        chosen = chosen.filter(history=filters.history)
    if filters.assignee is not None:
        chosen = chosen.filter(held_by(filters.assignee))
    if filters.tag:
        chosen = chosen.filter(tags__contains=[filters.tag]).exclude(
            tags=[]
        )  # the second part names the index's condition
    opened = {"opened_at__gt": filters.opened_after, "opened_at__lt": filters.opened_before}
    chosen = chosen.filter(**{bound: at for bound, at in opened.items() if at})
    return chosen.filter(matches(filters.search)) if filters.search else chosen


def members_of_incident(incident_id: int) -> QuerySet[IncidentMember, int]:
    """The ids of its exceptions, without those that a person took out."""
    inside = IncidentMember.objects.filter(incident_id=incident_id, taken_out_at=None)
    return inside.values_list("exception_id", flat=True)


def sleeping(asleep: bool) -> Q:
    """At this moment, or not."""
    if asleep:
        return Q(snoozed_until__isnull=False, snoozed_until__gt=Now())
    return Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=Now())


def held_by(assignee: int) -> Q:
    """A user's id or NOBODY."""
    return Q(assignee_id__isnull=True) if assignee == NOBODY else Q(assignee_id=assignee)


def matches(search: str) -> Q:
    """A part of the order's id or the merchant's name, or a parcel's whole tracking number.

    The orders of the parcels are one array, found first: beside a subquery the database would use no index for the texts.
    """
    orders = ArraySubquery(Parcel.objects.filter(tracking_number=search).values("order_id"))
    of_parcel = Func(
        F("order_id"), orders, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField()
    )
    return Q(order_ref__icontains=search) | Q(merchant__icontains=search) | Q(of_parcel)


def with_overdue(chosen: QuerySet[ExceptionRecord], *, now: datetime) -> QuerySet[ExceptionRecord]:
    """Adds `overdue`: how long since it opened, until it ended or now; null for what never was."""
    until = Coalesce("ended_at", Value(now, DateTimeField()))
    length = ExpressionWrapper(Greatest(until, F("opened_at")) - F("opened_at"), DurationField())
    return chosen.annotate(overdue=Case(When(~Q(verdict=Verdict.NONE), then=length), default=None))


def list_exceptions(filters: Filters, *, now: datetime) -> QuerySet[ExceptionRecord]:
    """Newest first, each with `overdue`."""
    return newest_first(with_overdue(filter_exceptions(filters), now=now), "opened_at", after=None)


def page_exceptions(
    filters: Filters, *, now: datetime, cursor: str, size: int, joined: Sequence[str] = ()
) -> Page[ExceptionRecord]:
    """Newest first. `joined`: relations that are read with the rows."""
    rows = with_overdue(filter_exceptions(filters), now=now).select_related(*joined)
    return page_of(rows, "opened_at", cursor=cursor, size=size)


def page_by_priority(
    filters: Filters, *, now: datetime, cursor: str, size: int, joined: Sequence[str] = ()
) -> Page[ExceptionRecord]:
    rows = with_overdue(filter_exceptions(filters), now=now).select_related(*joined)
    return page_by_rank(rows, "priority", "opened_at", cursor=cursor, size=size)


def export_exceptions(filters: Filters, *, now: datetime) -> Iterator[list[ExceptionRecord]]:
    """The whole list in short queries, so that no snapshot, cursor or search path is held between them."""
    rows = with_overdue(filter_exceptions(filters), now=now)
    after: Cursor | None = None
    while True:
        part = list(newest_first(rows, "opened_at", after=after)[:EXPORT_CHUNK])
        if part:
            yield part
        if len(part) < EXPORT_CHUNK:
            return
        after = Cursor(part[-1].opened_at, part[-1].pk)


def get_exception(exception_id: int, *, now: datetime) -> Detail:
    """Raises: NoSuchException."""
    chosen = with_overdue(ExceptionRecord.objects.filter(pk=exception_id), now=now)
    record = chosen.select_related("order").first()
    if record is None:
        raise NoSuchException
    timeline, names = list(record.timeline.order_by("pk")), assignee_names([record])
    return Detail(record, timeline, names, find_latest(record.pk), actions_of(record.pk).attempts)


def exceptions_of_order(order_pk: int, *, now: datetime) -> list[ExceptionRecord]:
    return list(with_overdue(ExceptionRecord.objects.filter(order_id=order_pk), now=now).order_by("opened_at", "pk"))


def count_exceptions(filters: Filters) -> Counts:
    """The filter's own status is left aside, so that each status keeps its number."""
    rows = filter_exceptions(filters).order_by().values_list("status", "severity").annotate(Count("pk"))
    by_status = dict.fromkeys(Status.values, 0)
    by_severity = dict.fromkeys(Severity.values, 0)
    for status, severity, number in rows:
        by_status[status] += number
        if status != Status.RESOLVED:
            by_severity[severity] += number
    return Counts(by_status, by_severity, sum(by_severity.values()))


def assignee_names(records: Iterable[ExceptionRecord]) -> dict[int, str]:
    """The user names of those that these exceptions are assigned to, in one query, or none."""
    ids = {record.assignee_id for record in records if record.assignee_id is not None}
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "username")) if ids else {}


def tags_in_use(*, most: int = 100) -> list[str]:
    """The tags on exceptions, the most frequent first."""
    tagged = ExceptionRecord.objects.exclude(tags=[]).annotate(tag=Func(F("tags"), function="unnest"))
    return list(tagged.values_list("tag", flat=True).annotate(n=Count("pk")).order_by("-n", "tag")[:most])


def members_of(schema: str) -> list[User]:
    """Those who can be given an exception, by name."""
    members = Membership.objects.filter(tenant__schema_name=schema, user__is_active=True).select_related("user")
    return [member.user for member in members.order_by("user__username")]


def find_member(schema: str, name: str) -> User | None:
    """A member of the tenant, by user name or e-mail, else by id."""
    wanted = [Q(user__username=name) | Q(user__email__iexact=name)]
    if name.isascii() and name.isdigit() and len(name) < 19:
        wanted.append(Q(user_id=int(name)))
    members = Membership.objects.filter(tenant__schema_name=schema, user__is_active=True).select_related("user")
    found = (members.filter(known).first() for known in wanted)
    return next((member.user for member in found if member), None)
