"""Steps of a playbook: what is wrong with them, in sentences; the defaults; versions."""

from typing import Any

import pytest
from django_tenants.utils import schema_context

from e2a.errors import ProblemError
from exceptions.choices import Reason
from exceptions.playbooks.catalogue import ACTION_KINDS
from exceptions.playbooks.channels import CHANNELS
from exceptions.playbooks.channels.shopify_calls import BUILDERS
from exceptions.playbooks.channels.shopify_traces import TRACES
from exceptions.playbooks.defaults import Targets, default_playbooks
from exceptions.playbooks.library import Overtaken, WrongPlaybook, install_defaults, save_playbook, switch_playbook
from exceptions.playbooks.models import Playbook
from exceptions.playbooks.parameters import filled
from exceptions.playbooks.steps import Step, StepsError, applies, approvals_needed, parse_steps, steps_to_json
from tenants.models import Tenant
from tests.exceptions.cast import NOW
from tests.exceptions.deliveries.test_sending import target
from tests.exceptions.playbooks.cast import TAG, step

CANCEL = step("shopify_cancel", "approve", parameters={"reason": "OTHER"})


def test_every_kind_has_its_channel_its_call_and_its_trace() -> None:
    shopify = {name for name, kind in ACTION_KINDS.items() if kind.channel == "shopify"}
    assert {kind.channel for kind in ACTION_KINDS.values()} == set(CHANNELS)
    assert shopify == set(BUILDERS) == set(TRACES)
    assert {name for name, kind in ACTION_KINDS.items() if kind.irreversible} == {"shopify_cancel", "shopify_refund"}


@pytest.mark.parametrize(
    ("item", "key", "sentence"),
    [
        ({"kind": "dance", "mode": "off"}, "kind", "Choose one of shopify_hold"),
        (TAG | {"mode": "always"}, "mode", "Choose one of off, suggest, approve, automatic."),
        (CANCEL | {"mode": "automatic"}, "mode", "“Cancel the order” cannot be undone, so it needs a person"),
        (TAG | {"approver": "boss"}, "approver", "Choose one of operator, manager."),
        (TAG | {"two_people_above_cents": -1}, "two_people_above_cents", "Give a sum in cents"),
        (TAG | {"delay_minutes": 1.5}, "delay_minutes", "Give whole minutes"),
        (TAG | {"expects": ["order_packed"]}, "within_minutes", "Say within how many whole minutes"),
        (TAG | {"expects": ["dance"], "within_minutes": 5}, "expects", "Give a list of event types"),
        (TAG | {"within_minutes": 5}, "expects", "Say which event is expected"),
        (step("wait"), "expects", "A step that waits must say for which event."),
        (TAG | {"when": {"mood": "bad"}}, "when", "“mood” is no condition"),
        (TAG | {"when": {"order_status": ["LOST"]}}, "when.order_status", "Give a list among CREATED"),
        (TAG | {"when": {"severity_at_least": "HUGE"}}, "when.severity_at_least", "Choose one of LOW"),
        (TAG | {"parameters": {}}, "parameters.tags", "“Tags” is missing."),
        (TAG | {"colour": "red"}, "colour", "There is no such key"),
        ("tag", "", "A step is an object"),
    ],
)
def test_a_wrong_step_gets_a_sentence_at_its_place(item: Any, key: str, sentence: str) -> None:
    with pytest.raises(StepsError) as wrong:
        parse_steps([TAG, item])
    place = f"steps.1.{key}" if key else "steps.1"
    assert list(wrong.value.errors) == [place]
    assert wrong.value.errors[place][0].startswith(sentence)


@pytest.mark.parametrize("steps", [[], "x", [TAG] * 13, None])
def test_a_playbook_has_one_to_twelve_steps(steps: Any) -> None:
    with pytest.raises(StepsError, match="1 to 12 steps"):
        parse_steps(steps)


def test_nothing_changes_an_order_after_it_was_cancelled() -> None:
    slack = step("slack", parameters={"target": "x", "text": "gone"})
    assert len(parse_steps([TAG, CANCEL, slack])) == 3
    with pytest.raises(StepsError, match="cancel it in the last such step"):
        parse_steps([CANCEL, TAG])


def test_steps_go_to_json_and_back() -> None:
    for _, steps in default_playbooks(Targets("s", "t", "w")).values():
        parsed = parse_steps(list(steps))
        assert parse_steps(steps_to_json(parsed)) == parsed


def test_conditions_hold_what_they_say() -> None:
    high = Step("shopify_tag", when={"severity_at_least": "HIGH", "order_status": ["PAID"]})
    some = Step("shopify_tag", when={"value_at_least_cents": 100, "value_below_cents": 200})
    assert applies(high, severity="CRITICAL", order_status="PAID", value_cents=None)
    assert not applies(high, severity="MEDIUM", order_status="PAID", value_cents=None)
    assert not applies(high, severity="HIGH", order_status="PACKED", value_cents=None)
    values = [
        applies(some, severity="LOW", order_status="PAID", value_cents=cents) for cents in (None, 99, 100, 199, 200)
    ]
    assert values == [False, False, True, True, False]


def test_two_people_above_the_sum_and_where_nobody_knows_it() -> None:
    refund = Step("shopify_refund", mode="approve", two_people_above_cents=1000)
    assert [approvals_needed(refund, cents) for cents in (1000, 1001, None)] == [1, 2, 2]
    assert approvals_needed(Step("shopify_refund", mode="suggest", two_people_above_cents=1), 99) == 0
    assert approvals_needed(Step("email_customer", mode="approve", two_people_above_cents=1), None) == 1


def test_placeholders_are_filled_once() -> None:
    assert filled("{order}: {reason} {other}", {"order": "{reason}", "reason": "late"}) == "{reason}: late {other}"


def test_defaults_are_installed_once_and_use_the_targets_that_there_are(in_acme: Tenant, globex: Tenant) -> None:
    target(in_acme, "slack", "ops-slack")
    made = install_defaults(tenant=in_acme, actor="platform", now=NOW)
    assert set(made) == set(Reason.values) - {"SOURCE_SILENT", "ORDERS_MISSING"}
    assert install_defaults(tenant=in_acme, actor="platform", now=NOW) == []
    stock = Playbook.objects.get(reason_code="INVENTORY_SHORTAGE")
    assert (stock.steps[0]["kind"], stock.steps[0]["parameters"]["target"]) == ("slack", "ops-slack")
    irreversible = [
        item for book in Playbook.objects.all() for item in book.steps if ACTION_KINDS[item["kind"]].irreversible
    ]
    assert irreversible and {item["mode"] for item in irreversible} == {"approve"}
    with schema_context("globex"):
        assert Playbook.objects.count() == 0


def save(tenant: Tenant, **more: Any) -> Playbook:
    given = {
        "reason_code": "PAYMENT_DELAY",
        "name": "remind",
        "steps": [TAG],
        "enabled": True,
        "actor": "user:max",
        "now": NOW,
    }
    return save_playbook(tenant=tenant, **{**given, **more})


def test_a_change_is_a_new_version_and_an_overtaken_one_is_refused(in_acme: Tenant) -> None:
    assert save(in_acme, based_on=0).version == 1
    assert save(in_acme, based_on=1, note="better").version == 2
    with pytest.raises(Overtaken):
        save(in_acme, based_on=1)
    assert (
        switch_playbook(tenant=in_acme, reason_code="PAYMENT_DELAY", enabled=False, actor="user:max", now=NOW).version
        == 3
    )
    assert list(Playbook.objects.order_by("version").values_list("enabled", flat=True)) == [True, True, False]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reason_code": "RAIN"}, "reason_code"),
        ({"name": "Bad Name"}, "name"),
        ({"steps": [TAG, {}]}, "steps.1.kind"),
        ({"steps": [step("slack", parameters={"target": "nowhere", "text": "x"})]}, "steps.0.parameters.target"),
    ],
)
def test_a_wrong_playbook_is_refused_and_not_kept(in_acme: Tenant, given: dict[str, Any], field: str) -> None:
    with pytest.raises(WrongPlaybook) as wrong:
        save(in_acme, **given)
    problem: ProblemError = wrong.value
    assert (list(problem.errors), Playbook.objects.count()) == ([field], 0)


def test_a_target_of_another_tenant_is_none(in_acme: Tenant, globex: Tenant) -> None:
    target(globex, "slack", "theirs")
    with pytest.raises(WrongPlaybook, match="cannot be used"):
        save(in_acme, steps=[step("slack", parameters={"target": "theirs", "text": "x"})])
