"""Replaying one dead letter, or an edited copy: once, whole or not at all, and a dry run tells the truth."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from e2a.errors import Conflict, Unprocessable
from orders.letter_lists import NoSuchLetter
from orders.letters import NotWaiting, discard_letter, replay_edited, replay_letter, restore_letter
from orders.models import DeadLetter, Event
from tenants.models import Tenant
from tests.orders.door_cast import event
from tests.orders.letters.cast import erp, mend, refused_event, refused_webhook, snapshot, statuses, tell
from tests.orders.providers.shopify_cast import order
from tests.orders.webhook_cast import shopify, source

ANNA = "user:anna"


def test_letter_of_a_mended_source_is_stored_and_judged_once(in_acme: Tenant, globex: Tenant) -> None:
    row = erp(in_acme)
    letter = refused_webhook(1)
    mend(row)
    outcome, effects = replay_letter("acme", letter.pk, actor=ANNA)
    assert (outcome.outcome, outcome.events) == ("stored", [("payment_failed", "o1")])
    assert [(each.order_id, each.reason, each.effect) for each in effects] == [("o1", "PAYMENT_FAILED", "opened")]
    letter.refresh_from_db()
    assert (letter.status, letter.status_by, letter.tries) == ("replayed", ANNA, 0)
    before = snapshot()
    with pytest.raises(NotWaiting, match=r"^This letter was replayed at .* UTC by user:anna; nothing was changed\.$"):
        replay_letter("acme", letter.pk, actor="user:bert")
    assert snapshot() == before
    assert not any(snapshot("globex").values())


def test_what_is_still_refused_waits_with_what_is_wrong_now(in_acme: Tenant) -> None:
    letter = refused_event(occurred_at="soon", order_id="")
    outcome, effects = replay_letter("acme", letter.pk, actor=ANNA)
    assert (outcome.outcome, sorted(outcome.errors), effects) == ("refused", ["occurred_at", "order_id"], [])
    letter.refresh_from_db()
    assert (letter.status, letter.tries, letter.tried_at is not None) == ("waiting", 1, True)
    assert letter.errors == outcome.errors
    assert not Event.objects.exists()


def test_letter_of_a_deleted_source_says_so(in_acme: Tenant) -> None:
    row = erp(in_acme)
    letter = refused_webhook(1)
    row.delete()
    outcome, _ = replay_letter("acme", letter.pk, actor=ANNA)
    assert outcome.errors == {"source": ["There is no source “erp” any more: create it again, or discard this letter."]}


def test_conflict_stays_one_conflict(in_acme: Tenant) -> None:
    tell()
    letter = refused_event(order_id="2002")
    outcome, _ = replay_letter("acme", letter.pk, actor=ANNA)
    assert (outcome.outcome, list(outcome.errors)) == ("conflict", ["event_id"])
    assert list(DeadLetter.objects.values_list("status", "tries", "occurrences")) == [("waiting", 1, 1)]
    assert Event.objects.get().order_ref == "1001"


def test_what_is_stored_by_now_is_a_duplicate_and_done(in_acme: Tenant) -> None:
    row = erp(in_acme)
    first = refused_webhook(1)
    DeadLetter.objects.filter(pk=first.pk).update(digest=b"another")
    second = refused_webhook(1)
    mend(row)
    assert [replay_letter("acme", each.pk, actor=ANNA)[0].outcome for each in (first, second)] == [
        "stored",
        "duplicate",
    ]
    assert (statuses(), Event.objects.count()) == (["replayed", "replayed"], 1)


def test_conflict_of_a_provider_can_be_read_again(in_acme: Tenant) -> None:
    source(in_acme)
    shopify("orders/create", order())
    shopify("orders/create", order(note="other"))
    letter = DeadLetter.objects.get()
    assert (letter.entrance, letter.topic) == ("webhook", "orders/create")
    assert replay_letter("acme", letter.pk, actor=ANNA)[0].outcome == "conflict"
    headers = {**letter.headers, "x-shopify-event-id": "ev-2"}
    outcome, _ = replay_edited("acme", letter.pk, body=bytes(letter.body), headers=headers, actor=ANNA)
    assert (outcome.outcome, Event.objects.count(), statuses()) == ("stored", 2, ["replayed", "replayed"])


def test_demand_is_met_by_a_replay_not_by_a_dry_run(in_acme: Tenant) -> None:
    row = source(in_acme)
    shopify("app/uninstalled", b"{")
    letter = DeadLetter.objects.get()
    body = json.dumps({"id": 1, "myshopify_domain": "x"}).encode()
    for dry_run in (True, False):
        outcome, _ = replay_edited("acme", letter.pk, body=body, actor=ANNA, dry_run=dry_run)
        row.refresh_from_db()
        assert (outcome.outcome, row.active) == ("met", dry_run)


def test_dry_run_tells_all_and_changes_nothing(in_acme: Tenant) -> None:
    row = erp(in_acme)
    letter = refused_webhook(1)
    mend(row)
    before = snapshot()
    rehearsed = replay_letter("acme", letter.pk, actor=ANNA, dry_run=True)
    assert snapshot() == before
    assert replay_letter("acme", letter.pk, actor=ANNA) == rehearsed
    assert rehearsed[0].outcome == "stored"


def test_edited_copy_that_is_taken_replays_both(in_acme: Tenant) -> None:
    letter = refused_event(occurred_at="soon")
    mended = json.dumps(event()).encode()
    outcome, _ = replay_edited("acme", letter.pk, body=mended, actor=ANNA)
    assert outcome.outcome == "stored"
    original, copy = DeadLetter.objects.order_by("pk")
    assert (original.status, copy.status, copy.edited_from_id, bytes(copy.body)) == (
        "replayed", "replayed", original.pk, mended,
    )  # fmt: skip
    assert json.loads(bytes(original.body))["occurred_at"] == "soon"
    with pytest.raises(NotWaiting):
        replay_edited("acme", letter.pk, body=mended, actor=ANNA)
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [(b"{", "event"), (b"", "event"), (json.dumps(event(source="e2a")).encode(), "source"), (b"\xff", "event")],
)
def test_edited_copy_that_is_refused_leaves_no_trace(in_acme: Tenant, body: bytes, field: str) -> None:
    letter = refused_event(occurred_at="soon")
    before = snapshot()
    outcome, _ = replay_edited("acme", letter.pk, body=body, actor=ANNA)
    assert (outcome.outcome, list(outcome.errors)) == ("refused", [field])
    assert snapshot() == before


def test_header_that_no_replay_reads_is_refused(in_acme: Tenant) -> None:
    letter = refused_event(occurred_at="soon")
    before = snapshot()
    with pytest.raises(Unprocessable) as refusal:
        replay_edited("acme", letter.pk, body=b"{}", headers={"Authorization": "x"}, actor=ANNA)
    assert refusal.value.errors == {
        "headers": ["“authorization” is not read in a replay; no header of this letter is."]
    }
    assert snapshot() == before


def test_keys_default_merchant_is_kept_for_the_replay(in_acme: Tenant) -> None:
    letter = refused_event(merchant="north", occurred_at="soon")
    replay_edited("acme", letter.pk, body=json.dumps(event()).encode(), actor=ANNA)
    assert Event.objects.get().merchant == "north"


def test_discarded_letter_can_be_put_back_and_is_not_replayed(in_acme: Tenant) -> None:
    row = erp(in_acme)
    letter = refused_webhook(1)
    mend(row)
    now = letter.received_at
    assert discard_letter(letter.pk, actor=ANNA, now=now).status == "discarded"
    for act in (
        lambda: replay_letter("acme", letter.pk, actor=ANNA),
        lambda: discard_letter(letter.pk, actor="user:bert", now=now),
    ):
        with pytest.raises(NotWaiting, match="discarded"):
            act()
    assert (statuses(), Event.objects.count()) == (["discarded"], 0)
    assert (restore_letter(letter.pk).status, replay_letter("acme", letter.pk, actor=ANNA)[0].outcome) == (
        "waiting",
        "stored",
    )
    with pytest.raises(Conflict, match="Only a discarded letter"):
        restore_letter(letter.pk)


def test_discarded_letter_whose_refusal_came_again_stays_discarded(in_acme: Tenant) -> None:
    erp(in_acme)
    letter = refused_webhook(1)
    discard_letter(letter.pk, actor=ANNA, now=letter.received_at)
    refused_webhook(1)
    with pytest.raises(Conflict, match="came again"):
        restore_letter(letter.pk)
    assert statuses() == ["discarded", "waiting"]


def test_unknown_letter(in_acme: Tenant) -> None:
    for pk in (7, -1, 2**70):
        with pytest.raises(NoSuchLetter):
            replay_letter("acme", pk, actor=ANNA)


def test_two_at_once_have_one_effect(committed: None) -> None:
    row = erp(Tenant.objects.get(slug="acme"))
    with schema_context("acme"):
        letter = refused_webhook(1)
    mend(row)
    both = Barrier(2)

    def press(name: str) -> str:
        try:
            with schema_context("acme"):
                both.wait(10)
                return replay_letter("acme", letter.pk, actor=name)[0].outcome
        except NotWaiting:
            return "refused"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(press, ("user:a", "user:b")))
    with schema_context("acme"):
        assert (said, Event.objects.count(), statuses()) == (["refused", "stored"], 1, ["replayed"])
