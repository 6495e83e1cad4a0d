"""What verdicts tell people: in the transaction that writes them, once for each occurrence, of history nothing."""

from datetime import timedelta

import pytest
from django.db import transaction
from django_tenants.utils import schema_context

from exceptions.models import EscalationClock, EscalationPlan, ExceptionRecord, Notification, Preference
from exceptions.waking import wake_due
from tenants.models import Tenant, User
from tests.exceptions.cast import DUE, FAILED, LATE, NOW, apply, change_of, kinds, make_exception, make_order
from tests.tenants.cast import make_member

OVER = LATE._replace(verdict="over", ended_at=NOW, how="completed_late")
WORSE = LATE._replace(severity="CRITICAL")


@pytest.fixture
def anna(in_acme: Tenant) -> User:
    return make_member(in_acme, "anna")


def told() -> list[tuple[int, str, str]]:
    return list(Notification.objects.order_by("pk").values_list("user_id", "matter", "way"))


def wants(user: User, severity: str) -> None:
    Preference.objects.create(user_id=user.pk, chosen=["breached:page", "over:page"], least_severity=severity)


@pytest.mark.parametrize(("severity", "hears"), [("LOW", 1), ("MEDIUM", 1), ("HIGH", 0), ("", 0)])
def test_who_wants_to_hears_of_what_is_severe_enough(in_acme: Tenant, anna: User, severity: str, hears: int) -> None:
    wants(anna, severity)
    apply(change_of(make_order(), LATE))
    assert told() == [(anna.pk, "breached", "page")] * hears


def test_an_occurrence_is_told_once_and_the_next_again(in_acme: Tenant, anna: User) -> None:
    wants(anna, "CRITICAL")
    order = make_order()
    apply(change_of(order, LATE))
    assert told() == []
    apply(change_of(order, WORSE, LATE))
    assert told() == [(anna.pk, "breached", "page")]
    apply(change_of(order, LATE, WORSE))
    apply(change_of(order, WORSE, LATE))
    assert len(told()) == 1
    ended = WORSE._replace(verdict="over", ended_at=NOW, how="completed_late")
    apply(change_of(order, ended, WORSE))
    again = WORSE._replace(occurrence_key="second", opened_at=DUE + timedelta(hours=2))
    apply(change_of(order, again, ended), at=NOW + timedelta(hours=1))
    assert [matter for _, matter, _ in told()] == ["breached", "breached"]


def test_the_assignee_hears_whatever_the_severity_and_that_it_is_over(in_acme: Tenant, anna: User) -> None:
    wants(anna, "")
    order = make_order()
    (pk,) = apply(change_of(order, LATE))
    ExceptionRecord.objects.filter(pk=pk).update(assignee_id=anna.pk)
    apply(change_of(order, WORSE, LATE))
    apply(change_of(order, OVER._replace(severity="CRITICAL"), WORSE))
    assert [matter for _, matter, _ in told()] == ["breached", "over"]


def test_history_and_what_was_over_before_it_was_seen_tell_nobody(in_acme: Tenant, anna: User) -> None:
    wants(anna, "LOW")
    apply(change_of(make_order("1"), LATE, history=True))
    apply(change_of(make_order("2"), OVER))
    assert told() == []


def test_what_is_taken_back_was_told_to_nobody(in_acme: Tenant, anna: User) -> None:
    wants(anna, "LOW")
    with transaction.atomic():
        apply(change_of(make_order(), FAILED, reason="PAYMENT_FAILED"))
        assert len(told()) == 1
        transaction.set_rollback(True)
    assert told() == []


def test_another_tenants_people_hear_nothing(in_acme: Tenant, globex: Tenant, anna: User) -> None:
    """Each of both has chosen to hear of all in the schema of their own team."""
    wants(anna, "LOW")
    gregor = make_member(globex, "gregor")
    with schema_context("globex"):
        wants(gregor, "LOW")
    apply(change_of(make_order(), WORSE))
    assert told() == [(anna.pk, "breached", "page")]


def test_who_has_chosen_nothing_hears_only_of_their_own(in_acme: Tenant, anna: User) -> None:
    order = make_order("2")
    apply(change_of(make_order("1"), WORSE))
    (pk,) = apply(change_of(order, LATE))
    ExceptionRecord.objects.filter(pk=pk).update(assignee_id=anna.pk)
    apply(change_of(order, WORSE, LATE))
    assert list(Notification.objects.values_list("exception_id", "way")) == [(pk, "page")]


def test_clocks_start_only_where_there_is_a_chain(in_acme: Tenant) -> None:
    apply(change_of(make_order("1"), LATE))
    assert not EscalationClock.objects.exists()
    EscalationPlan.objects.create(version=1, chains={}, rota={}, actor="user:max")
    (pk,) = apply(change_of(make_order("2"), LATE))
    apply(change_of(make_order("3"), LATE, history=True))
    clock = EscalationClock.objects.get()
    assert (clock.pk, clock.started_at, clock.due_at) == (pk, NOW, NOW)


def test_snooze_ends_by_itself_once_and_the_assignee_hears_it(in_acme: Tenant, anna: User) -> None:
    record = make_exception("1", assignee_id=anna.pk, snoozed_until=NOW)
    make_exception("2", snoozed_until=NOW + timedelta(minutes=1))
    assert wake_due(now=NOW - timedelta(seconds=1)) == 0
    assert wake_due(now=NOW) == 1
    assert wake_due(now=NOW) == 0
    assert kinds(record) == ["opened", "woken"]
    record.refresh_from_db()
    assert record.snoozed_until is None
    assert told() == [(anna.pk, "woken", "page")]
