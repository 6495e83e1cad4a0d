"""What people decide about actions, and what is refused."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django_tenants.utils import schema_context

from e2a.errors import ProblemError
from exceptions import services
from exceptions.errors import ImpossibleChange, NoSuchException
from exceptions.models import ExceptionRecord, TimelineEntry
from exceptions.playbooks.decisions import Decider, approve, reject, run_action, unblock
from exceptions.playbooks.errors import NeedsManager, NeedsPerson, NoSuchAttempt, NotNow, WrongAction
from exceptions.playbooks.executor import claim_attempt, run_attempt
from exceptions.playbooks.expectations import fulfil
from exceptions.playbooks.models import Approval, Attempt, Plan
from exceptions.playbooks.words import State
from tenants.models import Tenant
from tests.exceptions.cast import kinds, resolved
from tests.exceptions.playbooks.cast import (
    ANNA,
    BEN,
    KEY,
    MAX,
    MIA,
    RELEASE,
    TAG,
    Team,
    exception_of,
    only,
    playbook,
    shop_at,
    source_of,
    states,
    step,
)

CANCEL = {"reason": "INVENTORY"}
ADDRESS = {"address": {"address1": "Rua Nova 7", "city": "Porto", "zip": "4000", "countryCode": "PT"}}
SUGGESTED = TAG | {"mode": "suggest"}


@pytest.fixture
def team(in_acme: Tenant, tmp_path: Path) -> Team:
    source_of(in_acme)
    return Team(in_acme, shop_at(tmp_path))


def refund(**more: Any) -> dict[str, Any]:
    return step("shopify_refund", "approve", approver="manager", **more)


def planned(team: Team, *steps: dict[str, Any]) -> tuple[ExceptionRecord, Attempt]:
    record = exception_of(team.shop.open())
    playbook(team.tenant, *steps)
    team.round()
    return record, only(record)


def decide(
    team: Team, act: Callable[..., Any], record: ExceptionRecord, attempt: Attempt, by: Decider, **more: Any
) -> Any:
    return act(exception_id=record.pk, attempt_id=attempt.pk, by=by, now=team.clock(), **more)


def test_what_is_suggested_runs_by_one_word(team: Team) -> None:
    record, attempt = planned(team, SUGGESTED)
    assert (attempt.state, team.shop.mutations()) == ("suggested", [])
    decide(team, approve, record, attempt, ANNA, reason="sure")
    team.round()
    assert (states(record), team.shop.mutations()) == ([("shopify_tag", "done")], ["tagsAdd"])
    entry = record.timeline.get(kind="action_approved")
    assert (entry.actor, entry.reason, entry.detail["attempt"]) == ("user:anna", "sure", attempt.pk)


def test_a_key_may_run_what_is_suggested_but_not_approve(team: Team) -> None:
    record, attempt = planned(team, SUGGESTED)
    decide(team, approve, record, attempt, KEY)
    assert only(record).state == "planned"
    Attempt.objects.update(state=State.AWAITING, approvals_needed=1)
    with pytest.raises(NeedsPerson):
        decide(team, approve, record, attempt, KEY)


def test_what_is_rejected_leads_to_the_next_step(team: Team) -> None:
    record, attempt = planned(team, SUGGESTED, TAG)
    decide(team, reject, record, attempt, ANNA, reason="not now")
    team.round()
    assert states(record) == [("shopify_tag", "rejected"), ("shopify_tag", "done")]
    assert only_rejected(record) == "not now"


def only_rejected(record: ExceptionRecord) -> str:
    return Attempt.objects.get(exception=record, state="rejected").outcome


def test_above_a_sum_two_people_must_agree_and_the_same_one_does_not_count_twice(team: Team) -> None:
    record, attempt = planned(team, refund(two_people_above_cents=100))
    assert (attempt.approvals_needed, attempt.money_cents) == (2, record.order.value_cents)
    decide(team, approve, record, attempt, MAX)
    assert only(record).state == "awaiting"
    with pytest.raises(NotNow, match="You have given your word already"):
        decide(team, approve, record, attempt, MAX)
    decide(team, approve, record, attempt, MIA)
    team.round()
    assert (only(record).state, team.shop.mutations()) == ("done", ["refundCreate"])
    assert list(Approval.objects.order_by("pk").values_list("actor", "approved")) == [
        ("user:max", True),
        ("user:mia", True),
    ]


def test_below_the_sum_one_manager_suffices_and_an_operator_does_not(team: Team) -> None:
    record, attempt = planned(team, refund(two_people_above_cents=10**9))
    with pytest.raises(NeedsManager):
        decide(team, approve, record, attempt, ANNA)
    assert (only(record).state, Approval.objects.count()) == ("awaiting", 0)
    decide(team, approve, record, attempt, MAX)
    assert only(record).state == "planned"


def test_a_sum_of_another_size_asks_for_other_approvals(team: Team) -> None:
    record, attempt = planned(team, refund(parameters={"amount_cents": 50}, two_people_above_cents=100))
    assert attempt.approvals_needed == 1
    decide(team, approve, record, attempt, MAX, parameters={"amount_cents": 500})
    attempt.refresh_from_db()
    assert (attempt.state, attempt.approvals_needed, attempt.money_cents) == ("awaiting", 2, 500)
    with pytest.raises(NotNow, match="approved it as it is"):
        decide(team, approve, record, attempt, MIA, parameters={"amount_cents": 900})


def test_what_was_approved_for_one_sum_does_not_move_a_larger_one(team: Team) -> None:
    record, attempt = planned(team, refund())
    Attempt.objects.update(money_cents=1)
    decide(team, approve, record, attempt, MAX)
    team.round()
    assert (only(record).state, team.shop.mutations()) == ("failed", [])
    assert only(record).outcome.startswith("It was approved for 0.01, but would move ")


def test_missing_parameters_are_given_with_the_word(team: Team) -> None:
    record, attempt = planned(team, step("shopify_address", "approve"))
    with pytest.raises(WrongAction) as wrong:
        decide(team, approve, record, attempt, ANNA)
    assert wrong.value.errors == {"parameters.address": ["“Address” is missing."]}
    decide(team, approve, record, attempt, ANNA, parameters=ADDRESS)
    team.round()
    assert only(record).state == "done"
    order = team.shop.now({"id": record.order_ref})
    assert (order["shipping_address"]["address1"], order["shipping_address"]["city"]) == ("Rua Nova 7", "Porto")
    assert only(record).request["before"]["city"] != "Porto"


def test_an_action_of_ones_own_runs_beside_the_playbook(team: Team) -> None:
    record, _ = planned(team, SUGGESTED)
    own = run_action(
        exception_id=record.pk, kind="shopify_tag", parameters={"tags": ["mine"]}, by=ANNA, now=team.clock()
    )
    assert (own.state, own.actor, own.plan_id) == ("planned", "user:anna", None)
    team.round()
    assert states(record) == [("shopify_tag", "suggested"), ("shopify_tag", "done")]


def test_an_operators_refund_waits_for_a_manager_and_a_managers_counts_as_the_first_word(team: Team) -> None:
    record = exception_of(team.shop.open())
    attempt = run_action(exception_id=record.pk, kind="shopify_refund", parameters={}, by=ANNA, now=team.clock())
    assert (attempt.state, attempt.approver, Approval.objects.count()) == ("awaiting", "manager", 0)
    decide(team, reject, record, attempt, MAX)
    attempt = run_action(exception_id=record.pk, kind="shopify_refund", parameters={}, by=MAX, now=team.clock())
    assert attempt.state == "planned"
    with pytest.raises(NeedsPerson):
        run_action(exception_id=record.pk, kind="shopify_cancel", parameters=CANCEL, by=KEY, now=team.clock())


def test_what_cannot_be_undone_is_not_written_down_twice(team: Team) -> None:
    record = exception_of(team.shop.open())
    cancel = partial(run_action, kind="shopify_cancel", parameters=CANCEL, by=MAX, now=team.clock())
    cancel(exception_id=record.pk)
    other = exception_of({"id": record.order_ref, "total_price": "1.00", "currency": "EUR"}, "PAYMENT_DELAY")
    for pk in (record.pk, other.pk):
        with pytest.raises(NotNow, match="cannot be undone; it is not done twice"):
            cancel(exception_id=pk)
    assert Attempt.objects.count() == 1


REFUSED: list[tuple[dict[str, Any], Callable[..., Any], type[ProblemError]]] = [
    (resolved(), partial(approve, by=ANNA), NotNow),
    (resolved(), partial(reject, by=ANNA), NotNow),
    ({"verdict": "none"}, partial(approve, by=ANNA), NotNow),
    ({"history": True}, partial(approve, by=ANNA), NotNow),
]


@pytest.mark.parametrize(("columns", "act", "error"), REFUSED)
def test_a_refused_decision_changes_nothing(
    team: Team, columns: dict[str, Any], act: Callable[..., Any], error: type[ProblemError]
) -> None:
    record, attempt = planned(team, SUGGESTED)
    ExceptionRecord.objects.update(**columns)
    told = kinds(record)
    with pytest.raises(error):
        act(exception_id=record.pk, attempt_id=attempt.pk, now=team.clock())
    assert (model_to_dict(only(record)), kinds(record)) == (model_to_dict(attempt), told)


def test_what_is_not_there_is_not_found(team: Team) -> None:
    record, attempt = planned(team, SUGGESTED)
    other = exception_of(team.shop.held("INCORRECT_ADDRESS"))
    with pytest.raises(NoSuchAttempt):
        decide(team, approve, other, attempt, ANNA)
    with pytest.raises(NoSuchException):
        approve(exception_id=2**40, attempt_id=attempt.pk, by=ANNA, now=team.clock())
    assert only(record).state == "suggested"


@pytest.mark.parametrize(
    ("kind", "parameters", "field"),
    [
        ("shopify_explode", {}, "kind"),
        ("shopify_tag", {}, "parameters.tags"),
        ("shopify_tag", {"tags": ["a,b"]}, "parameters.tags"),
        ("shopify_tag", {"tags": ["a"], "x": 1}, "parameters.x"),
        ("shopify_refund", {"amount_cents": 0}, "parameters.amount_cents"),
        ("shopify_address", {"address": {"city": "x"}}, "parameters.address"),
        ("email_customer", {"subject": "{password}", "text": "x"}, "parameters.subject"),
        ("shopify_hold", {"reason": "BAD"}, "parameters.reason"),
    ],
)
def test_an_action_with_a_wrong_value_is_refused_at_the_field(
    team: Team, kind: str, parameters: dict[str, Any], field: str
) -> None:
    record = exception_of(team.shop.open())
    with pytest.raises(WrongAction) as wrong:
        run_action(exception_id=record.pk, kind=kind, parameters=parameters, by=MAX, now=team.clock())
    assert list(wrong.value.errors) == [field]
    assert Attempt.objects.count() == 0


def test_a_stopped_playbook_goes_on_by_a_persons_word(team: Team) -> None:
    record = exception_of(team.shop.held("INCORRECT_ADDRESS"), resolution_attempts=3)
    playbook(team.tenant, RELEASE)
    team.round()
    assert Plan.objects.get().state == "blocked"
    unblock(exception_id=record.pk, by=ANNA, now=team.clock(), reason="looked at it")
    team.round()
    record.refresh_from_db()
    assert (states(record), record.resolution_blocked, record.resolution_attempts) == (
        [("shopify_release", "expecting")], False, 1,
    )  # fmt: skip
    with pytest.raises(NotNow, match="not stopped"):
        unblock(exception_id=record.pk, by=ANNA, now=team.clock())


def in_threads(*acts: Callable[[], Any]) -> list[Any]:
    """Each on a connection of its own, all at once; what each returned or raised."""
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int) -> None:
        try:
            with schema_context("acme"):
                barrier.wait(timeout=10)
                results[place] = acts[place]()
        except Exception as error:
            results[place] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


@pytest.fixture
def racing(committed: None, tmp_path: Path) -> Team:
    tenant = Tenant.objects.get(slug="acme")
    source_of(tenant)
    return Team(tenant, shop_at(tmp_path))


def test_of_those_who_decide_at_once_one_has_the_effect(racing: Team) -> None:
    with schema_context("acme"):
        record, attempt = planned(racing, SUGGESTED)
    decisions = [
        partial(decide, racing, act, record, attempt, by)
        for act, by in ((approve, ANNA), (approve, BEN), (reject, MAX))
    ]
    results = in_threads(*decisions)
    assert sorted(type(result).__name__ for result in results) == ["Attempt", "NotNow", "NotNow"]
    with schema_context("acme"):
        assert TimelineEntry.objects.filter(kind__in=["action_approved", "action_rejected"]).count() == 1


def test_two_words_at_once_are_two_and_the_action_runs_once(racing: Team) -> None:
    with schema_context("acme"):
        record, attempt = planned(racing, refund(two_people_above_cents=1))
    results = in_threads(*[partial(decide, racing, approve, record, attempt, by) for by in (MAX, MIA)])
    assert [type(result).__name__ for result in results] == ["Attempt", "Attempt"]
    with schema_context("acme"):
        racing.round()
        assert (only(record).state, racing.shop.mutations()) == ("done", ["refundCreate"])


def test_two_workers_do_one_action_once(racing: Team) -> None:
    with schema_context("acme"):
        records = [exception_of(order) for order in racing.shop.orders()[:6]]
        for record in records:
            run_action(
                exception_id=record.pk, kind="shopify_tag", parameters={"tags": ["x"]}, by=ANNA, now=racing.clock()
            )

    def worker() -> int:
        done = 0
        while attempt := claim_attempt(now=racing.clock()):
            run_attempt(racing.desk(), attempt)
            done += 1
        return done

    assert sum(in_threads(worker, worker, worker)) == len(records)
    with schema_context("acme"):
        assert set(Attempt.objects.values_list("state", flat=True)) == {"done"}
        assert len(racing.shop.mutations()) == len(records)


def test_resolving_while_an_action_is_prepared_keeps_it_from_being_sent(racing: Team) -> None:
    with schema_context("acme"):
        record = exception_of(racing.shop.open())
        run_action(exception_id=record.pk, kind="shopify_tag", parameters={"tags": ["x"]}, by=ANNA, now=racing.clock())

        def resolve_meanwhile(asked: str) -> None:
            if asked == "order":
                services.resolve_exception(
                    exception_id=record.pk, resolution="manual", actor="user:ben", now=racing.clock()
                )

        racing.shop.after = resolve_meanwhile
        racing.round()
        assert (only(record).state, racing.shop.mutations()) == ("ended", [])


def test_resolving_while_an_action_runs_lets_it_end_and_keeps_the_persons_word(racing: Team) -> None:
    with schema_context("acme"):
        record = exception_of(racing.shop.held("INCORRECT_ADDRESS"))
        playbook(racing.tenant, RELEASE)

        def resolve_meanwhile(asked: str) -> None:
            if asked == "fulfillmentOrderReleaseHold":
                services.resolve_exception(
                    exception_id=record.pk, resolution="manual", actor="user:ben", now=racing.clock()
                )

        racing.shop.after = resolve_meanwhile
        racing.round()
        racing.round()
        record.refresh_from_db()
        assert (record.resolution, only(record).state, Plan.objects.get().state) == ("manual", "expecting", "ended")


def test_a_person_who_resolves_and_a_playbook_that_does_leave_one_resolution(racing: Team) -> None:
    with schema_context("acme"):
        record = exception_of(racing.shop.held("INCORRECT_ADDRESS"))
        playbook(racing.tenant, RELEASE)
        racing.round()
        attempt = only(record)
    person = partial(
        services.resolve_exception, exception_id=record.pk, resolution="manual", actor="user:ben", now=racing.clock()
    )
    by_person, by_playbook = in_threads(person, partial(fulfil, attempt.pk, "x", racing.clock()))
    assert by_playbook == 1
    with schema_context("acme"):
        record.refresh_from_db()
        assert record.timeline.filter(kind="resolved").count() == 1
        assert record.resolution == ("action" if isinstance(by_person, ImpossibleChange) else "manual")
