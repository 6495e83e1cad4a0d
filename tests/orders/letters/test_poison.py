"""Poison: an event with which its order cannot be judged. Tried again a few times, then set aside, and nobody waits for it."""

from datetime import datetime
from typing import Any

import pytest
from django_tenants.utils import schema_context

from e2a.postgresql.raw import database_now, raw_connection
from orders import sla
from orders.letters import replay_letter
from orders.models import DeadLetter, Event, Order
from orders.radar import MAX_FOLD_ATTEMPTS, Round, run_round
from tenants.models import Tenant
from tests.orders.door_cast import event, said, send_batch
from tests.orders.letters.cast import snapshot, tell
from tests.programs import program

POISON = "poisoned_event"
FOLD = sla.fold


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The fold raises for every order that has an event of this type."""

    def fold(facts: Any, *args: Any, **named: Any) -> Any:
        if any(fact.event_type == POISON for fact in facts):
            raise ZeroDivisionError("division by zero")
        return FOLD(facts, *args, **named)

    monkeypatch.setattr(sla, "fold", fold)
    return monkeypatch


def batch() -> tuple[int, Any]:
    events = [
        event(1, order_id="sick", event_type="payment_failed"),
        event(2, order_id="sick", event_type=POISON),
        event(3, order_id="well", event_type="payment_failed"),
    ]
    with schema_context("acme"):
        return said(send_batch(program("acme", "ingest"), events))


def later(times: int) -> list[Round]:
    """Rounds of the radar, each after all waiting tries have come due."""
    done = []
    for _ in range(times):
        raw_connection().execute(
            "UPDATE acme.orders_order SET fold_retry_at = clock_timestamp() WHERE fold_retry_at IS NOT NULL"
        )
        done.append(run_round())
    return done


def judged() -> dict[str, Any]:
    return {row.order_id: list(row.problems) for row in Order.objects.all()}


def test_the_rest_of_the_batch_is_judged_and_the_sick_order_comes_back(in_acme: Tenant, broken: Any) -> None:
    assert batch() == (200, {"processed": 3, "duplicates": 0, "rejected": []})
    assert judged() == {"sick": [], "well": ["PAYMENT_FAILED"]}
    sick = Order.objects.get(order_id="sick")
    assert (sick.fold_attempts, sick.fold_error) == (1, "ZeroDivisionError: division by zero")
    broken.undo()
    later(1)
    assert judged() == {"sick": ["PAYMENT_FAILED"], "well": ["PAYMENT_FAILED"]}
    sick.refresh_from_db()
    assert (sick.fold_attempts, sick.fold_retry_at, sick.fold_error) == (0, None, "")


def test_tries_are_bounded_each_after_twice_the_pause(in_acme: Tenant, broken: Any) -> None:
    batch()
    pauses = []
    for _ in range(MAX_FOLD_ATTEMPTS):
        row = Order.objects.get(order_id="sick")
        pauses.append(round(seconds_to(row.fold_retry_at)))
        assert Event.objects.filter(quarantined=True).count() == 0
        later(1)
    assert pauses == [1, 2, 4, 8, 16]
    assert Event.objects.filter(quarantined=True).count() == 2


def seconds_to(when: datetime | None) -> float:
    assert when is not None
    return (when - database_now(raw_connection())).total_seconds()


def test_after_the_last_try_it_is_a_dead_letter_and_the_order_lives_on(
    in_acme: Tenant, broken: Any, globex: Tenant
) -> None:
    batch()
    later(MAX_FOLD_ATTEMPTS)
    kept = list(DeadLetter.objects.order_by("event_id").values_list("reason", "entrance", "event_id", "order_ref"))
    assert kept == [("poison", "quarantine", "evt-1", "sick"), ("poison", "quarantine", "evt-2", "sick")]
    assert DeadLetter.objects.first().errors == {
        "event": ["Judging the order with this event failed 5 times: ZeroDivisionError: division by zero"]
    }
    with schema_context("acme"):
        send_batch(program("acme", "ingest"), [event(4, order_id="sick", event_type="address_invalid")])
    assert judged()["sick"] == ["ADDRESS_INVALID"]
    assert later(1)[0].refolded == 0
    assert not any(snapshot("globex").values())


def test_replay_before_mending_is_refused_and_after_it_counts_again(in_acme: Tenant, broken: Any) -> None:
    batch()
    later(MAX_FOLD_ATTEMPTS)
    innocent, poison = DeadLetter.objects.order_by("event_id")
    assert replay_letter("acme", innocent.pk, actor="a")[0].outcome == "released"
    assert judged()["sick"] == ["PAYMENT_FAILED"]
    facts = list(Event.objects.order_by("pk").values_list("event_id", "quarantined"))
    outcome, _ = replay_letter("acme", poison.pk, actor="a")
    assert (outcome.outcome, outcome.errors) == (
        "refused",
        {"event": ["Judging the order with this event still fails: ZeroDivisionError: division by zero"]},
    )
    assert list(Event.objects.order_by("pk").values_list("event_id", "quarantined")) == facts
    assert Order.objects.get(order_id="sick").fold_retry_at is None
    broken.undo()
    before = snapshot()
    assert replay_letter("acme", poison.pk, actor="a", dry_run=True)[0].outcome == "released"
    assert snapshot() == before
    outcome, _ = replay_letter("acme", poison.pk, actor="a")
    assert (outcome.outcome, outcome.note) == ("released", "Order sick is judged with it again.")
    assert not Event.objects.filter(quarantined=True).exists()
    assert [letter.status for letter in DeadLetter.objects.all()] == ["replayed", "replayed"]


def test_order_that_no_new_event_spoiled_is_tried_on_once_a_minute(
    in_acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its facts are good, so nothing is set aside; what fails is a rule, and the next version may be right."""
    tell(order_id="well", event_type="payment_failed")
    raw_connection().execute("UPDATE acme.orders_order SET fold_retry_at = clock_timestamp()")
    monkeypatch.setattr(sla, "fold", lambda *args, **named: 1 / 0)
    later(MAX_FOLD_ATTEMPTS + 3)
    well = Order.objects.get()
    assert (well.fold_attempts, round(seconds_to(well.fold_retry_at))) == (MAX_FOLD_ATTEMPTS + 3, 60)
    assert (DeadLetter.objects.count(), list(well.problems)) == (0, ["PAYMENT_FAILED"])
    monkeypatch.undo()
    later(1)
    well.refresh_from_db()
    assert (well.fold_attempts, well.fold_retry_at) == (0, None)


def test_poison_holds_no_other_tenant_up(in_acme: Tenant, globex: Tenant, broken: Any) -> None:
    batch()
    with schema_context("globex"):
        send_batch(program("globex", "ingest"), [event(1, order_id="theirs", event_type="payment_failed")])
    with schema_context("globex"):
        assert judged() == {"theirs": ["PAYMENT_FAILED"]}
    assert later(1)[0].failed == []
