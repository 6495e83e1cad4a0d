"""The form of rules: what is taken, and what is refused with which sentence at which path."""

from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from orders.problems import PROBLEMS
from orders.stages import REASONS, STAGES
from tenants.calendar_form import calendar_to_json, read_calendar
from tenants.conditions import Condition, Traits, ValueRange
from tenants.days_off import DayOff
from tenants.policy import Policy, PolicyError, parse_policy
from tenants.policy_rules import EVERY_HOLD, PROBLEM_REASONS, STAGE_NAMES, Pausing
from tenants.reading import Form
from tenants.targets import OF_WAREHOUSE, Cutoff, Length, Promise, Warn
from tenants.weights import Bearing, Step, bearing_of
from tenants.weights_form import STAGE_REASONS
from tests.tenants.calendar_cast import FORMS

WHOLE: dict[str, Any] = {
    "rules": [
        {
            "name": "Express",
            "when": {
                "shipping_service": "Express",
                "sales_channel": ["amazon", "Zalando"],
                "tag": ["gift"],
                "order_value": {"currency": "EUR", "at_least_cents": 10_000},
            },
            "targets": {
                "order_fulfillment": {"working_hours": 4, "warn": {"share": 0.75, "open_exception": True}},
                "shipping_preparation": {"minutes": 90, "warn": {"before_minutes": 30}},
                "delivery": None,
            },
            "pauses": {"holds": {"except": ["OTHER"]}, "problems": ["ADDRESS_INVALID"]},
        },
        {"name": "Preorders", "when": {"tag": "preorder"}, "excluded": "Preorders ship when the goods arrive."},
        {
            "name": "Others",
            "targets": {
                "order_fulfillment": {"cutoff": {"mon": "14:00", "tue": "14:00", "wed": "14:00", "thu": "14:00", "fri": "14:00", "sat": "11:00"}},
                "shipping_preparation": {"working_minutes": 30, "calendar": "sao_paulo"},
                "payment_processing": {"promise": "fulfil_by"},
            },
            "pauses": {"holds": False},
        },
    ],
    "calendars": {"lisbon": FORMS["lisbon"], "sao_paulo": FORMS["sao_paulo"]},
    "default_calendar": "lisbon",
    "warehouses": {"LIS1": "lisbon"},
    "severity": {
        "stages": {"delivery": [{"severity": "MEDIUM"}, {"severity": "CRITICAL", "after_hours": 48}]},
        "problems": {"PAYMENT_FAILED": "CRITICAL"},
        "raise": [{"when": {"customer_tier": "gold"}, "by": 1}],
    },
    "priority": {
        "severity": {"CRITICAL": 200},
        "reasons": {"DELIVERY_DELAY": 10},
        "customer_tier": {"Gold": 20},
        "order_value": [{"currency": "EUR", "at_least_cents": 50_000, "points": 15}],
        "repeat": 7,
    },
    "max_resolution_attempts": 5,
}  # fmt: skip


def test_the_whole_form_is_read() -> None:
    policy = parse_policy(WHOLE)
    express, preorders, others = policy.rules
    assert express.when == Condition(
        {"shipping_service": frozenset({"express"}), "sales_channel": frozenset({"amazon", "zalando"})},
        {"tag": frozenset({"gift"})},
        ValueRange("EUR", 10_000),
    )
    assert express.targets == {
        "order_fulfillment": Length(14_400, OF_WAREHOUSE, Warn(0.75, None, True)),
        "shipping_preparation": Length(5_400, None, Warn(None, 1_800)),
    }
    assert express.pausing == Pausing(None, frozenset({"other"}), ("ADDRESS_INVALID",))
    assert (preorders.excluded, preorders.targets) == ("Preorders ship when the goods arrive.", {})
    two, eleven = 14 * 3600, 11 * 3600
    assert others.targets == {
        "order_fulfillment": Cutoff((two, two, two, two, two, eleven, 0)),
        "shipping_preparation": Length(1_800, "sao_paulo"),
        "payment_processing": Promise("fulfil_by"),
        "delivery": Promise("promised_delivery_at"),  # left out, it is the promise
    }
    assert others.pausing == Pausing(frozenset())
    assert policy.warehouses == {"lis1": "lisbon"}
    assert policy.severity.ladders == {"delivery": [Step("MEDIUM"), Step("CRITICAL", 172_800)]}
    assert policy.priority.severity["CRITICAL"] == 200 and policy.priority.severity["LOW"] == 10
    assert policy.max_resolution_attempts == 5


def test_the_flat_form_is_a_policy_of_one_rule() -> None:
    flat = parse_policy({"order_fulfillment_hours": 24})
    one = parse_policy({"rules": [{"name": "All", "targets": {"order_fulfillment": {"hours": 24}}}]})
    assert flat.rule_of(Traits()).targets == one.rule_of(Traits()).targets
    assert flat.rule_of(Traits()).pausing == one.rule_of(Traits()).pausing == EVERY_HOLD


@pytest.mark.parametrize(
    ("traits", "rule"),
    [
        (Traits(shipping_service="EXPRESS", sales_channel="amazon", tag=("Gift",), value_cents=10_000, currency="EUR"), "Express"),
        (Traits(shipping_service="express", sales_channel="amazon", tag=("gift",), value_cents=9_999, currency="EUR"), "Others"),
        (Traits(shipping_service="express", sales_channel="amazon", tag=("gift",), value_cents=10_000, currency="USD"), "Others"),
        (Traits(shipping_service="express", sales_channel="web", tag=("gift",), value_cents=10_000, currency="EUR"), "Others"),
        (Traits(shipping_service="express", sales_channel="amazon", value_cents=10_000, currency="EUR"), "Others"),
        (Traits(shipping_service="express", sales_channel="amazon", tag=("gift",)), "Others"),
        (Traits(tag=("preorder", "gift")), "Preorders"),
        (Traits(), "Others"),
    ],
)  # fmt: skip
def test_first_rule_that_takes_the_order_counts(traits: Traits, rule: str) -> None:
    assert parse_policy(WHOLE).rule_of(traits).name == rule


def test_warehouse_chooses_the_calendar() -> None:
    policy = parse_policy({**WHOLE, "warehouses": {"GRU": "sao_paulo"}})
    zones = []
    for warehouse in ("gru", "GRU", "unknown", ""):
        calendar = policy.calendar_of(Length(60, OF_WAREHOUSE), warehouse)
        assert calendar is not None
        zones.append(calendar.hours.timezone)
    assert zones == ["America/Sao_Paulo", "America/Sao_Paulo", "Europe/Lisbon", "Europe/Lisbon"]
    assert policy.calendar_of(Length(60), "GRU") is policy.calendar_of(Promise(), "GRU") is None


def test_what_an_order_adds_to_its_exceptions() -> None:
    policy = parse_policy(WHOLE)
    bearings = [
        bearing_of(traits, policy.severity, policy.priority)
        for traits in (Traits(customer_tier="GOLD", value_cents=50_000, currency="EUR"), Traits(customer_tier="silver"))
    ]
    assert bearings == [Bearing(1, 20, 15), Bearing()]


def test_names_are_those_of_the_fold() -> None:
    assert tuple(stage.name for stage in STAGES) == STAGE_NAMES
    assert tuple(REASONS.values()) == STAGE_REASONS
    known = {problem.reason for problem in PROBLEMS}
    assert set(PROBLEM_REASONS) == known - {"SOURCE_SILENT", "ORDERS_MISSING"}


MISSING: Any = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    """The whole form with one value replaced, or taken out."""
    form: Any = deepcopy(WHOLE)
    *parents, last = path.replace("[", ".").replace("]", "").split(".")
    at = form
    for key in parents:
        at = at[int(key)] if isinstance(at, list) else at[key]
    if value is MISSING:
        del at[last]
    else:
        at[int(last) if isinstance(at, list) else last] = value
    return dict(form)


def errors_of(form: Any) -> dict[str, list[str]]:
    with pytest.raises(PolicyError) as refused:
        parse_policy(form)
    return refused.value.errors


LIS = "calendars.lisbon"
FULFIL = "rules[0].targets.order_fulfillment"
# what is changed, to what, where it is refused, a part of the sentence
REFUSED = [
    (f"{LIS}.timezone", "Mars/Base", f"{LIS}.timezone", "'Mars/Base' is no time zone; use an IANA name such as Europe/Lisbon."),
    (f"{LIS}.timezone", None, f"{LIS}.timezone", "is no time zone"),
    (f"{LIS}.weekly", {}, f"{LIS}.weekly", "closed on all seven days"),
    (f"{LIS}.weekly.mon", ["09:00-13:00", "12:59-18:00"], f"{LIS}.weekly.mon", "The windows 09:00-13:00 and 12:59-18:00 overlap"),
    (f"{LIS}.weekly.mon", ["18:00-09:00"], f"{LIS}.weekly.mon[0]", "ends before it begins"),
    (f"{LIS}.weekly.mon", ["09:00-09:00"], f"{LIS}.weekly.mon[0]", "ends before it begins"),
    (f"{LIS}.weekly.mon", ["9-17"], f"{LIS}.weekly.mon[0]", "It must be a window such as 09:00-17:30"),
    (f"{LIS}.weekly.mon", ["09:00-24:01"], f"{LIS}.weekly.mon[0]", "at most until 24:00"),
    (f"{LIS}.weekly.mon", "09:00-17:00", f"{LIS}.weekly.mon", "It must be a list"),
    (f"{LIS}.weekly.monday", ["09:00-17:00"], f"{LIS}.weekly.monday", "There is no such key; the keys are mon, tue"),
    (f"{LIS}.holidays", {"country": "XX"}, f"{LIS}.holidays.country", "is no country whose holidays are known"),
    (f"{LIS}.holidays", {"country": "PT", "subdivision": "ZZ"}, f"{LIS}.holidays.subdivision", "PT has no subdivision 'ZZ'; known are 01"),
    (f"{LIS}.days_off", [{"name": "x", "date": "2026-02-30"}], f"{LIS}.days_off[0].date", "It must be a date such as"),
    (f"{LIS}.days_off", [{"date": "2026-02-20"}], f"{LIS}.days_off[0].name", "It must be a text"),
    (f"{LIS}.days_off", [{"name": "x", "from": "2026-02-20", "to": "2026-02-19"}], f"{LIS}.days_off[0].to", "on or after the day it is from"),
    (f"{LIS}.days_off", [{"name": "x", "from": "2026-01-01", "to": "2027-01-02"}], f"{LIS}.days_off[0].to", "at most a year later"),
    (f"{LIS}.days_off", [{"name": "x", "date": "2026-02-20", "to": "2026-02-21"}], f"{LIS}.days_off[0].date", "either one date, or from and to"),
    ("calendars", [], "calendars", "It must be an object, not a list."),
    ("default_calendar", "porto", "default_calendar", "It must be one of lisbon, sao_paulo, not 'porto'."),
    ("warehouses.LIS1", "porto", "warehouses.LIS1", "It must be one of lisbon, sao_paulo"),
    ("default_calendar", MISSING, FULFIL, "Name a calendar here, or give the policy calendars and a default_calendar."),
    (FULFIL, {"hours": -4}, f"{FULFIL}.hours", "It must be a number of hours greater than 0, not -4."),
    (FULFIL, {"working_hours": 0}, f"{FULFIL}.working_hours", "It must be a number of working hours greater than 0, not 0."),
    (FULFIL, {"hours": "4"}, f"{FULFIL}.hours", "not '4'"),
    (FULFIL, {"hours": True}, f"{FULFIL}.hours", "not True"),
    (FULFIL, {"hours": 10**400}, f"{FULFIL}.hours", "longer than ten years"),
    (FULFIL, {"minutes": 0.001}, f"{FULFIL}.minutes", "shorter than a second"),
    (FULFIL, {"working_hours": 30_000}, f"{FULFIL}.working_hours", "By the calendar “lisbon” that is more than ten years"),
    (FULFIL, {}, FULFIL, "it has none of them. Write null for no deadline."),
    (FULFIL, {"hours": 4, "cutoff": "14:00"}, FULFIL, "it has hours and cutoff"),
    (FULFIL, {"hours": 4, "calendar": "lisbon"}, f"{FULFIL}.calendar", "Every hour counts here"),
    (FULFIL, {"hours": 4, "working_days": 1}, f"{FULFIL}.working_days", "Only a cut-off has it."),
    (FULFIL, {"working_hours": 4, "calendar": "porto"}, f"{FULFIL}.calendar", "It must be one of lisbon, sao_paulo"),
    (FULFIL, {"days": 4}, f"{FULFIL}.days", "There is no such key"),
    (FULFIL, {"cutoff": "25:00"}, f"{FULFIL}.cutoff", "It must be a time of day such as 14:00"),
    (FULFIL, {"cutoff": "14:00"}, f"{FULFIL}.cutoff", "On Saturdays the calendar “lisbon” closes at 13:00, not after the cut-off at 14:00"),
    (FULFIL, {"cutoff": {"mon": "14:00"}}, f"{FULFIL}.cutoff", "is open on Tuesdays, but that day has no cut-off"),
    (FULFIL, {"cutoff": {"mon": 14}}, f"{FULFIL}.cutoff.mon", "It must be a time of day"),
    (FULFIL, {"cutoff": "11:00", "working_days": -1}, f"{FULFIL}.working_days", "It must be a whole number from 0 to 60"),
    (FULFIL, {"promise": "soon"}, f"{FULFIL}.promise", "It must be one of promised_delivery_at, fulfil_by, delivery_window"),
    (f"{FULFIL}.warn", {}, f"{FULFIL}.warn", "A warning point is one of share, before_minutes, before_hours."),
    (f"{FULFIL}.warn", {"share": 0.5, "before_hours": 1}, f"{FULFIL}.warn", "A warning point is one of"),
    (f"{FULFIL}.warn", {"share": 1}, f"{FULFIL}.warn.share", "It must be a share between 0 and 1"),
    (f"{FULFIL}.warn", {"share": 0}, f"{FULFIL}.warn.share", "It must be a share between 0 and 1"),
    (f"{FULFIL}.warn", {"before_hours": 4}, f"{FULFIL}.warn", "It lies before the start, for the target is no longer than that"),
    (f"{FULFIL}.warn", {"before_hours": -1}, f"{FULFIL}.warn.before_hours", "greater than 0"),
    (f"{FULFIL}.warn", {"share": 0.5, "open_exception": 1}, f"{FULFIL}.warn.open_exception", "It must be true or false"),
    (FULFIL, {"cutoff": "11:00", "warn": {"before_hours": 9}}, f"{FULFIL}.warn", "the longest working day is no longer than that"),
    ("rules[0].targets.packing", {"hours": 1}, "rules[0].targets.packing", "There is no such key; the keys are payment_processing"),
    ("rules[0].targets", MISSING, "rules[0].targets", "It must be an object"),
    ("rules[0].name", "", "rules[0].name", "It must be a text"),
    ("rules[0].name", "x" * 81, "rules[0].name", "at most 80 characters"),
    ("rules[1].name", "Express", "rules[1].name", "The rule at 1 is called so too"),
    ("rules[1].targets", {}, "rules[1].excluded", "Orders that are excluded have no targets"),
    ("rules[0].when", {}, "rules[0].when", "It asks for nothing; leave when out"),
    ("rules[0].when", {"color": "red"}, "rules[0].when.color", "There is no such key"),
    ("rules[0].when.tag", [], "rules[0].when.tag", "The list is empty, so nothing could match"),
    ("rules[0].when.tag", [7], "rules[0].when.tag[0]", "It must be a text, not 7."),
    ("rules[0].when.order_value", {"at_least_cents": 1}, "rules[0].when.order_value.currency", "It must be a currency such as EUR"),
    ("rules[0].when.order_value", {"currency": "EUR", "at_least_cents": 5, "below_cents": 5}, "rules[0].when.order_value.below_cents", "no value lies between"),
    ("rules[0].when.order_value", {"currency": "EUR", "at_least_cents": -1}, "rules[0].when.order_value.at_least_cents", "from 0"),
    ("rules[0].when", MISSING, "rules[1].when", "No order can reach this rule"),
    ("rules[1].when", {"shipping_service": "express", "sales_channel": "AMAZON", "tag": "gift", "order_value": {"currency": "EUR", "at_least_cents": 20_000}}, "rules[1].when", "No order can reach this rule"),
    ("rules[0].pauses", {"holds": {"only": ["A"], "except": ["a"]}}, "rules[0].pauses.holds", "so no hold would count"),
    ("rules[0].pauses", {"problems": ["WEATHER"]}, "rules[0].pauses.problems[0]", "It must be one of PAYMENT_FAILED"),
    ("rules[0].pauses", {"hold": True}, "rules[0].pauses.hold", "There is no such key; the keys are holds, problems."),
    ("rules", [], "rules", "The list is empty, so no order would have a deadline"),
    ("rules", {}, "rules", "It must be a list"),
    ("severity.stages.delivery", [], "severity.stages.delivery", "The first step is that of any breach"),
    ("severity.stages.delivery[0]", {"severity": "HIGH", "after_hours": 1}, "severity.stages.delivery", "The first step is that of any breach"),
    ("severity.stages.delivery[1]", {"severity": "LOW", "after_hours": 1}, "severity.stages.delivery[1].severity", "Each step must be more severe"),
    ("severity.stages.delivery[1]", {"severity": "HIGH"}, "severity.stages.delivery[1]", "It needs one of after_minutes"),
    ("severity.stages.delivery[1]", {"severity": "HIGH", "after_hours": 1, "after_targets": 1}, "severity.stages.delivery[1]", "one of them is enough"),
    ("severity.stages.delivery[1]", {"severity": "BAD", "after_hours": 1}, "severity.stages.delivery[1].severity", "It must be one of LOW"),
    ("severity.stages.delivery[1]", {"severity": "HIGH", "after_hours": -1}, "severity.stages.delivery[1].after_hours", "greater than 0"),
    ("severity.problems.PAYMENT_FAILED", "BAD", "severity.problems.PAYMENT_FAILED", "It must be one of LOW"),
    ("severity.raise[0].by", 4, "severity.raise[0].by", "It must be a whole number from 1 to 3"),
    ("priority.severity.CRITICAL", -1, "priority.severity.CRITICAL", "from 0 to 1000"),
    ("priority.reasons", {"RAIN": 1}, "priority.reasons.RAIN", "There is no such key"),
    ("priority.customer_tier", {"gold": 1.5}, "priority.customer_tier.gold", "It must be a whole number"),
    ("priority.order_value[0].points", None, "priority.order_value[0].points", "It must be a whole number"),
    ("priority.repeat", "many", "priority.repeat", "It must be a whole number"),
    ("max_resolution_attempts", 0, "max_resolution_attempts", "It must be a whole number from 1 to 100, not 0."),
    ("order_fulfillment_hours", 24, "order_fulfillment_hours", "There is no such key; the keys are rules, calendars"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "where", "sentence"), REFUSED)
def test_wrong_value_is_refused_with_a_sentence_at_its_field(path: str, value: Any, where: str, sentence: str) -> None:
    errors = errors_of(changed(path, value))
    assert any(sentence in text for text in errors.get(where, [])), errors


def test_one_mistake_is_told_once() -> None:
    assert list(errors_of(changed(f"{LIS}.timezone", "Mars"))) == [f"{LIS}.timezone"]
    assert list(errors_of(changed(f"{FULFIL}.warn", {"share": 2}))) == [f"{FULFIL}.warn.share"]


def test_calendar_is_the_same_after_its_way_through_json() -> None:
    for form in FORMS.values():
        hours = read_calendar(Form(form, "", {}))
        assert hours is not None
        assert read_calendar(Form(calendar_to_json(hours), "", {})) == hours


def test_windows_may_touch_and_come_in_any_order() -> None:
    form = {"timezone": "UTC", "weekly": {"mon": ["13:00-24:00", "00:00-13:00"]}}
    hours = read_calendar(Form(form, "", {}))
    assert hours is not None and [tuple(window) for window in hours.weekly[0]] == [(0, 46_800), (46_800, 86_400)]


def test_yearly_day_off_that_spans_two_years() -> None:
    off = DayOff("Break", date(2026, 12, 31), date(2027, 1, 1), yearly=True)
    assert [list(off.in_year(year)) for year in (2026, 2027)] == [
        [date(2026, 12, 31)],
        [date(2027, 1, 1), date(2027, 12, 31)],
    ]


def test_no_json_makes_it_stumble() -> None:
    for junk in (None, 7, "x", [], {}, [[]], {"a": {}}, True, 1e308):
        for path in (
            "rules",
            "rules[0]",
            "rules[0].when",
            "rules[0].targets",
            FULFIL,
            "calendars",
            LIS,
            "warehouses",
            "severity",
            "priority",
        ):
            try:
                assert isinstance(parse_policy(changed(path, junk)), Policy)
            except PolicyError as error:
                assert all(error.errors.values())
