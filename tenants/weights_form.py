"""The weights of severity and priority as JSON. Pure.

"severity": {"stages": {"delivery": [{"severity": "HIGH"}, {"severity": "CRITICAL", "after_hours": 48}],
                        "order_fulfillment": [{"severity": "LOW"}, {"severity": "HIGH", "after_targets": 1}]},
             "problems": {"PAYMENT_FAILED": "CRITICAL"},
             "raise": [{"when": {"customer_tier": "gold"}, "by": 1}]}
"priority": {"severity": {"CRITICAL": 100}, "reasons": {"DELIVERY_DELAY": 10}, "customer_tier": {"gold": 20},
             "order_value": [{"currency": "EUR", "at_least_cents": 50000, "points": 15}], "repeat": 5}
"""

from itertools import pairwise

from tenants.condition_form import read_condition, read_value
from tenants.conditions import ValueRange
from tenants.policy_rules import PROBLEM_REASONS, STAGE_NAMES
from tenants.reading import Form, is_number, shown
from tenants.weights import (
    REPEAT_POINTS,
    SEVERITIES,
    SEVERITY_POINTS,
    PriorityRules,
    Raise,
    SeverityRules,
    Step,
)

STAGE_REASONS = ("PAYMENT_DELAY", "INVENTORY_DELAY", "PREPARATION_DELAY", "FULFILLMENT_DELAY", "DELIVERY_DELAY")
MOST_POINTS = 1_000
MOST_STEPS = 10
MOST_RAISES = 50
MOST_TIERS = 50
MOST_SECONDS = 10 * 365 * 86_400
STEP_KEYS = ("severity", "after_minutes", "after_hours", "after_targets")
LATER = {"after_minutes": 60, "after_hours": 3600}


def read_severity(form: Form) -> SeverityRules:
    if not form.is_object(("stages", "problems", "raise")):
        return SeverityRules()
    stages, problems = form.at("stages"), form.at("problems")
    ladders: dict[str, list[Step]] = {}
    if form.has("stages") and stages.is_object(STAGE_NAMES):
        ladders = {name: read_ladder(stages.at(name)) for name in STAGE_NAMES if stages.has(name)}
    chosen: dict[str, str] = {}
    if form.has("problems") and problems.is_object(PROBLEM_REASONS):
        found = {reason: problems.at(reason).word(SEVERITIES) for reason in PROBLEM_REASONS if problems.has(reason)}
        chosen = {reason: severity for reason, severity in found.items() if severity}
    raises = form.at("raise").items(most=MOST_RAISES) if form.has("raise") else []
    return SeverityRules(ladders, chosen, [rule for each in raises if (rule := read_raise(each))])


def read_ladder(form: Form) -> list[Step]:
    forms = form.items(most=MOST_STEPS)
    steps = [step for each in forms if (step := read_step(each))]
    if len(steps) < len(forms):
        return []
    if not steps or (steps[0].after_seconds, steps[0].after_targets) != (0, 0):
        form.refuse("The first step is that of any breach, so it has no after_…; the others say how late.")
    for index, (before, step) in enumerate(pairwise(steps), start=1):
        if SEVERITIES.index(step.severity) <= SEVERITIES.index(before.severity):
            forms[index].at("severity").refuse("Each step must be more severe than the one before it.")
        if (step.after_seconds, step.after_targets) == (0, 0):
            forms[index].refuse("It needs one of after_minutes, after_hours, after_targets.")
        same_unit = bool(step.after_targets) == bool(before.after_targets) or index == 1
        if not same_unit or (step.after_seconds, step.after_targets) <= (before.after_seconds, before.after_targets):
            forms[index].refuse("Each step must come later than the one before it, counted in the same way.")
    return steps


def read_step(form: Form) -> Step | None:
    if not form.is_object(STEP_KEYS):
        return None
    severity = form.at("severity").word(SEVERITIES)
    named = [key for key in STEP_KEYS[1:] if form.has(key)]
    if len(named) > 1:
        form.refuse(f"It has {' and '.join(named)}; one of them is enough.")
        return None
    later = read_later(form.at(named[0]), LATER.get(named[0])) if named else (0, 0.0)
    return Step(severity, *later) if severity and later is not None else None


def read_later(form: Form, unit_seconds: int | None) -> tuple[int, float] | None:
    """Seconds, and times the target."""
    value = form.value
    if not is_number(value) or value <= 0 or value * (unit_seconds or 86_400) > MOST_SECONDS:
        form.refuse(f"It must be a number greater than 0 and at most ten years, not {shown(value)}.")
        return None
    return (int(value * unit_seconds + 0.5), 0.0) if unit_seconds else (0, float(value))


def read_raise(form: Form) -> Raise | None:
    if not form.is_object(("when", "by")):
        return None
    when = read_condition(form.at("when"))
    by = form.at("by").whole(least=1, most=len(SEVERITIES) - 1)
    return Raise(when, by) if when is not None and by is not None else None


def read_priority(form: Form) -> PriorityRules:
    if not form.is_object(("severity", "reasons", "customer_tier", "order_value", "repeat")):
        return PriorityRules()
    tiers = form.at("customer_tier")
    names = [name for name, _ in tiers.entries()] if form.has("customer_tier") and tiers.is_object() else []
    if len(names) > MOST_TIERS:
        tiers.refuse(f"There are {len(names)} tiers; at most {MOST_TIERS} are taken.")
    values = form.at("order_value").items(most=MOST_STEPS) if form.has("order_value") else []
    repeat = form.at("repeat").whole(least=0, most=MOST_POINTS) if form.has("repeat") else REPEAT_POINTS
    return PriorityRules(
        severity={**SEVERITY_POINTS, **read_points(form, "severity", SEVERITIES)},
        reasons=read_points(form, "reasons", (*STAGE_REASONS, *PROBLEM_REASONS)),
        tiers={name.casefold(): points for name, points in read_points(form, "customer_tier", tuple(names)).items()},
        values=[found for each in values if (found := read_value_points(each))],
        repeat=repeat or 0,
    )


def read_points(form: Form, key: str, names: tuple[str, ...]) -> dict[str, int]:
    table = form.at(key)
    if not form.has(key) or not table.is_object(names):
        return {}
    found = {name: table.at(name).whole(least=0, most=MOST_POINTS) for name in names if table.has(name)}
    return {name: points for name, points in found.items() if points is not None}


def read_value_points(form: Form) -> tuple[ValueRange, int] | None:
    span = read_value(form, also=("points",))
    points = form.at("points").whole(least=0, most=MOST_POINTS)
    return (span, points) if span is not None and points is not None else None
