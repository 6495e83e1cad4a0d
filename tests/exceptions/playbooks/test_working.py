"""Playbooks at work: from a fresh exception to what its order says afterwards."""

from pathlib import Path

import pytest
from django_tenants.utils import schema_context

from exceptions.models import ExceptionRecord
from exceptions.playbooks.models import Attempt, Plan
from exceptions.playbooks.planning import ALL_TRIED
from exceptions.playbooks.working import schemas_with_work
from tenants.models import Tenant
from tests.exceptions.cast import kinds, resolved
from tests.exceptions.playbooks.cast import (
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
    tell,
)

WAIT = step("wait", expects=["order_fulfilled"], within_minutes=10)


@pytest.fixture
def team(in_acme: Tenant, tmp_path: Path) -> Team:
    source_of(in_acme)
    return Team(in_acme, shop_at(tmp_path))


def test_an_exception_is_solved_by_an_action_and_verified_by_the_orders_own_event(team: Team) -> None:
    order = team.shop.held("INCORRECT_ADDRESS")
    record = exception_of(order)
    playbook(team.tenant, TAG, RELEASE)
    done = team.round()
    assert (done.planned, done.run) == (1, 2)
    assert team.shop.mutations() == ["tagsAdd", "fulfillmentOrderReleaseHold"]
    assert "late" in team.shop.now(order)["tags"]
    assert states(record) == [("shopify_tag", "done"), ("shopify_release", "expecting")]
    record.refresh_from_db()
    assert (record.status, record.resolution_attempts, record.max_resolution_attempts) == ("IN_PROGRESS", 1, 3)
    tell(record, "address_corrected", at=team.clock())
    team.round()
    record.refresh_from_db()
    assert (record.status, record.resolution, record.resolved_by) == ("RESOLVED", "action", "playbook")
    attempt = Attempt.objects.get(kind="shopify_release")
    assert (attempt.state, attempt.met_by) == ("fulfilled", "address_corrected (wms/address_corrected-1)")
    assert Plan.objects.get().state == "done"
    assert kinds(record) == [
        "opened", "action_planned", "action_done", "action_planned", "started", "action_done", "expectation_met", "resolved",
    ]  # fmt: skip
    actors = set(record.timeline.exclude(kind="opened").values_list("actor", flat=True))
    assert actors == {"playbook:mend"}


def test_what_was_sent_is_kept_without_secrets(team: Team) -> None:
    record = exception_of(team.shop.held("INCORRECT_ADDRESS"))
    playbook(team.tenant, RELEASE)
    team.round()
    attempt = only(record)
    assert attempt.request is not None
    (call,) = attempt.request["calls"]
    assert call["query"].startswith("mutation E2ARelease") and len(call["variables"]["holdIds"]) == 1
    assert "shpat_" not in str(attempt.request)
    assert attempt.cost.startswith("1 call, about 10 points of ")
    assert (attempt.undo, attempt.answer) == ("Hold the order again.", "The shop took it.")


def test_what_is_missed_leads_to_the_next_step_and_in_the_end_to_a_person(team: Team) -> None:
    record = exception_of(team.shop.held("INCORRECT_ADDRESS"))
    playbook(team.tenant, RELEASE, step("shopify_tag", "suggest", parameters={"tags": ["x"]}))
    team.round()
    team.clock.go(minutes=61)
    team.round()
    assert states(record) == [("shopify_release", "missed"), ("shopify_tag", "suggested")]
    record.refresh_from_db()
    assert (record.status, record.resolution_blocked) == ("IN_PROGRESS", False)
    Plan.objects.update(playbook=playbook(team.tenant, RELEASE))  # its list ends here
    Attempt.objects.filter(kind="shopify_tag").update(state="planned", due_at=team.clock())
    team.round()
    record.refresh_from_db()
    assert (record.status, record.resolution_blocked, record.resolution_blocked_reason) == ("OPEN", True, ALL_TRIED)
    assert kinds(record)[-1] == "resolution_blocked"


def test_a_late_event_fulfils_nothing(team: Team) -> None:
    record = exception_of(team.shop.held("INCORRECT_ADDRESS"))
    playbook(team.tenant, RELEASE)
    team.round()
    sent = team.clock()
    team.clock.go(minutes=90)
    tell(record, "address_corrected", at=team.clock())
    tell(record, "order_fulfilled", at=sent)
    team.round()
    assert states(record) == [("shopify_release", "missed")]


def test_tries_end_at_the_policys_number_and_go_on_by_a_persons_word(team: Team) -> None:
    record = exception_of(team.shop.held("INCORRECT_ADDRESS"), resolution_attempts=3)
    playbook(team.tenant, TAG, RELEASE)
    team.round()
    assert states(record) == [("shopify_tag", "done")]
    record.refresh_from_db()
    assert record.resolution_blocked_reason == "3 actions have tried to solve it, as many as the policy allows."
    assert Plan.objects.get().state == "blocked"


def test_history_and_what_is_over_start_nothing(team: Team) -> None:
    order = team.shop.held("INCORRECT_ADDRESS")
    playbook(team.tenant, TAG)
    for columns in ({"history": True}, resolved(), {"verdict": "none"}):
        ExceptionRecord.objects.all().delete()
        exception_of(order, **columns)
        assert team.round().total == 0
    assert (Attempt.objects.count(), team.shop.sent) == (0, [])


def test_what_the_fold_resolves_ends_what_was_not_started(team: Team) -> None:
    record = exception_of(team.shop.open())
    playbook(team.tenant, step("shopify_tag", "suggest", parameters={"tags": ["x"]}))
    team.round()
    ExceptionRecord.objects.update(status="RESOLVED", resolution="cured", resolved_by="fold", resolved_at=team.clock())
    team.round()
    assert states(record) == [("shopify_tag", "ended")]
    assert (Plan.objects.get().state, kinds(record)[-1]) == ("ended", "action_ended")


def test_what_was_planned_for_later_is_not_done_once_the_exception_is_resolved(team: Team) -> None:
    record = exception_of(team.shop.open())
    playbook(team.tenant, TAG | {"delay_minutes": 30})
    team.round()
    ExceptionRecord.objects.update(**resolved())
    team.clock.go(minutes=31)
    team.round()
    assert (states(record), team.shop.mutations()) == ([("shopify_tag", "ended")], [])


def test_the_orders_own_cure_counts_for_the_action_that_was_waiting(team: Team) -> None:
    record = exception_of(team.shop.held("INCORRECT_ADDRESS"))
    playbook(team.tenant, RELEASE)
    team.round()
    ExceptionRecord.objects.update(
        status="RESOLVED",
        resolution="cured",
        resolved_by="fold",
        resolved_at=team.clock(),
        verdict="over",
        ended_at=team.clock(),
    )
    team.round()
    assert (only(record).state, only(record).met_by) == ("fulfilled", "the order's own events")
    record.refresh_from_db()
    assert record.resolution == "cured"


def test_a_new_occurrence_begins_the_playbook_anew(team: Team) -> None:
    record = exception_of(team.shop.open())
    playbook(team.tenant, TAG)
    team.round()
    ExceptionRecord.objects.update(occurrence_count=2)
    team.round()
    assert states(record) == [("shopify_tag", "done")] * 2
    assert list(Plan.objects.order_by("pk").values_list("occurrence", "state")) == [(1, "done"), (2, "done")]


def test_conditions_and_modes_choose_the_steps(team: Team) -> None:
    record = exception_of(team.shop.open(), severity="MEDIUM")
    off, high = TAG | {"mode": "off"}, TAG | {"when": {"severity_at_least": "HIGH"}}
    dear = TAG | {"when": {"value_at_least_cents": 10**9}}
    playbook(team.tenant, off, high, dear, WAIT)
    team.round()
    assert states(record) == [("wait", "expecting")]
    record.refresh_from_db()
    assert (record.status, record.resolution_attempts) == ("OPEN", 0)  # to wait is no try


def test_without_a_playbook_nothing_happens_and_nothing_is_looked_at_again(team: Team) -> None:
    record = exception_of(team.shop.open())
    assert schemas_with_work(team.clock()) == ["acme"]
    assert team.round().planned == 0
    record.refresh_from_db()
    assert record.planned_occurrence == 1
    assert schemas_with_work(team.clock()) == []


def test_what_cannot_be_done_to_this_order_fails_with_a_sentence_and_goes_on(team: Team) -> None:
    record = exception_of(team.shop.open())
    playbook(team.tenant, RELEASE, TAG)
    team.round()
    assert states(record) == [("shopify_release", "failed"), ("shopify_tag", "done")]
    failed = Attempt.objects.get(state="failed")
    assert failed.outcome == "The order has no hold with the reason INCORRECT_ADDRESS in the shop."
    assert failed.sent_at is None


def test_a_refusal_of_the_shop_is_told_in_its_words(team: Team) -> None:
    record = exception_of(team.shop.held("INCORRECT_ADDRESS"))
    playbook(team.tenant, RELEASE)
    team.shop.desk.change_settings({"act_refuse": 1})
    team.round()
    assert only(record).outcome == "The shop refuses: id: The shop was told to refuse this."
    assert only(record).state == "failed"


def test_a_shop_that_cannot_be_reached_is_tried_again_later(team: Team) -> None:
    record = exception_of(team.shop.open())
    record.order.events.all().delete()  # no event says which shop it is from
    playbook(team.tenant, TAG)
    team.round()
    assert only(record).outcome == "This order comes from no Shopify source whose Admin API is set."


def test_another_tenants_exceptions_and_shop_stay_untouched(team: Team, globex: Tenant) -> None:
    order = team.shop.held("INCORRECT_ADDRESS")
    mine = exception_of(order)
    playbook(team.tenant, TAG)
    with schema_context("globex"):
        theirs = exception_of(order)
        playbook(globex, TAG)
    team.round()
    assert states(mine) == [("shopify_tag", "done")]
    with schema_context("globex"):
        assert (states(theirs), ExceptionRecord.objects.get().planned_occurrence) == ([], 0)
        other = Team(globex, team.shop, team.clock)
        calls = len(team.shop.sent)
        other.round()
        assert only(theirs).outcome == "This order comes from no Shopify source whose Admin API is set."
    assert len(team.shop.sent) == calls
