"""A policy as the table that people read and edit: its rules in order, each cell in words. Pure.

It is made of the JSON, also of a draft that cannot be used yet: what is wrong stands at the row that it is about.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from tenants.days_off import DayOff
from tenants.open_hours import Hours
from tenants.policy import as_rules
from tenants.policy_form import read_again
from tenants.policy_rules import STAGE_NAMES, Policy, Rule
from tenants.policy_words import (
    STAGE_WORDS,
    condition_words,
    hours_words,
    pausing_words,
    priority_words,
    raise_words,
    severity_words,
    target_words,
    warn_words,
)

RULE_PATH = re.compile(r"rules\[(\d+)\]")
CALENDAR_PATH = "calendars."


@dataclass(frozen=True, slots=True)
class TargetCell:
    """`warning` is empty where nobody is warned."""

    stage: str
    label: str
    words: str
    warning: str
    none: bool


@dataclass(frozen=True, slots=True)
class RuleRow:
    """`place`: from 0. `when`: phrases that must all hold; `excluded`: why its orders have no deadlines, if so."""

    place: int
    name: str
    when: Sequence[str]
    excluded: str
    targets: Sequence[TargetCell]
    pauses: str
    troubles: Sequence[str]

    @property
    def number(self) -> int:
        return self.place + 1

    @property
    def key(self) -> str:
        """Names it on the page wherever it stands."""
        return f"{crc32(self.name.encode()):08x}"

    @property
    def untimed(self) -> Sequence[str]:
        """The stages without a deadline."""
        return [cell.label for cell in self.targets if cell.none]


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """`hours`: None of one that cannot be read. `warehouses`: those that keep it; `default`: for all others too."""

    place: int
    name: str
    hours: Hours | None
    open: str
    holidays: str
    days_off: Sequence[DayOff]
    warehouses: Sequence[str]
    default: bool
    troubles: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """`troubles`: those of no rule and no calendar; `weights`: of severity, sentences; `raises`: which orders count more."""

    rules: Sequence[RuleRow]
    calendars: Sequence[CalendarRow]
    severity: Sequence[str]
    raises: Sequence[str]
    priority: Sequence[str]
    attempts: int
    troubles: Sequence[str]
    policy: Policy = field(repr=False)

    @property
    def usable(self) -> bool:
        return not (
            self.troubles or any(row.troubles for row in self.rules) or any(row.troubles for row in self.calendars)
        )


def table_of(rules: Mapping[str, Any]) -> Table:
    """Of either form."""
    form = as_rules(rules)
    policy, errors = read_again(json.dumps(form))
    at_rules, at_calendars, others = sorted_troubles(errors, list(form.get("calendars") or {}))
    return Table(
        rules=[
            rule_row(place, written, rule, at_rules.get(place, ()))
            for place, (written, rule) in enumerate(zip(form["rules"], policy.rules, strict=False))
        ],
        calendars=[
            calendar_row(place, name, form, policy, at_calendars.get(name, ()))
            for place, name in enumerate(form.get("calendars") or {})
        ],
        severity=severity_words(policy.severity),
        raises=raise_words(form),
        priority=priority_words(policy.priority),
        attempts=policy.max_resolution_attempts,
        troubles=others,
        policy=policy,
    )


def rule_row(place: int, written: Mapping[str, Any], rule: Rule, troubles: Sequence[str]) -> RuleRow:
    return RuleRow(
        place=place,
        name=rule.name or f"Rule {place + 1}",
        when=condition_words(written.get("when")),
        excluded=rule.excluded,
        targets=[] if rule.excluded else [target_cell(stage, rule) for stage in STAGE_NAMES],
        pauses=pausing_words(rule.pausing),
        troubles=troubles,
    )


def target_cell(stage: str, rule: Rule) -> TargetCell:
    target = rule.targets.get(stage)
    warning = warn_words(target.warn) if target else ""
    return TargetCell(stage, STAGE_WORDS[stage], target_words(target), warning, target is None)


def calendar_row(
    place: int, name: str, form: Mapping[str, Any], policy: Policy, troubles: Sequence[str]
) -> CalendarRow:
    hours = policy.calendars.get(name)
    return CalendarRow(
        place=place,
        name=name,
        hours=hours,
        open=hours_words(hours) if hours else "",
        holidays=", ".join(filter(None, (hours.country, hours.subdivision))) if hours else "",
        days_off=hours.days_off if hours else (),
        warehouses=[house for house, kept in (form.get("warehouses") or {}).items() if kept == name],
        default=policy.default_calendar == name,
        troubles=troubles,
    )


def sorted_troubles(
    errors: Mapping[str, Sequence[str]], calendars: Sequence[str]
) -> tuple[dict[int, list[str]], dict[str, list[str]], list[str]]:
    """By the place of a rule, by the name of a calendar, and the rest."""
    of_rules: dict[int, list[str]] = {}
    of_calendars: dict[str, list[str]] = {}
    others: list[str] = []
    for path, sentences in errors.items():
        rule = RULE_PATH.match(path)
        name = next((each for each in calendars if is_of_calendar(path, each)), None)
        if rule:
            of_rules.setdefault(int(rule[1]), []).extend(sentences)
        elif name is not None:
            of_calendars.setdefault(name, []).extend(sentences)
        else:
            others.extend(sentences)
    return of_rules, of_calendars, others


def is_of_calendar(path: str, name: str) -> bool:
    """A name may have dots of its own."""
    return path == CALENDAR_PATH + name or path.startswith(f"{CALENDAR_PATH}{name}.")
