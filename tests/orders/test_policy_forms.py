"""The forms of a policy: what is shown and sent back unchanged says the same; what is wrong stands at its field."""

from typing import Any

import pytest
from django.http import QueryDict

from orders.pages.policy.calendar_fields import CalendarForm
from orders.pages.policy.days_off import DayOffForm
from orders.pages.policy.raise_form import RaiseForm
from orders.pages.policy.rule_form import RuleForm
from orders.pages.policy.weights_fields import WeightsForm
from orders.pages.policy.words_field import line_of, words_of
from tenants.policy import parse_policy
from tenants.policy_form import read_what_can_be
from tests.orders.policy_cast import as_posted, whole
from tests.tenants.calendar_cast import FORMS

CALENDARS = ["lisbon", "sao_paulo"]
RULES: list[dict[str, Any]] = [
    *whole()["rules"],
    {"name": "All", "targets": {}},
    {"name": "Value", "when": {"order_value": {"currency": "JPY", "below_cents": 9000}}, "targets": {"delivery": {"hours": 0.5}}},
    {"name": "Commas", "when": {"sku": ['a,b', 'c"d', "e"], "tag": "one"}, "targets": {"inventory_check": None}},
    {"name": "Only", "targets": {"delivery": None}, "pauses": {"holds": {"only": ["FRAUD", "OTHER"], "except": ["other"]}}},
    {"name": "Days", "targets": {"order_fulfillment": {"cutoff": "09:30", "working_days": 2, "calendar": "sao_paulo", "warn": {"before_hours": 1.5}}}},
    {"name": "Window", "targets": {"delivery": {"promise": "delivery_window", "warn": {"share": 1 / 3, "open_exception": True}}}},
    {"name": "Problems", "targets": {}, "pauses": {"problems": ["ADDRESS_INVALID", "PAYMENT_FAILED"]}},
]  # fmt: skip


def policy_with(rule: Any) -> dict[str, Any]:
    return {**whole(), "rules": [rule]}


def rule_form(data: Any, **words: Any) -> RuleForm:
    return RuleForm(data, calendars=CALENDARS, **words)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_rule_that_is_sent_back_as_shown_says_the_same(rule: Any) -> None:
    shown = rule_form(None, rule=rule)
    form = rule_form(as_posted(shown, *shown.targets))
    assert form.is_valid(), form.errors
    [was], [now] = (parse_policy(policy_with(each)).rules for each in (rule, form.rule()))
    assert now.name == was.name and now.when == was.when and now.excluded == was.excluded
    assert (
        now.pausing.counts(["FRAUD"]) == was.pausing.counts(["FRAUD"]) and now.pausing.problems == was.pausing.problems
    )
    assert now.targets.keys() == was.targets.keys()
    for stage, target in was.targets.items():
        assert almost(now.targets[stage]) == almost(target)


def almost(target: Any) -> Any:
    """A share of time is shown in percent."""
    warn = target.warn
    return target._replace(warn=warn._replace(share=round(warn.share, 6))) if warn and warn.share else target


@pytest.mark.parametrize(
    ("changed", "form_of", "field", "sentence"),
    [
        ({"name": ""}, "", "name", "A rule needs a name."),
        ({"value_from": "ten", "value_currency": "eur"}, "", "value_from", "“ten” is no amount of EUR"),
        ({"value_from": "10.001", "value_currency": "EUR"}, "", "value_from", "“10.001” is no amount"),
        ({"value_currency": "euro"}, "", "value_currency", "at most 3 characters"),
        ({"value_currency": "EU"}, "", "value_currency", "It must be a currency such as EUR"),
        ({"value_from": "100", "value_below": "50", "value_currency": "EUR"}, "", "value_below", "It must be more"),
        ({"value_from": "100"}, "", "value_currency", "Of which currency?"),
        ({"holds": "only", "hold_reasons": ""}, "", "hold_reasons", "The list is empty"),
        ({"excluded": "x" * 220}, "", "excluded", "at most 200 characters"),
        ({"delivery__kind": "length", "delivery__amount": "-3"}, "delivery", "amount", "greater than 0, not -3"),
        ({"delivery__kind": "length", "delivery__amount": "soon"}, "delivery", "amount", "greater than 0, not 'soon'"),
        ({"delivery__kind": "working", "delivery__amount": "nan"}, "delivery", "amount", "greater than 0"),
        ({"delivery__kind": "cutoff", "delivery__cutoff": "25:00"}, "delivery", "cutoff", "a time of day such as 14:00"),
        ({"delivery__kind": "cutoff", "delivery__cutoff": "18:30"}, "delivery", "cutoff", "closes at 18:00"),
        ({"delivery__kind": "cutoff", "delivery__cutoff": "mon 10:00"}, "delivery", "cutoff", "has no cut-off"),
        ({"delivery__kind": "cutoff", "delivery__cutoff": "9:00", "delivery__days": "99"}, "delivery", "days", "from 0 to 60"),
        ({"delivery__warn": "share", "delivery__warn_amount": "100"}, "delivery", "warn_amount", "less than 100 %"),
        ({"delivery__warn": "before_hours", "delivery__warn_amount": ""}, "delivery", "warn_amount", "greater than 0"),
        ({"delivery__kind": "working", "delivery__calendar": "gone"}, "delivery", "calendar", "Select a valid choice"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_rule_stands_at_its_field(changed: Any, form_of: str, field: str, sentence: str) -> None:
    shown = rule_form(None, rule={"name": "Some", "targets": {}})
    form = rule_form(as_posted(shown, *shown.targets, **changed))
    if form.is_valid():
        form.blame(read_what_can_be(policy_with(form.rule()))[1], "rules[0]")
    blamed = next((target for target in form.targets if target.prefix == form_of), form)
    assert sentence in " ".join(blamed.errors.get(field, [])), blamed.errors


@pytest.mark.parametrize("line", ["", "a", "a, b", '"a,b", c', 'x"y'])
def test_words_in_a_line_survive_being_shown(line: str) -> None:
    assert words_of(line_of(words_of(line))) == words_of(line)


def test_words_are_each_taken_once() -> None:
    assert words_of(' a , "b, c",a,, ') == ["a", "b, c"]


@pytest.mark.parametrize("name", sorted(FORMS))
def test_calendar_that_is_sent_back_as_shown_says_the_same(name: str) -> None:
    rules = {
        "rules": [{"name": "All", "targets": {}}],
        "calendars": {name: FORMS[name], "utc": FORMS["utc"]},
        "default_calendar": name,
    }
    form = CalendarForm(as_posted(CalendarForm(rules=rules, old_name=name)), rules=rules, old_name=name)
    assert form.is_valid(), form.errors
    was, now = parse_policy(rules), parse_policy(form.policy())
    assert (now.calendars, now.default_calendar) == (was.calendars, was.default_calendar)


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"name": ""}, "name", "A calendar needs a name."),
        ({"name": "sao_paulo"}, "name", "Another calendar is called so"),
        ({"timezone": "Lisbon"}, "timezone", "'Lisbon' is no time zone"),
        ({"mon": "09:00-13:00, 12:00-18:00"}, "mon", "The windows 09:00-13:00 and 12:00-18:00 overlap"),
        ({"tue": "18:00-09:00"}, "tue", "ends before it begins"),
        ({"wed": "nine to five"}, "wed", "a window such as 09:00-17:30"),
        ({"country": "XX"}, "country", "'XX' is no country whose holidays are known"),
        ({"country": "DE", "subdivision": "XX"}, "subdivision", "DE has no subdivision 'XX'"),
        (dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), ""), "mon", "closed on all seven days"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_calendar_stands_at_its_field(changed: Any, field: str, sentence: str) -> None:
    rules = whole()
    form = CalendarForm(
        as_posted(CalendarForm(rules=rules, old_name="lisbon"), **changed), rules=rules, old_name="lisbon"
    )
    assert not form.is_valid() and sentence in " ".join(form.errors[field])


def test_renamed_calendar_keeps_whoever_names_it() -> None:
    rules = whole()
    data = as_posted(CalendarForm(rules=rules, old_name="sao_paulo"), name="Brazil, south", warehouses="GRU, LIS1")
    form = CalendarForm(data, rules=rules, old_name="sao_paulo")
    assert form.is_valid(), form.errors
    policy = parse_policy(form.policy())
    assert sorted(policy.calendars) == ["Brazil, south", "lisbon"]
    assert policy.warehouses == {"gru": "Brazil, south", "lis1": "Brazil, south"}
    assert policy.rules[2].targets["shipping_preparation"].calendar == "Brazil, south"  # type: ignore[union-attr]


def test_weights_that_are_sent_back_as_shown_say_the_same() -> None:
    rules = whole()
    rules["severity"]["stages"]["order_fulfillment"] = [
        {"severity": "LOW"}, {"severity": "MEDIUM", "after_minutes": 30}, {"severity": "HIGH", "after_hours": 2},
    ]  # fmt: skip
    rules["severity"]["stages"]["payment_processing"] = [
        {"severity": "LOW"},
        {"severity": "HIGH", "after_targets": 1.5},
    ]
    shown = WeightsForm(rules=rules)
    form = WeightsForm(as_posted(*shown.parts), rules=rules)
    assert form.is_valid(), [part.errors for part in form.parts]
    was, now = parse_policy(rules), parse_policy(form.policy())
    assert (now.severity, now.priority) == (was.severity, was.priority)
    assert now.max_resolution_attempts == was.max_resolution_attempts


@pytest.mark.parametrize(
    ("changed", "form_of", "field", "sentence"),
    [
        ({"delivery__HIGH": "72"}, "delivery", "CRITICAL", "later than the one before it"),
        ({"delivery__CRITICAL": "soon"}, "delivery", "CRITICAL", "greater than 0"),
        ({"payment_processing__HIGH": "3"}, "payment_processing", "first", "How bad is it to be late at all?"),
        ({"delivery__first": "CRITICAL"}, "delivery", "CRITICAL", "more severe than the one before it"),
        ({"points__LOW": "-1"}, "", "points-LOW", "from 0 to 1000"),
        ({"points__PAYMENT_DELAY": "many"}, "", "points-PAYMENT_DELAY", "from 0 to 1000"),
        ({"tiers": "gold"}, "", "tiers", "from 0 to 1000"),
        ({"repeat": "1.5"}, "", "repeat", "from 0 to 1000"),
        ({"attempts": "0"}, "", "attempts", "from 1 to 100"),
        ({"value1__points": "5"}, "value1", "value_currency", "Of which currency?"),
        ({"value0__value_below": "1"}, "value0", "value_below", "It must be more"),
        ({"value0__points": "x"}, "value0", "points", "from 0 to 1000"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_weights_stands_at_its_field(
    changed: Any, form_of: str, field: str, sentence: str
) -> None:
    rules = whole()
    form = WeightsForm(as_posted(*WeightsForm(rules=rules).parts, **changed), rules=rules)
    assert not form.is_valid()
    blamed = next((part for part in form.parts if part.prefix == form_of), form)
    assert sentence in " ".join(blamed.errors.get(field, [])), [part.errors for part in form.parts]


def test_orders_that_count_more_need_a_condition() -> None:
    form = RaiseForm(QueryDict("by=2"))
    assert not form.is_valid() and "It asks for nothing" in " ".join(form.non_field_errors())
    assert RaiseForm(QueryDict("by=2&customer_tier=gold, vip")).is_valid()


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ("name=&first=2026-12-28", "name", "It must be a text"),
        ("name=x&first=", "first", "It must be a date"),
        ("name=x&first=2026-12-28&last=2026-12-01", "last", "on or after the day it is from"),
        ("name=x&first=2026-12-28&yearly=on&last_year=1900", "last_year", "from 1970 to 2150"),
    ],
)
def test_what_is_wrong_in_a_day_off_stands_at_its_field(typed: str, field: str, sentence: str) -> None:
    form = DayOffForm(QueryDict(typed))
    assert not form.is_valid() and sentence in " ".join(form.errors[field])
