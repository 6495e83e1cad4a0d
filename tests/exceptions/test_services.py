"""What people do with exceptions: one effect, one row of timeline, a clear refusal."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.forms.models import model_to_dict
from django_tenants.utils import schema_context

from e2a.errors import Unprocessable
from exceptions import services, transitions
from exceptions.errors import ImpossibleChange, NoSuchException
from exceptions.models import ExceptionRecord, TimelineEntry
from exceptions.selectors import Filters, filter_exceptions
from tenants.models import Tenant
from tests.exceptions.cast import LATE, NOW, apply, change_of, kinds, make_exception, make_member, resolved

ANNA = {"actor": "user:anna", "now": NOW}
LATER = NOW + timedelta(hours=2)


def test_an_exception_goes_from_open_to_resolved_and_each_step_is_told(in_acme: Tenant) -> None:
    pk = make_exception().pk
    assert services.acknowledge_exception(exception_id=pk, reason="seen", **ANNA).acknowledged_at == NOW
    assert services.start_exception(exception_id=pk, **ANNA).status == "IN_PROGRESS"
    record = services.resolve_exception(exception_id=pk, resolution="reshipped", reason="sent again", **ANNA)
    assert (record.status, record.resolution, record.resolved_by, record.resolved_at) == (
        "RESOLVED",
        "reshipped",
        "person",
        NOW,
    )
    told = record.timeline.order_by("pk").values_list("kind", "actor", "reason", "detail")
    assert list(told)[1:] == [
        ("acknowledged", "user:anna", "seen", {}),
        ("started", "user:anna", "", {}),
        ("resolved", "user:anna", "sent again", {"resolution": "reshipped"}),
    ]


def test_reopening_leads_back_to_open(in_acme: Tenant) -> None:
    pk = make_exception(**resolved(acknowledged_at=NOW)).pk
    record = services.reopen_exception(exception_id=pk, reason="not fixed", **ANNA)
    assert (record.status, record.resolution, record.resolved_at, record.resolved_by) == ("OPEN", None, None, None)
    assert (record.acknowledged_at, record.occurrence_count, kinds(record)) == (None, 1, ["opened", "reopened"])


IMPOSSIBLE: list[tuple[dict[str, Any], Callable[..., Any]]] = [
    ({"status": "ACKNOWLEDGED"}, services.acknowledge_exception),
    ({"status": "IN_PROGRESS"}, services.acknowledge_exception),
    (resolved(), services.acknowledge_exception),
    ({"status": "IN_PROGRESS"}, services.start_exception),
    (resolved(), services.start_exception),
    (resolved(), partial(services.resolve_exception, resolution="manual")),
    ({}, services.reopen_exception),
    (resolved(verdict="none"), services.reopen_exception),
    (resolved(), partial(services.assign_exception, assignee_id=1, name="anna")),
    ({"assignee_id": 1}, partial(services.assign_exception, assignee_id=1, name="anna")),
    ({"assignee_id": 2}, partial(services.take_exception, assignee_id=1, name="anna")),
    ({}, partial(services.assign_exception, assignee_id=None, name="")),
    (resolved(), partial(services.snooze_exception, until=LATER)),
    ({}, partial(services.snooze_exception, until=None)),
]


@pytest.mark.parametrize(("columns", "act"), IMPOSSIBLE)
def test_an_impossible_change_is_refused_and_changes_nothing(
    in_acme: Tenant, columns: dict[str, Any], act: Callable[..., Any]
) -> None:
    record = make_exception(**columns)
    with pytest.raises(ImpossibleChange, match=r"Nothing was changed\. Its last change: opened by fold"):
        act(exception_id=record.pk, **ANNA)
    assert model_to_dict(ExceptionRecord.objects.get()) == model_to_dict(record)
    assert kinds(record) == ["opened"]


def test_handing_over_and_taking_off(in_acme: Tenant) -> None:
    pk = make_exception().pk
    assert services.take_exception(exception_id=pk, assignee_id=1, name="anna", **ANNA).assignee_id == 1
    assert services.assign_exception(exception_id=pk, assignee_id=2, name="ben", **ANNA).assignee_id == 2
    record = services.assign_exception(exception_id=pk, assignee_id=None, name="", **ANNA)
    assert record.assignee_id is None
    details = list(record.timeline.filter(kind="assigned").order_by("pk").values_list("detail", flat=True))
    assert details == [{"to": "anna", "taken": True}, {"to": "ben"}, {"to": ""}]


def test_snoozing_and_waking(in_acme: Tenant) -> None:
    pk = make_exception().pk
    assert services.snooze_exception(exception_id=pk, until=LATER, **ANNA).snoozed_until == LATER
    record = services.snooze_exception(exception_id=pk, until=None, **ANNA)
    assert (record.snoozed_until, kinds(record)) == (None, ["opened", "snoozed", "woken"])


@pytest.mark.parametrize("until", [NOW, NOW - timedelta(seconds=1), NOW + timedelta(days=90, seconds=1)])
def test_a_snooze_into_the_past_or_for_ever_is_refused(in_acme: Tenant, until: Any) -> None:
    record = make_exception()
    with pytest.raises(Unprocessable) as refused:
        services.snooze_exception(exception_id=record.pk, until=until, **ANNA)
    assert refused.value.errors == {"until": ["Name a time ahead of now, at most 90 days away."]}
    assert kinds(record) == ["opened"]


def test_resolving_ends_the_snooze(in_acme: Tenant) -> None:
    pk = make_exception(snoozed_until=LATER).pk
    assert services.resolve_exception(exception_id=pk, resolution="manual", **ANNA).snoozed_until is None


def test_a_comment_is_possible_in_every_state(in_acme: Tenant) -> None:
    record = make_exception(**resolved())
    services.comment_on_exception(exception_id=record.pk, text="called the customer", **ANNA)
    assert record.timeline.order_by("-pk").values_list("kind", "reason")[0] == ("commented", "called the customer")


def test_an_unknown_exception_is_not_found(in_acme: Tenant) -> None:
    with pytest.raises(NoSuchException):
        services.acknowledge_exception(exception_id=2**70, **ANNA)


def test_nobody_acts_on_another_tenants_exception(acme: Tenant, globex: Tenant) -> None:
    with schema_context("acme"):
        record = make_exception()
    with schema_context("globex"):
        for act in (services.acknowledge_exception, services.start_exception, services.reopen_exception):
            with pytest.raises(NoSuchException):
                act(exception_id=record.pk, **ANNA)
        chosen = filter_exceptions(Filters())
        assert services.act_on_many(chosen, transitions.comment(), reason="x", **ANNA).changed == []
    with schema_context("acme"):
        assert kinds(ExceptionRecord.objects.get()) == ["opened"]


def test_bulk_changes_what_it_can_and_says_why_not_the_rest(in_acme: Tenant) -> None:
    fit, unfit = make_exception("1"), make_exception("2", status="ACKNOWLEDGED")
    outcome = services.act_on_many(
        filter_exceptions(Filters()), transitions.acknowledge(at=NOW), reason="storm", **ANNA
    )
    assert outcome.changed == [fit.pk]
    assert list(outcome.refused) == [unfit.pk]
    assert outcome.refused[unfit.pk].startswith("It is ACKNOWLEDGED now; this needs it to be OPEN.")
    assert (kinds(fit), kinds(unfit)) == (["opened", "acknowledged"], ["opened"])


def test_bulk_over_a_filter_takes_all_of_it_in_chunks(in_acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "CHUNK", 2)
    wanted = [make_exception(str(n), severity="HIGH").pk for n in range(5)]
    make_exception("low", severity="LOW")
    chosen = filter_exceptions(Filters(severity=("HIGH",)))
    outcome = services.act_on_many(chosen, transitions.resolve(resolution="manual", at=NOW), reason="", **ANNA)
    assert outcome.changed == wanted
    assert ExceptionRecord.objects.filter(status="RESOLVED").count() == 5


def in_threads(*acts: Callable[[], Any]) -> list[Any]:
    """Runs each on a connection of its own, all at once. Returns what each returned or raised."""
    barrier = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(place: int) -> None:
        try:
            with schema_context("acme"):
                barrier.wait(timeout=10)
                results[place] = acts[place]()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


@pytest.mark.parametrize("round", range(3))
def test_of_people_who_act_at_once_one_has_the_effect_and_the_others_a_refusal(committed: None, round: int) -> None:
    with schema_context("acme"):
        pk = make_exception().pk
    people = [
        partial(services.resolve_exception, exception_id=pk, resolution="manual", actor=f"user:{n}", now=NOW)
        for n in range(4)
    ]
    results = in_threads(*people)
    winners = [result for result in results if isinstance(result, ExceptionRecord)]
    refusals = [result for result in results if isinstance(result, ImpossibleChange)]
    assert (len(winners), len(refusals)) == (1, 3)
    with schema_context("acme"):
        entry = TimelineEntry.objects.get(kind="resolved")
        assert all(f"resolved by {entry.actor}" in refusal.detail for refusal in refusals)


def test_of_two_who_take_one_gets_it(committed: None) -> None:
    with schema_context("acme"):
        pk = make_exception().pk
    take = partial(services.take_exception, exception_id=pk, now=NOW)
    results = in_threads(
        partial(take, assignee_id=1, name="anna", actor="user:anna"),
        partial(take, assignee_id=2, name="ben", actor="user:ben"),
    )
    assert sorted(type(result).__name__ for result in results) == ["ExceptionRecord", "ImpossibleChange"]
    with schema_context("acme"):
        assert TimelineEntry.objects.filter(kind="assigned").count() == 1


@pytest.mark.parametrize("round", range(3))
def test_resolving_while_an_event_cures_it_ends_in_one_resolution(committed: None, round: int) -> None:
    with schema_context("acme"):
        record = make_exception()
    ended = LATE._replace(verdict="over", ended_at=NOW, how="completed_late")

    def cure() -> None:
        with transaction.atomic():
            apply(change_of(record.order, ended, LATE))

    person = partial(services.resolve_exception, exception_id=record.pk, resolution="manual", **ANNA)
    by_event, by_person = in_threads(cure, person)
    assert by_event is None
    with schema_context("acme"):
        record.refresh_from_db()
        assert (record.status, record.verdict) == ("RESOLVED", "over")
        if isinstance(by_person, ImpossibleChange):
            assert (record.resolution, kinds(record)) == ("completed_late", ["opened", "resolved"])
        else:
            assert (record.resolution, kinds(record)) == ("manual", ["opened", "resolved", "ended"])


def test_bulk_leaves_alone_what_leaves_the_filter_meanwhile(committed: None) -> None:
    with schema_context("acme"):
        moving = make_exception("1", severity="HIGH")
        staying = make_exception("2", severity="HIGH")
        chosen = filter_exceptions(Filters(severity=("HIGH",)))
        outcomes: list[services.Outcome] = []

        def bulk() -> None:
            with schema_context("acme"):
                act = transitions.acknowledge(at=NOW)
                outcomes.append(services.act_on_many(chosen.all(), act, reason="", **ANNA))
            connection.close()

        with transaction.atomic():
            ExceptionRecord.objects.filter(pk=moving.pk).update(severity="LOW")
            thread = threading.Thread(target=bulk)
            thread.start()
            wait_until_someone_waits_for_a_lock()
        thread.join(timeout=30)
        assert outcomes[0].changed == [staying.pk]
        assert kinds(moving) == ["opened"]


def wait_until_someone_waits_for_a_lock() -> None:
    with connection.cursor() as cursor:
        for _ in range(200):
            cursor.execute("SELECT count(*), pg_sleep(0.02) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody came to wait")


def test_bulk_assigning_names_the_member(in_acme: Tenant) -> None:
    ben = make_member(in_acme, "ben")
    make_exception("1")
    act = transitions.assign(assignee_id=ben.pk, name="ben")
    services.act_on_many(filter_exceptions(Filters()), act, reason="", **ANNA)
    assert ExceptionRecord.objects.get().assignee_id == ben.pk
