"""A policy with one thing changed: the change is there, all else stays, and what was given is not altered."""

from copy import deepcopy
from typing import Any

import pytest

from orders.simulator.changes import calendar_names, rule_names, with_calendar, with_target
from tenants.policy import DEFAULT_RULES, parse_policy
from tenants.targets import Length, Promise, Warn
from tests.tenants.calendar_cast import FORMS

POLICY: dict[str, Any] = {
    "calendars": {"lisbon": FORMS["lisbon"]},
    "rules": [
        {"name": "Preorders", "when": {"tag": "preorder"}, "excluded": "They ship later."},
        {"name": "Express", "when": {"shipping_service": "express"}, "targets": {"order_fulfillment": {"hours": 4, "warn": {"share": 0.5}}}},
        {"name": "Others", "targets": {"order_fulfillment": {"hours": 24}, "delivery": None}},
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def unaltered() -> Any:
    before = deepcopy(POLICY)
    yield
    assert before == POLICY


def fulfilment(rules: Any) -> list[Any]:
    return [rule.targets.get("order_fulfillment") for rule in parse_policy(rules).rules]


def test_target_of_one_rule_keeps_its_warning_and_the_others() -> None:
    changed = with_target(POLICY, "order_fulfillment", {"working_hours": 2, "calendar": "lisbon"}, rule="Express")
    assert fulfilment(changed) == [None, Length(7200, "lisbon", Warn(0.5)), Length(86_400)]
    assert {**changed, "rules": None} == {**POLICY, "rules": None}


def test_target_of_every_rule_leaves_out_what_is_excluded() -> None:
    assert fulfilment(with_target(POLICY, "order_fulfillment", {"hours": 1})) == [
        None,
        Length(3600, warn=Warn(0.5)),
        Length(3600),
    ]
    assert fulfilment(with_target(POLICY, "order_fulfillment", None)) == [None, None, None]


def test_flat_policy_becomes_one_rule_that_says_the_same() -> None:
    changed = parse_policy(with_target(DEFAULT_RULES, "shipping_preparation", {"minutes": 90}))
    [rule] = changed.rules
    assert dict(rule.targets) == {**parse_policy(DEFAULT_RULES).flat.targets, "shipping_preparation": Length(5400)}
    assert rule.targets["delivery"] == Promise()


def test_calendar_is_replaced_or_added() -> None:
    changed = parse_policy(with_calendar(POLICY, "lisbon", FORMS["sao_paulo"]))
    assert changed.calendars["lisbon"].timezone == "America/Sao_Paulo"
    assert calendar_names(with_calendar(DEFAULT_RULES, "new", FORMS["lisbon"])) == ["new"]


def test_names_to_choose_from() -> None:
    assert (rule_names(POLICY), calendar_names(POLICY)) == (["Express", "Others"], ["lisbon"])
    assert calendar_names(DEFAULT_RULES) == []
