"""One act on many: what was shown, exactly once, with what was skipped and why; also while the filter changes."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from django_tenants.utils import schema_context

from exceptions.desk import bulk
from exceptions.desk.models import BulkRun
from exceptions.desk.tasks import sweep_bulk_runs, work_on_bulk_run
from exceptions.models import ExceptionRecord, TimelineEntry
from exceptions.pages import bulk as page
from exceptions.selectors import Filters, database_now
from tenants.models import Role, Tenant, User
from tests.exceptions.cast import ids, kinds, make_exception, resolved
from tests.exceptions.desk.cast import make_many
from tests.exceptions.test_services import wait_until_someone_waits_for_a_lock
from tests.tenants.cast import make_member, signed_in

HTMX = {"HX-Request": "true"}
OPEN = Filters(status=("OPEN",), snoozed=False)
MARIA = "user:maria"


@pytest.fixture
def maria(acme: Tenant) -> User:
    return make_member(acme)


@pytest.fixture
def desk(acme: Tenant, maria: User) -> Client:
    return signed_in(acme, maria)


@pytest.fixture
def three(acme: Tenant) -> list[ExceptionRecord]:
    with schema_context("acme"):
        return [make_exception(str(number)) for number in (1, 2, 3)]


def ask(client: Client, action: str, **data: Any) -> Any:
    return client.post(f"/exceptions/bulk/{action}/ask/", data, headers=HTMX)


def confirm(client: Client, question: Any, **data: Any) -> Any:
    assert question.status_code == 200
    found = re.search(r'hx-post="(/exceptions/bulk/\d+/)"', question.content.decode())
    assert found
    return client.post(found[1], data, headers=HTMX)


def statuses() -> list[str]:
    with schema_context("acme"):
        return list(ExceptionRecord.objects.order_by("pk").values_list("status", flat=True))


def timelines(records: list[ExceptionRecord]) -> list[list[str]]:
    with schema_context("acme"):
        return [kinds(record) for record in records]


def run_of() -> BulkRun:
    with schema_context("acme"):
        return BulkRun.objects.get()


def words_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_rows_that_were_selected_are_acted_on_with_one_line_each(desk: Client, three: list[ExceptionRecord]) -> None:
    question = ask(desk, "acknowledge", ids=f"{three[0].pk},{three[2].pk}")
    assert "Acknowledge 2 exceptions?" in words_of(question)
    assert statuses() == ["OPEN", "OPEN", "OPEN"]
    answer = confirm(desk, question)
    assert (answer.status_code, "2 acknowledged." in answer["HX-Trigger"]) == (204, True)
    assert statuses() == ["ACKNOWLEDGED", "OPEN", "ACKNOWLEDGED"]
    assert timelines(three) == [["opened", "acknowledged"], ["opened"], ["opened", "acknowledged"]]


@pytest.mark.parametrize(
    ("action", "data", "column", "value"),
    [
        ("take", {}, "assignee_id", "me"),
        ("assign", {"assignee": "me", "reason": "please"}, "assignee_id", "me"),
        ("snooze", {"hours": "4"}, "snoozed_until", None),
        ("comment", {"text": "The carrier is on strike."}, "status", "OPEN"),
        ("resolve", {"resolution": "refunded", "label": "", "reason": "agreed"}, "resolution", "refunded"),
    ],
)
def test_each_act_is_done_on_many(
    desk: Client, maria: User, three: list[ExceptionRecord], action: str, data: dict[str, str], column: str, value: Any
) -> None:
    data = {key: str(maria.pk) if text == "me" else text for key, text in data.items()}
    answer = confirm(desk, ask(desk, action, whole="1", query="status=open"), **data)
    assert answer.status_code == 204
    with schema_context("acme"):
        found = set(ExceptionRecord.objects.values_list(column, flat=True))
        entries = TimelineEntry.objects.exclude(kind="opened")
        assert {(entry.actor, entry.reason) for entry in entries} == {
            (MARIA, data.get("reason") or data.get("text") or "")
        }
        assert entries.count() == 3
    if value is None:
        assert all(timezone.now() + timedelta(hours=3) < each < timezone.now() + timedelta(hours=5) for each in found)
    else:
        assert found == {maria.pk if value == "me" else value}


def test_what_cannot_be_done_is_counted_with_its_reason(desk: Client, three: list[ExceptionRecord]) -> None:
    with schema_context("acme"):
        ExceptionRecord.objects.filter(pk=three[0].pk).update(**resolved())
    answer = confirm(desk, ask(desk, "acknowledge", ids=",".join(map(str, [*ids(three), 999_999]))))
    told = words_of(answer)
    assert "2 acknowledged, 2 skipped" in told
    assert "1 It is RESOLVED now; this needs it to be OPEN. Nothing was changed." in told
    assert "1 It does not exist." in told
    assert answer["HX-Trigger"] == "live"
    assert timelines(three) == [["opened"], ["opened", "acknowledged"], ["opened", "acknowledged"]]


def test_whole_filter_is_what_was_counted_though_it_changes_meanwhile(
    desk: Client, three: list[ExceptionRecord]
) -> None:
    """One has left the filter, one has come in: neither is touched, and both are said."""
    question = ask(desk, "resolve", whole="1", query="status=open")
    assert "Resolve 3 exceptions?" in words_of(question)
    with schema_context("acme"):
        ExceptionRecord.objects.filter(pk=three[1].pk).update(status="ACKNOWLEDGED")
        newcomer = make_exception("4")
    told = words_of(confirm(desk, question, resolution="manual"))
    assert "2 resolved, 1 skipped" in told
    assert "1 It had left this list." in told
    assert "1 more came into this list after the count and were left alone." in told
    assert statuses() == ["RESOLVED", "ACKNOWLEDGED", "RESOLVED", "OPEN"]
    assert timelines([newcomer]) == [["opened"]]


def test_wrong_form_comes_back_and_nothing_has_begun(desk: Client, three: list[ExceptionRecord]) -> None:
    question = ask(desk, "resolve", whole="1")
    assert confirm(desk, question, resolution="completed_late").status_code == 422
    assert confirm(desk, ask(desk, "comment", whole="1"), text=" ").status_code == 422
    late = confirm(desk, ask(desk, "snooze", whole="1"), until="1999-01-01T00:00")
    assert (late.status_code, "Name a time ahead of now" in late.content.decode()) == (422, True)
    assert statuses() == ["OPEN"] * 3
    with schema_context("acme"):
        assert set(BulkRun.objects.values_list("state", flat=True)) == {"asked"}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"ids": ""}, "No exception is selected"),
        ({"ids": "1,x"}, "cannot be used"),
        ({"ids": "9" * 30}, "cannot be used"),
        ({"whole": "1", "query": "severity=CRITICAL"}, "No exception is selected"),
        ({"whole": "1", "query": "severity=PURPLE"}, "cannot be used"),
    ],
)
def test_selection_that_cannot_be_used_gets_a_sentence(
    desk: Client, three: list[ExceptionRecord], data: dict[str, str], sentence: str
) -> None:
    refused = ask(desk, "acknowledge", **data)
    assert refused.status_code == 422
    assert sentence in refused.json()["detail"]
    with schema_context("acme"):
        assert not BulkRun.objects.exists()


def test_more_than_the_most_is_refused(
    desk: Client, three: list[ExceptionRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    assert "narrow the filter" in ask(desk, "acknowledge", whole="1").json()["detail"]


def test_confirmed_twice_it_is_done_once(desk: Client, three: list[ExceptionRecord]) -> None:
    question = ask(desk, "comment", whole="1")
    assert confirm(desk, question, text="Called them.").status_code == 204
    assert confirm(desk, question, text="Called them.").status_code == 409
    assert timelines(three) == [["opened", "commented"]] * 3


def test_question_is_confirmed_by_who_asked(acme: Tenant, desk: Client, three: list[ExceptionRecord]) -> None:
    question = ask(desk, "acknowledge", whole="1")
    otto = signed_in(acme, make_member(acme, "otto"))
    assert confirm(otto, question).status_code == 404
    vera = signed_in(acme, make_member(acme, "vera", role=Role.VIEWER))
    assert ask(vera, "acknowledge", whole="1").status_code == 403
    assert confirm(vera, question).status_code == 403
    assert statuses() == ["OPEN"] * 3


def test_another_tenant_touches_none_of_it(desk: Client, globex: Tenant, three: list[ExceptionRecord]) -> None:
    question = ask(desk, "acknowledge", whole="1")
    gregor = signed_in(globex, make_member(globex, "maria"))
    assert confirm(gregor, question).status_code == 404
    answer = confirm(desk, ask(desk, "acknowledge", ids="1"))
    assert answer.status_code in (200, 204)
    theirs = ask(gregor, "acknowledge", ids=",".join(map(str, ids(three))))
    assert "3 It does not exist." in words_of(confirm(gregor, theirs))
    assert statuses().count("OPEN") >= 2


def test_large_set_is_done_in_the_background_and_says_how_far_it_is(
    acme: Tenant, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "AT_ONCE", 10)
    monkeypatch.setattr(bulk, "CHUNK", 25)
    with schema_context("acme"):
        make_many(100)
    answer = confirm(desk, ask(desk, "acknowledge", whole="1", query="status=open"))
    assert "Running. 0 acknowledged" in words_of(answer)
    assert b'hx-trigger="every 1s' in answer.content
    with schema_context("acme"):
        held = bulk.lease(run_of().pk)
        assert held is not None
        assert bulk.waiting() == []  # somebody works on it
        bulk.advance(held)
    address = f"/exceptions/bulk/{run_of().pk}/"
    assert 'value="41"' in desk.get(address, headers=HTMX).content.decode()
    with schema_context("acme"):
        BulkRun.objects.update(leased_until=timezone.now() - timedelta(seconds=1))  # that one was killed
        assert bulk.waiting() == [run_of().pk]
    assert work_on_bulk_run("acme", run_of().pk) == "done"
    assert "60 acknowledged." in words_of(desk.get(address, headers=HTMX))
    assert statuses().count("ACKNOWLEDGED") == 70
    with schema_context("acme"):
        assert TimelineEntry.objects.filter(kind="acknowledged").count() == 60
    assert run_of().ids == []


def test_sweep_nudges_what_nobody_works_on(
    acme: Tenant, three: list[ExceptionRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    with schema_context("acme"):
        found = bulk.ask_for_filter("acknowledge", OPEN, actor=MARIA, now=database_now())
        bulk.begin(found.pk, {}, actor=MARIA, now=database_now())
    nudged: list[tuple[str, int]] = []
    monkeypatch.setattr(work_on_bulk_run, "delay", lambda *args: nudged.append(args))
    assert sweep_bulk_runs() == 1
    assert nudged == [("acme", found.pk)]
    with pytest.raises(ValueError, match="no active tenant"):
        work_on_bulk_run("nowhere", found.pk)


def test_stopped_it_leaves_the_rest(acme: Tenant, desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "AT_ONCE", 10)
    monkeypatch.setattr(bulk, "CHUNK", 25)
    with schema_context("acme"):
        make_many(100)
    confirm(desk, ask(desk, "acknowledge", whole="1", query="status=open"))
    with schema_context("acme"):
        held = bulk.lease(run_of().pk)
        assert held is not None
        held = bulk.advance(held)
    assert desk.post(f"/exceptions/bulk/{held.pk}/stop/", headers=HTMX).status_code == 204
    with schema_context("acme"), pytest.raises(bulk.LostRun):
        bulk.advance(held)
    assert work_on_bulk_run("acme", held.pk) == "stopped"
    assert statuses().count("ACKNOWLEDGED") == 35
    assert "Stopped. 25 acknowledged" in words_of(desk.get(f"/exceptions/bulk/{held.pk}/", headers=HTMX))


def test_questions_that_nobody_answered_go_away(in_acme: Tenant) -> None:
    make_exception("1")
    old = bulk.ask_for_filter("take", OPEN, actor=MARIA, now=database_now() - timedelta(hours=2))
    new = bulk.ask_for_filter("take", OPEN, actor=MARIA, now=database_now())
    assert list(BulkRun.objects.values_list("pk", flat=True)) == [new.pk]
    with pytest.raises(bulk.NoSuchRun):
        bulk.begin(old.pk, {}, actor=MARIA, now=database_now())


def test_bulk_while_the_filter_changes(committed: None) -> None:
    """A colleague takes a row out of the filter as the bulk waits for that row; a new one comes in at the same time."""
    with schema_context("acme"):
        moving, staying = make_exception("1"), make_exception("2")
        run = bulk.ask_for_filter("resolve", OPEN, actor=MARIA, now=database_now())
        bulk.begin(run.pk, {"resolution": "manual"}, actor=MARIA, now=database_now())
        done: list[BulkRun] = []

        def work() -> None:
            with schema_context("acme"):
                done.append(bulk.work(run.pk, seconds=20))
            connection.close()

        with transaction.atomic():
            ExceptionRecord.objects.filter(pk=moving.pk).update(status="ACKNOWLEDGED")
            newcomer = make_exception("3")
            thread = threading.Thread(target=work)
            thread.start()
            wait_until_someone_waits_for_a_lock()
        thread.join(timeout=30)
        assert (done[0].state, done[0].changed, done[0].skipped) == ("done", 1, {bulk.LEFT: 1})
        assert [kinds(record) for record in (moving, staying, newcomer)] == [
            ["opened"],
            ["opened", "resolved"],
            ["opened"],
        ]


def test_two_workers_at_one_run_act_once(committed: None) -> None:
    with schema_context("acme"):
        records = [make_exception(str(number)) for number in range(5)]
        run = bulk.ask_for_filter("comment", OPEN, actor=MARIA, now=database_now())
        bulk.begin(run.pk, {"reason": "strike"}, actor=MARIA, now=database_now())

    def work() -> None:
        with schema_context("acme"):
            bulk.work(run.pk, seconds=20)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert timelines(records) == [["opened", "commented"]] * 5
    assert (run_of().state, run_of().changed, run_of().skipped) == ("done", 5, {})
