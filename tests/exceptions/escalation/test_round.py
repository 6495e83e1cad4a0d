"""The round: each step once whoever looks, stopped by an acknowledgement, paused by a snooze, one row of timeline each."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from e2a.errors import Unprocessable
from exceptions import services
from exceptions.escalation.models import EscalationPlan
from exceptions.escalation.outlook import outlook_of
from exceptions.escalation.round import escalate_due
from exceptions.escalation.services import SavedMeanwhile, save_plan
from exceptions.models import EscalationClock, ExceptionRecord, Notification
from exceptions.pages.telling import tell
from exceptions.selectors import database_now
from exceptions.waking import wake_due
from tenants.models import Membership, Role, Tenant, User
from tests.exceptions.cast import NOW, kinds, make_exception
from tests.tenants.cast import make_member, signed_in

ROTA = {"timezone": "UTC", "shifts": [], "overrides": []}
MAX = {"actor": "user:max", "now": NOW}


def step(minutes: int, to: str, unless: str = "acknowledged", effect: str = "notify") -> dict[str, Any]:
    return {"after_minutes": minutes, "unless": unless, "effect": effect, "to": to}


def keep(*steps: dict[str, Any], base: int = 0, at: datetime = NOW, severity: str = "MEDIUM") -> EscalationPlan:
    members = list(Membership.objects.filter(tenant__slug="acme").values_list("user_id", flat=True))
    chains = {severity: list(steps)}
    return save_plan(base=base, chains=chains, rota=ROTA, members=members, actor="user:max", now=at)


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def told() -> list[tuple[int, str]]:
    rows = Notification.objects.filter(matter="escalated", way="page").order_by("pk")
    return list(rows.values_list("user_id", "text"))


@pytest.fixture
def boss(in_acme: Tenant) -> User:
    return make_member(in_acme, "max", role=Role.MANAGER)


@pytest.fixture
def anna(in_acme: Tenant) -> User:
    return make_member(in_acme, "anna")


def test_steps_are_taken_in_their_time_and_once(boss: User, anna: User) -> None:
    keep(step(15, f"user:{anna.pk}"), step(60, "role:manager", "resolved"))
    record = make_exception()
    assert [escalate_due(now=after(minutes)) for minutes in (0, 14, 15, 16, 59, 60, 61, 999)] == [
        0, 0, 1, 0, 0, 1, 0, 0,
    ]  # fmt: skip
    assert told() == [
        (anna.pk, "Escalated to you after 15 min unacknowledged"),
        (boss.pk, "Escalated to you after 1 h unresolved"),
    ]
    assert kinds(record) == ["opened", "escalated", "escalated"]
    last = record.timeline.last()
    assert last is not None
    assert (tell(last).text, tell(last).who) == (
        "Escalated after 1 h unresolved: max told (the managers)",
        "the escalation chain",
    )


def test_assigning_gives_it_and_is_one_row(boss: User, anna: User) -> None:
    keep(step(5, "role:operator", "resolved", "assign"))
    record = make_exception()
    escalate_due(now=after(5))
    record.refresh_from_db()
    assert (record.assignee_id, kinds(record)) == (anna.pk, ["opened", "escalated"])
    assert told() == [(anna.pk, "Given to you after 5 min unresolved")]


def test_of_a_role_who_has_the_fewest_gets_the_next(boss: User, anna: User, in_acme: Tenant) -> None:
    ben = make_member(in_acme, "ben")
    make_exception("0", assignee_id=anna.pk)
    keep(step(5, "role:operator", "resolved", "assign"))
    for number in range(3):
        make_exception(f"1{number}")
    ExceptionRecord.objects.filter(order_ref="0").update(status="ACKNOWLEDGED", severity="LOW")
    escalate_due(now=after(5))
    given = ExceptionRecord.objects.exclude(order_ref="0").values_list("assignee_id", flat=True)
    assert sorted(filter(None, given)) == sorted([ben.pk, anna.pk, ben.pk])


def test_acknowledging_stops_what_waits_for_that(boss: User, anna: User) -> None:
    keep(step(15, f"user:{anna.pk}"), step(60, f"user:{boss.pk}", "resolved"))
    record = make_exception()
    services.acknowledge_exception(exception_id=record.pk, actor="user:anna", now=after(5))
    assert escalate_due(now=after(15)) == 0
    assert escalate_due(now=after(60)) == 1
    services.resolve_exception(exception_id=record.pk, resolution="manual", actor="user:anna", now=after(61))
    assert [user for user, _ in told()] == [boss.pk]


def test_resolving_stops_all_and_opening_again_starts_anew(boss: User, anna: User) -> None:
    keep(step(15, f"user:{anna.pk}"))
    record = make_exception()
    escalate_due(now=after(15))
    services.resolve_exception(exception_id=record.pk, resolution="manual", actor="user:anna", now=after(20))
    services.reopen_exception(exception_id=record.pk, actor="user:anna", now=after(100))
    assert [escalate_due(now=after(minutes)) for minutes in (100, 114, 115, 116)] == [0, 0, 1, 0]


def test_while_it_is_snoozed_no_time_passes(boss: User, anna: User) -> None:
    keep(step(15, f"user:{anna.pk}"))
    record = make_exception()
    escalate_due(now=after(1))
    services.snooze_exception(exception_id=record.pk, until=after(70), actor="user:anna", now=after(10))
    assert escalate_due(now=after(60)) == 0
    assert wake_due(now=after(70)) == 1
    assert [escalate_due(now=after(minutes)) for minutes in (70, 74, 75)] == [0, 0, 1]
    assert EscalationClock.objects.get().started_at == after(60)


def test_snoozing_again_and_waking_early_count_right(boss: User, anna: User) -> None:
    keep(step(15, f"user:{anna.pk}"))
    record = make_exception()
    services.snooze_exception(exception_id=record.pk, until=after(30), actor="user:anna", now=after(10))
    services.snooze_exception(exception_id=record.pk, until=after(90), actor="user:anna", now=after(20))
    services.snooze_exception(exception_id=record.pk, until=None, actor="user:anna", now=after(40))
    assert [escalate_due(now=after(minutes)) for minutes in (44, 45)] == [0, 1]


def test_what_was_open_before_the_chain_counts_from_then(boss: User, anna: User) -> None:
    record, snoozed = make_exception("1"), make_exception("2", snoozed_until=after(500))
    make_exception("3", history=True)
    keep(step(15, f"user:{anna.pk}"), at=after(100))
    assert [escalate_due(now=after(minutes)) for minutes in (100, 114, 115)] == [0, 0, 1]
    assert (kinds(record), kinds(snoozed)) == (["opened", "escalated"], ["opened"])
    assert EscalationClock.objects.count() == 2


def test_a_changed_chain_takes_no_step_twice_and_misses_none(boss: User, anna: User) -> None:
    keep(step(15, f"user:{anna.pk}"))
    make_exception()
    escalate_due(now=after(15))
    keep(step(15, f"user:{anna.pk}"), step(30, f"user:{boss.pk}"), base=1, at=after(20))
    assert [escalate_due(now=after(minutes)) for minutes in (20, 29, 30, 31)] == [0, 0, 1, 0]
    assert [user for user, _ in told()] == [anna.pk, boss.pk]


def test_a_severity_that_rises_is_escalated_by_its_own_chain(boss: User, anna: User) -> None:
    keep(step(15, f"user:{boss.pk}"), severity="HIGH")
    record = make_exception()
    assert escalate_due(now=after(600)) == 0
    ExceptionRecord.objects.filter(pk=record.pk).update(severity="HIGH")
    EscalationClock.objects.update(due_at=after(601))  # as the book does when it writes a severity that has risen
    assert escalate_due(now=after(601)) == 1


def test_who_left_is_not_told_but_the_managers_are(boss: User, anna: User) -> None:
    keep(step(15, f"user:{anna.pk}"))
    make_exception()
    Membership.objects.filter(user=anna).delete()
    assert escalate_due(now=after(15)) == 1
    assert [user for user, _ in told()] == [boss.pk]


def test_a_round_asks_as_often_for_many_as_for_one(boss: User, anna: User) -> None:
    keep(step(15, f"user:{anna.pk}"), step(20, "role:operator", "resolved", "assign"))
    make_exception("0")
    with CaptureQueriesContext(connection) as one:
        assert escalate_due(now=after(30)) == 2
    for number in range(1, 41):
        make_exception(str(number))
    with CaptureQueriesContext(connection) as many:
        assert escalate_due(now=after(30)) == 80
    assert len(many) == len(one)


def test_of_two_who_save_at_once_one_does(boss: User) -> None:
    keep(step(15, "on_call"))
    with pytest.raises(SavedMeanwhile):
        keep(step(30, "on_call"))
    with pytest.raises(Unprocessable):
        keep(step(-1, "on_call"), base=1)
    assert EscalationPlan.objects.count() == 1


def test_two_workers_take_each_step_once(committed: None) -> None:
    acme = Tenant.objects.get(slug="acme")
    anna = make_member(acme, "anna")
    with schema_context("acme"):
        keep(step(15, f"user:{anna.pk}"))
        for number in range(20):
            make_exception(str(number))
    barrier, taken = threading.Barrier(3), []

    def work() -> None:
        try:
            with schema_context("acme"):
                barrier.wait(10)
                taken.append(escalate_due(now=after(15)))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with schema_context("acme"):
        while more := escalate_due(now=after(15)):  # what one had locked when another looked
            taken.append(more)
        assert sum(taken) == 20
        assert len(told()) == 20


def test_another_tenant_is_not_touched(boss: User, anna: User, globex: Tenant) -> None:
    keep(step(15, f"user:{anna.pk}"))
    with schema_context("globex"):
        make_exception("G-1")
        assert escalate_due(now=after(60)) == 0
        assert not EscalationClock.objects.exists()


def test_an_acknowledgement_under_way_is_not_overtaken(committed: None) -> None:
    """While somebody's acknowledgement holds the row, the round leaves it; afterwards the step is needless."""
    acme = Tenant.objects.get(slug="acme")
    anna = make_member(acme, "anna")
    with schema_context("acme"):
        keep(step(15, f"user:{anna.pk}"))
        record = make_exception()
    held, go_on = threading.Event(), threading.Event()

    def acknowledge() -> None:
        try:
            with schema_context("acme"), transaction.atomic():
                services.acknowledge_exception(exception_id=record.pk, actor="user:anna", now=after(14))
                held.set()
                go_on.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=acknowledge)
    thread.start()
    assert held.wait(10)
    with schema_context("acme"):
        assert escalate_due(now=after(15)) == 0
        go_on.set()
        thread.join()
        assert escalate_due(now=after(15)) == 0
        assert kinds(record) == ["opened", "acknowledged"]
        assert told() == []


def test_who_has_left_is_shown_and_not_silently_replaced(in_acme: Tenant, boss: User, anna: User) -> None:
    keep(step(15, f"user:{anna.pk}"))
    Membership.objects.filter(user=anna).delete()
    text = signed_in(in_acme, boss).get("/escalation/edit/").content.decode()
    assert f'<option value="user:{anna.pk}" selected>who has left</option>' in text


def test_page_of_an_exception_says_what_comes_next(in_acme: Tenant, boss: User, anna: User) -> None:
    record = make_exception()
    desk = signed_in(in_acme, anna)
    assert "Escalates" not in desk.get(f"/exceptions/{record.pk}/").content.decode()
    now = database_now()
    with schema_context("acme"):
        keep(step(15, f"user:{anna.pk}"), step(600, "role:manager", "resolved", "assign"), at=now)
    with schema_context("acme"):
        outlook = outlook_of(record, now=now)
    assert outlook is not None
    assert outlook.step is not None
    assert (outlook.step.at, outlook.step.who, outlook.step.did) == (now + timedelta(minutes=15), "anna", "is told")
    assert "if nobody has acknowledged it" in desk.get(f"/exceptions/{record.pk}/").content.decode()
    with schema_context("acme"):
        record = services.acknowledge_exception(exception_id=record.pk, actor="user:anna", now=now)
    text = desk.get(f"/exceptions/{record.pk}/").content.decode()
    assert "if it is not resolved" in text
    assert ">max<" in text
    with schema_context("acme"):
        services.snooze_exception(exception_id=record.pk, until=now + timedelta(hours=1), actor="user:anna", now=now)
    assert "Not while it is snoozed" in desk.get(f"/exceptions/{record.pk}/").content.decode()
    with schema_context("acme"):
        record = services.resolve_exception(exception_id=record.pk, resolution="manual", actor="user:anna", now=now)
        assert outlook_of(record, now=now) is None
