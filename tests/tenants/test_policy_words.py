"""A policy in words, and what a version changes of the one before it."""

from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from tenants.currencies import amount_words, minor_units
from tenants.days_off import DayOff
from tenants.policy import DEFAULT_RULES, parse_policy
from tenants.policy_compare import Difference, Line, day_words, differences
from tenants.policy_table import table_of
from tenants.policy_words import (
    condition_words,
    cutoff_words,
    hours_words,
    length_words,
    pausing_words,
    target_words,
    warn_words,
)
from tests.tenants.calendar_cast import FORMS, calendar
from tests.tenants.test_policy_form import WHOLE


def changed(**parts: Any) -> dict[str, Any]:
    return {**deepcopy(WHOLE), **parts}


def rule_of(**parts: Any) -> Any:
    form = {
        "rules": [{"name": "One", "targets": {}, **parts}],
        "calendars": {"lisbon": FORMS["lisbon"], "own": FORMS["own"]},
        "default_calendar": "lisbon",
    }
    return parse_policy(form).rules[0]


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (None, ["Every order"]),
        ({"tag": "gift"}, ["Tag gift"]),
        ({"sku": ["A", "B", "C"], "source": ["shopify"]}, ["Source shopify", "SKU A, B or C"]),
        ({"order_value": {"currency": "EUR", "at_least_cents": 10_050}}, ["Order value from 100.50 EUR"]),
        ({"order_value": {"currency": "JPY", "at_least_cents": 1, "below_cents": 900}}, ["Order value from 1 and below 900 JPY"]),
        ({"order_value": {"currency": "KWD", "below_cents": 1500}}, ["Order value below 1.500 KWD"]),
        ({"order_value": {"currency": "EUR"}}, ["Order value of any amount in EUR"]),
    ],
)  # fmt: skip
def test_condition_in_words(when: Any, words: list[str]) -> None:
    assert condition_words(when) == words


@pytest.mark.parametrize(
    ("target", "words", "warning"),
    [
        ({"hours": 24}, "24 h", ""),
        ({"minutes": 90.5}, "1 h 30 min 30 s", ""),
        ({"working_hours": 8}, "8 h of working time", ""),
        ({"working_minutes": 30, "calendar": "own"}, "30 min of working time by the calendar “own”", ""),
        ({"promise": "fulfil_by"}, "Until the hour by which it must ship", ""),
        ({"cutoff": "12:00"}, "Received by 12:00: end of that working day, else of the next", ""),
        ({"cutoff": "12:00", "working_days": 1}, "Received by 12:00: end of that working day, else of the next, and 1 working day more", ""),
        ({"hours": 8, "warn": {"share": 0.875}}, "8 h", "At risk after 87.5 % of it"),
        ({"hours": 8, "warn": {"before_hours": 1, "open_exception": True}}, "8 h", "At risk 1 h before, opens an exception"),
    ],
)  # fmt: skip
def test_target_in_words(target: Any, words: str, warning: str) -> None:
    found = rule_of(targets={"order_fulfillment": target}).targets["order_fulfillment"]
    assert (target_words(found), warn_words(found.warn)) == (words, warning)


def test_cutoffs_by_weekday_are_told_in_groups() -> None:
    times = {"mon": "12:00", "tue": "12:00", "wed": "11:00", "thu": "12:00", "fri": "12:00", "sat": "10:00"}
    assert cutoff_words(rule_of(targets={"delivery": {"cutoff": times}}).targets["delivery"]) == (
        "Mon–Tue 12:00, Wed 11:00, Thu–Fri 12:00, Sat 10:00"
    )


@pytest.mark.parametrize(
    ("pauses", "words"),
    [
        ({}, ""),
        ({"holds": True}, ""),
        ({"holds": False}, "No hold pauses"),
        ({"holds": {"only": ["Fraud", "other"]}}, "Only holds for FRAUD or OTHER pause"),
        ({"holds": {"except": ["other"]}}, "Every hold pauses but for OTHER"),
        ({"holds": {"only": ["a", "b"], "except": ["b"]}}, "Only holds for A pause"),
        ({"problems": ["ADDRESS_INVALID"]}, "Paused too while address unclear"),
    ],
)
def test_pauses_in_words(pauses: Any, words: str) -> None:
    assert pausing_words(rule_of(pauses=pauses).pausing) == words


def test_hours_and_lengths_in_words() -> None:
    assert hours_words(calendar("night").hours) == "Mon–Sun 00:00–06:00 and 22:00–24:00"
    assert hours_words(calendar("kathmandu").hours) == "Mon–Fri 10:00–17:00, Sun 10:00–17:00"
    assert [length_words(seconds) for seconds in (0, 59, 3600, 3661)] == ["0 s", "59 s", "1 h", "1 h 1 min 1 s"]


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("100", "EUR", 10_000), ("1,5", "EUR", 150), ("7", "JPY", 7), ("1.5", "JPY", None), ("1.234", "KWD", 1234),
     ("1e3", "EUR", 100_000), ("NaN", "EUR", None), ("", "EUR", None), ("9" * 30, "EUR", None), ("Infinity", "EUR", None)],
)  # fmt: skip
def test_amounts_are_read_in_minor_units(text: str, currency: str, minor: int | None) -> None:
    assert minor_units(text, currency) == minor
    assert minor is None or minor_units(amount_words(minor, currency), currency) == minor


def test_table_of_either_form() -> None:
    flat = table_of(DEFAULT_RULES)
    assert [(row.number, row.name, row.when) for row in flat.rules] == [(1, "Every order", ["Every order"])]
    assert [cell.words for cell in flat.rules[0].targets][:2] == ["30 min", "15 min"] and flat.usable
    table = table_of(WHOLE)
    assert [row.name for row in table.rules] == ["Express", "Preorders", "Others"] and table.usable
    assert [(row.name, row.warehouses, row.default) for row in table.calendars] == [
        ("lisbon", ["LIS1"], True),
        ("sao_paulo", [], False),
    ]
    assert (table.rules[0].untimed, table.rules[1].targets) == (["Payment", "Stock check", "Delivery"], [])


def test_what_is_wrong_stands_at_its_row() -> None:
    form = changed(default_calendar="gone")
    form["rules"].append({"name": "Never", "targets": {}})
    form["calendars"]["lisbon"]["timezone"] = "Lisbon"
    table = table_of(form)
    assert not table.usable
    assert [bool(row.troubles) for row in table.rules] == [False, False, False, True]
    assert [(row.open, bool(row.troubles)) for row in table.calendars] == [("", True), ("Mon–Fri 09:00–18:00", False)]
    assert table.troubles == ["It must be one of lisbon, sao_paulo, not 'gone'."]


def kinds(before: Any, after: Any) -> list[tuple[str, str]]:
    return [(each.kind, each.what) for each in differences(before, after)]


def test_same_policy_differs_in_nothing() -> None:
    assert differences(WHOLE, deepcopy(WHOLE)) == []
    assert differences(DEFAULT_RULES, {"rules": [{"name": "Every order", "targets": {"order_fulfillment": {"hours": 24}, "shipping_preparation": {"minutes": 240}, "payment_processing": {"minutes": 30}, "inventory_check": {"minutes": 15}}}]}) == []  # fmt: skip


def test_rules_added_removed_changed_and_renamed() -> None:
    after = changed()
    del after["rules"][1]
    after["rules"][0]["targets"]["order_fulfillment"] = {"working_hours": 6}
    after["rules"][1]["name"] = "All others"
    after["rules"].insert(1, {"name": "Gold", "when": {"customer_tier": "gold"}, "excluded": "By hand."})
    found = differences(WHOLE, after)
    assert [(each.kind, each.what) for each in found] == [
        ("changed", "Rule “Express”"), ("added", "Rule “Gold”"), ("changed", "Rule “All others”"), ("removed", "Rule “Preorders”"),
    ]  # fmt: skip
    was = "4 h of working time. At risk after 75 % of it, opens an exception"
    assert found[0].lines == [Line("Handover to the carrier", was, "6 h of working time")]
    assert (
        Line("No deadlines", "", "By hand.") in found[1].lines and Line("Orders", "Tag preorder", "") in found[3].lines
    )
    assert found[2].lines == [Line("Name", "Others", "All others")]


def test_moved_rules_are_told_by_the_fewest() -> None:
    after = changed()
    after["rules"] = [after["rules"][1], after["rules"][0], after["rules"][2]]
    found = differences(WHOLE, after)
    assert len(found) == 1 and found[0].kind == "moved" and found[0].lines[0].label == "Place"
    assert {found[0].lines[0].before, found[0].lines[0].after} == {"1", "2"}


@pytest.mark.parametrize(
    ("order", "moved"),
    [([1, 2, 3, 4, 0], [0]), ([4, 0, 1, 2, 3], [4]), ([0, 3, 1, 4, 2], [2, 3]), ([0, 1, 2, 3, 4], []), ([4, 3, 2, 1, 0], [0, 1, 2, 3])],
)  # fmt: skip
def test_rules_that_keep_their_order_are_not_told_as_moved(order: list[int], moved: list[int]) -> None:
    rules = [{"name": str(number), "when": {"tag": str(number)}, "targets": {}} for number in range(5)]
    found = differences({"rules": rules}, {"rules": [rules[number] for number in order]})
    assert len(found) == len(moved) and all(each.kind == "moved" for each in found)


def test_calendars_and_days_off_that_change() -> None:
    after = changed(warehouses={"LIS1": "lisbon", "OPO1": "lisbon"})
    after["calendars"]["lisbon"]["days_off"] = [{"name": "Stocktaking", "date": "2026-12-28"}]
    after["calendars"]["porto"] = after["calendars"].pop("sao_paulo")
    after["rules"][2]["targets"]["shipping_preparation"]["calendar"] = "porto"
    found = {each.what: each for each in differences(WHOLE, after)}
    assert found["Calendar “lisbon”"] == Difference(
        "changed", "Calendar “lisbon”",
        [Line("Warehouses", "LIS1, all others", "LIS1, OPO1, all others"), Line("Own days off", "", "Stocktaking 2026-12-28")],
    )  # fmt: skip
    assert found["Calendar “porto”"].kind == "added" and found["Calendar “sao_paulo”"].kind == "removed"


def test_long_lists_of_days_off_are_cut() -> None:
    after = changed()
    after["calendars"]["lisbon"]["days_off"] = [{"name": "Off", "date": f"2027-01-{day:02}"} for day in range(1, 16)]
    [found] = differences(WHOLE, after)
    assert found.lines[0].after.endswith("Off 2027-01-12 and 3 more")


def test_weights_that_change() -> None:
    after = changed(max_resolution_attempts=4)
    after["severity"] = {"problems": {"PAYMENT_FAILED": "CRITICAL"}, "raise": WHOLE["severity"]["raise"]}
    after["priority"] = {**WHOLE["priority"], "repeat": 9}
    assert kinds(WHOLE, after) == [
        ("changed", "Severity"),
        ("changed", "Priority"),
        ("changed", "Tries to solve an exception"),
    ]
    severity, priority, tries = differences(WHOLE, after)
    assert severity.lines == [Line("", "Delivery late: MEDIUM, CRITICAL by more than 48 h", "as usual")]
    assert priority.lines == [Line("", "each repetition 7", "each repetition 9")] and tries.lines == [
        Line("", "5", "4")
    ]


def test_days_in_words() -> None:
    first = date(2026, 12, 24)
    assert day_words(DayOff("x", first, first)) == "2026-12-24"
    assert day_words(DayOff("x", first, date(2026, 12, 26), True)) == "2026-12-24 to 2026-12-26, every year"
