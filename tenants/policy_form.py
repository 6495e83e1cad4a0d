"""A policy of rules as JSON: read and checked with sentences. Pure. The whole form is described in policies.md beside this.

{"rules": [{"name": "Express", "when": {"shipping_service": "express"},
            "targets": {"order_fulfillment": {"working_hours": 4, "warn": {"share": 0.75, "open_exception": true}}}},
           {"name": "All others",
            "targets": {"order_fulfillment": {"cutoff": "14:00"}, "delivery": {"promise": "promised_delivery_at"}},
            "pauses": {"holds": {"except": ["OTHER"]}, "problems": ["ADDRESS_INVALID"]}}],
 "calendars": {"lisbon": {…}}, "default_calendar": "lisbon", "warehouses": {"LIS1": "lisbon"},
 "severity": {…}, "priority": {…}, "max_resolution_attempts": 3}
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from tenants.calendar_form import read_calendar
from tenants.condition_form import read_condition
from tenants.conditions import ALWAYS
from tenants.coverage import is_covered
from tenants.open_hours import Hours
from tenants.policy_rules import (
    ATTEMPTS_KEY,
    DEFAULT_ATTEMPTS,
    EVERY_HOLD,
    MAX_ATTEMPTS,
    PROBLEM_REASONS,
    STAGE_NAMES,
    Pausing,
    Policy,
    PolicyError,
    Rule,
)
from tenants.reading import Form
from tenants.target_form import Places, read_target
from tenants.targets import Promise, Target
from tenants.weights import USUAL_PRIORITY, USUAL_SEVERITY
from tenants.weights_form import read_priority, read_severity

KEYS = ("rules", "calendars", "default_calendar", "warehouses", "severity", "priority", ATTEMPTS_KEY)
RULE_KEYS = ("name", "when", "targets", "pauses", "excluded")
MOST_RULES = 200
MOST_CALENDARS = 50
MOST_WAREHOUSES = 500
MOST_REASONS = 50


def read_policy(value: Mapping[str, Any]) -> Policy:
    """Raises: PolicyError."""
    policy, errors = read_what_can_be(value)
    if errors:
        raise PolicyError(errors)
    return policy


def read_what_can_be(value: Mapping[str, Any]) -> tuple[Policy, dict[str, list[str]]]:
    """For showing a draft: what of it can be read, each rule at its place, and what is wrong with the rest."""
    errors: dict[str, list[str]] = {}
    form = Form(value, "", errors)
    form.is_object(KEYS)
    calendars = read_calendars(form.at("calendars")) if form.has("calendars") else {}
    named = [name for name, _ in form.at("calendars").entries()]  # one that was refused may still be named
    default = read_default(form, named)
    warehouses = read_warehouses(form.at("warehouses"), named) if form.has("warehouses") else {}
    places = Places(
        calendars,
        default,
        tuple(sorted(set(warehouses.values()))),
        broken=any(path.startswith("calendars") for path in errors),
    )
    policy = Policy(
        max_resolution_attempts=read_attempts(form),
        rules=read_rules(form.at("rules"), places),
        calendars=calendars,
        default_calendar=default,
        warehouses=warehouses,
        severity=read_severity(form.at("severity")) if form.has("severity") else USUAL_SEVERITY,
        priority=read_priority(form.at("priority")) if form.has("priority") else USUAL_PRIORITY,
    )
    return policy, errors


@lru_cache(maxsize=64)
def read_again(text: str) -> tuple[Policy, Mapping[str, Sequence[str]]]:
    """As `read_what_can_be`, of JSON as text: pages ask for the same draft again and again, and many rules take their time."""
    return read_what_can_be(json.loads(text))


def read_calendars(form: Form) -> dict[str, Hours]:
    if not form.is_object():
        return {}
    if len(form.value) > MOST_CALENDARS:
        form.refuse(f"There are {len(form.value)} calendars; at most {MOST_CALENDARS} are taken.")
        return {}
    found = {name: read_calendar(calendar) for name, calendar in form.entries()}
    if "" in found:
        form.refuse("A calendar needs a name.")
    return {name: hours for name, hours in found.items() if hours is not None}


def read_default(form: Form, calendars: Sequence[str]) -> str:
    """A single calendar is the default without being named so."""
    if form.has("default_calendar"):
        return form.at("default_calendar").word(calendars) or ""
    return calendars[0] if len(calendars) == 1 else ""


def read_warehouses(form: Form, calendars: Sequence[str]) -> dict[str, str]:
    if not form.is_object():
        return {}
    if len(form.value) > MOST_WAREHOUSES:
        form.refuse(f"There are {len(form.value)} warehouses; at most {MOST_WAREHOUSES} are taken.")
        return {}
    return {name.casefold(): chosen for name, each in form.entries() if (chosen := each.word(calendars))}


def read_attempts(form: Form) -> int:
    if not form.has(ATTEMPTS_KEY):
        return DEFAULT_ATTEMPTS
    return form.at(ATTEMPTS_KEY).whole(least=1, most=MAX_ATTEMPTS) or DEFAULT_ATTEMPTS


def read_rules(form: Form, places: Places) -> tuple[Rule, ...]:
    forms = form.items(most=MOST_RULES)
    if not forms and isinstance(form.value, list | tuple) and not form.value:
        form.refuse("The list is empty, so no order would have a deadline; write at least one rule.")
    rules = [read_rule(each, places) for each in forms]
    refuse_unreachable(forms, rules)
    return tuple(rules)


def read_rule(form: Form, places: Places) -> Rule:
    if not form.is_object(RULE_KEYS):
        return Rule()
    excluded = form.at("excluded").text(most=200) if form.has("excluded") else ""
    if excluded and form.has("targets"):
        form.at("excluded").refuse("Orders that are excluded have no targets; give either the one or the other.")
    return Rule(
        name=form.at("name").text(most=80) or "",
        when=(read_condition(form.at("when")) or ALWAYS) if form.has("when") else ALWAYS,
        targets={} if excluded else read_targets(form.at("targets"), places),
        pausing=read_pausing(form.at("pauses")) if form.has("pauses") else EVERY_HOLD,
        excluded=excluded or "",
    )


def read_targets(form: Form, places: Places) -> dict[str, Target]:
    """A stage left out or null has no deadline; but a delivery that is left out is due at its promise."""
    if not form.is_object(STAGE_NAMES):
        return {}
    targets = {stage: read_target(form.at(stage), places) for stage in STAGE_NAMES if form.has(stage)}
    if "delivery" not in form.value:
        targets["delivery"] = Promise()
    return {stage: target for stage, target in targets.items() if target is not None}


def read_pausing(form: Form) -> Pausing:
    if not form.is_object(("holds", "problems")):
        return EVERY_HOLD
    holds, problems = form.at("holds"), form.at("problems")
    only, never = read_holds(holds) if form.has("holds") else (None, frozenset[str]())
    listed = problems.items(most=len(PROBLEM_REASONS)) if form.has("problems") else []
    reasons = [reason for item in listed if (reason := item.word(PROBLEM_REASONS))]
    return Pausing(only, never, tuple(sorted(set(reasons))))


def read_holds(form: Form) -> tuple[frozenset[str] | None, frozenset[str]]:
    """`true`: every hold, `false`: none, else `only` or `except` with reasons."""
    if isinstance(form.value, bool):
        return (None if form.value else frozenset()), frozenset()
    if not form.is_object(("only", "except")):
        return None, frozenset()
    only = form.at("only").words(most=MOST_REASONS) if form.has("only") else None
    never = form.at("except").words(most=MOST_REASONS) if form.has("except") else frozenset[str]()
    if only is not None and never is not None and only <= never:
        form.refuse("All reasons under only stand under except too, so no hold would count; write false for that.")
    return only, never or frozenset()


def refuse_unreachable(forms: Sequence[Form], rules: Sequence[Rule]) -> None:
    names: dict[str, int] = {}
    for index, (form, rule) in enumerate(zip(forms, rules, strict=True)):
        if rule.name in names:
            form.at("name").refuse(f"The rule at {names[rule.name] + 1} is called so too; give each its own name.")
        names.setdefault(rule.name or f"?{index}", index)
        if any(path.startswith(f"{form.path}.when") for path in form.errors):
            return  # what it takes is not known, so nothing can be said of those after it
        if index and is_covered(rule.when, [earlier.when for earlier in rules[:index]]):
            form.at("when").refuse(
                "No order can reach this rule: those before it take every order that it asks for; "
                "move it up, or change what it asks for."
            )
