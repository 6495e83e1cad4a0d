"""Replaying all letters of a filter: progress, stopping, leases, and dry runs that equal the real run."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_tenants.utils import schema_context

from orders import letter_runs
from orders.letter_lists import LetterFilters, count_letters, filter_letters, list_piles
from orders.letter_runs import lease, next_ids, rehearse, run_replay, start_replay, stop_replay
from orders.models import DeadLetter, Event, LetterReplay
from tenants.models import Tenant
from tests.orders.letters.cast import erp, mend, refused_event, refused_webhook, snapshot, statuses, tell

ALL = LetterFilters()


def test_all_letters_of_a_filter_are_replayed_in_chunks(in_acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_runs, "CHUNK", 2)
    row = erp(in_acme)
    for number in range(5):
        refused_webhook(number)
    other = refused_event(occurred_at="soon")
    mend(row)
    asked = start_replay(LetterFilters(source=("erp",)), actor="user:anna")
    assert (asked.total, asked.position) == (5, 0)
    seen = []
    done = run_replay("acme", asked.pk, progress=lambda replay: seen.append(replay.counts["stored"]))
    assert (seen, done.status, done.counts) == ([2, 4, 5], "done", {"stored": 5, "exceptions_opened": 5})
    assert (done.leased_until, done.finished_at is not None) == (None, True)
    assert (Event.objects.count(), statuses()) == (5, ["replayed"] * 5 + ["waiting"])
    other.refresh_from_db()
    assert other.tries == 0
    before = snapshot()
    assert run_replay("acme", asked.pk).status == "done"
    assert snapshot() == before


def test_dry_run_of_a_filter_is_what_the_real_run_does_then(in_acme: Tenant) -> None:
    row = erp(in_acme)
    for number in range(3):
        refused_webhook(number, order="one")
    tell()
    refused_event(order_id="2")
    refused_event(occurred_at="soon")
    mend(row)
    before = snapshot()
    rehearsed = rehearse("acme", ALL)
    assert snapshot() == before
    assert (rehearsed.matched, rehearsed.whole) == (5, True)
    assert rehearsed.counts == {"stored": 3, "conflict": 1, "refused": 1, "exceptions_opened": 1}
    assert run_replay("acme", start_replay(ALL, actor="a").pk).counts == rehearsed.counts


def test_dry_run_of_a_long_list_covers_its_beginning(in_acme: Tenant) -> None:
    erp(in_acme)
    for number in range(3):
        refused_webhook(number)
    rehearsed = rehearse("acme", ALL, at_most=2)
    assert (rehearsed.matched, len(rehearsed.outcomes), rehearsed.whole) == (3, 2, False)


def test_letters_that_come_in_later_are_not_part_of_it(in_acme: Tenant) -> None:
    row = erp(in_acme)
    refused_webhook(1)
    asked = start_replay(ALL, actor="a")
    refused_webhook(2)
    mend(row)
    run_replay("acme", asked.pk)
    assert statuses() == ["replayed", "waiting"]


def test_stopped_replay_leaves_the_rest_waiting(in_acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_runs, "CHUNK", 1)
    row = erp(in_acme)
    for number in range(3):
        refused_webhook(number)
    mend(row)
    asked = start_replay(ALL, actor="a")
    done = run_replay("acme", asked.pk, progress=lambda replay: stop_replay(replay.pk, now=timezone.now()) and None)
    assert (done.status, statuses()) == ("stopped", ["replayed", "waiting", "waiting"])
    assert not stop_replay(asked.pk, now=timezone.now())


def test_replay_that_another_process_works_on_is_left_alone(in_acme: Tenant) -> None:
    row = erp(in_acme)
    refused_webhook(1)
    mend(row)
    asked = start_replay(ALL, actor="a")
    assert lease(asked.pk) is not None
    assert lease(asked.pk) is None
    assert (run_replay("acme", asked.pk).status, statuses()) == ("running", ["waiting"])
    LetterReplay.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert (run_replay("acme", asked.pk).status, statuses()) == ("done", ["replayed"])


def test_cut_replay_goes_on_where_it_was(in_acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_runs, "CHUNK", 1)
    row = erp(in_acme)
    for number in range(2):
        refused_webhook(number)
    mend(row)
    asked = start_replay(ALL, actor="a")
    assert run_replay("acme", asked.pk, seconds=0).counts == {"stored": 1, "exceptions_opened": 1}
    assert run_replay("acme", asked.pk, seconds=0).counts == {"stored": 2, "exceptions_opened": 2}


def test_chunks_are_bounded_by_size_too(in_acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    erp(in_acme)
    first = refused_webhook(1)
    second = refused_webhook(2)
    monkeypatch.setattr(letter_runs, "CHUNK_BYTES", 10)
    assert next_ids(ALL, after=0, through=None) == [first.pk]
    assert next_ids(ALL, after=first.pk, through=None) == [second.pk]
    assert next_ids(ALL, after=0, through=0) == []


def test_filters(in_acme: Tenant, globex: Tenant) -> None:
    erp(in_acme)
    hook = refused_webhook(1)
    sent = refused_event(occurred_at="soon", event_id="x-9")
    earlier = hook.received_at - timedelta(minutes=1)
    cases = [
        (LetterFilters(), [hook, sent]),
        (LetterFilters(status=("discarded",)), []),
        (LetterFilters(source=("erp",)), [hook]),
        (LetterFilters(reason=("invalid", "unmapped")), [hook, sent]),
        (LetterFilters(reason=("conflict",)), []),
        (LetterFilters(received_after=earlier), [hook, sent]),
        (LetterFilters(received_before=earlier), []),
        (LetterFilters(search="X-9"), [sent]),
        (LetterFilters(search='"order": "o1"'), [hook]),
        (LetterFilters(search="mapping's types"), [hook]),
        (LetterFilters(search="\0'; DROP SCHEMA acme"), []),
        (LetterFilters(ids=(sent.pk,)), [sent]),
    ]
    for filters, wanted in cases:
        assert list(filter_letters(filters).order_by("pk")) == wanted, filters
    assert count_letters(ALL, at_most=1) == 1
    assert [(pile.source, pile.reason, pile.letters) for pile in list_piles()] == [
        ("erp", "unmapped", 1),
        ("wms", "invalid", 1),
    ]
    with schema_context("globex"):
        assert (count_letters(ALL, at_most=9), list_piles()) == (0, [])
    assert DeadLetter.objects.count() == 2
