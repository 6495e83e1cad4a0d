"""A policy with one thing changed, as what a simulation tries: one target, or one calendar. Pure; nothing given is altered."""

from collections.abc import Mapping
from typing import Any

from tenants.policy import as_rules
from tenants.policy_words import STAGE_WORDS

Rules = Mapping[str, Any]
EVERY_RULE = ""


def rule_names(rules: Rules) -> list[str]:
    """Of the rules that set deadlines."""
    return [str(rule.get("name", "")) for rule in as_rules(rules)["rules"] if not rule.get("excluded")]


def calendar_names(rules: Rules) -> list[str]:
    return list(as_rules(rules).get("calendars", {}))


def with_target(
    rules: Rules, stage: str, target: Mapping[str, Any] | None, *, rule: str = EVERY_RULE
) -> dict[str, Any]:
    """The stage's target in the rule of that name, or in every rule. `target`: as in a policy; None for no deadline.

    The warning point stays as it is.
    """
    form = as_rules(rules)
    form["rules"] = [
        {**each, "targets": changed(each.get("targets", {}), stage, target)}
        if not each.get("excluded") and rule in (EVERY_RULE, each.get("name", ""))
        else each
        for each in form["rules"]
    ]
    return form


def changed(targets: Mapping[str, Any], stage: str, target: Mapping[str, Any] | None) -> dict[str, Any]:
    warn = (targets.get(stage) or {}).get("warn")
    kept = {"warn": warn} if warn is not None and target is not None else {}
    return {**targets, stage: None if target is None else {**target, **kept}}


def with_calendar(rules: Rules, name: str, calendar: Mapping[str, Any]) -> dict[str, Any]:
    form = as_rules(rules)
    form["calendars"] = {**form.get("calendars", {}), name: dict(calendar)}
    return form


def target_title(stage: str, words: str, rule: str) -> str:
    """`Packing: 6 working hours, in the rule “Express”`."""
    where = f"in the rule “{rule}”" if rule else "in every rule"
    return f"{STAGE_WORDS[stage]}: {words}, {where}"
