"""A policy in words, for people who read a contract: conditions, targets, warnings, pauses, weights. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from tenants.calendar_form import WEEKDAYS, clock_text
from tenants.condition_form import KEYS as CONDITION_KEYS
from tenants.currencies import amount_words
from tenants.open_hours import Hours, Window
from tenants.policy_rules import PROBLEM_REASONS, STAGE_NAMES, Pausing
from tenants.targets import Cutoff, Length, Promise, PromiseKey, Target, Warn
from tenants.weights import PriorityRules, SeverityRules, Step
from tenants.weights_form import STAGE_REASONS

ALL_ORDERS = "Every order"
STAGE_WORDS: Mapping[str, str] = {
    "payment_processing": "Payment",
    "inventory_check": "Stock check",
    "shipping_preparation": "Packing",
    "order_fulfillment": "Handover to the carrier",
    "delivery": "Delivery",
}
PROMISE_WORDS: Mapping[PromiseKey, str] = {
    "promised_delivery_at": "the delivery promised to the customer",
    "fulfil_by": "the hour by which it must ship",
    "delivery_window": "the end of the delivery window",
}
CONDITION_WORDS: Mapping[str, str] = {
    "source": "Source",
    "merchant": "Merchant",
    "sales_channel": "Sales channel",
    "shipping_service": "Shipping service",
    "carrier": "Carrier",
    "warehouse": "Warehouse",
    "destination_country": "Destination country",
    "customer_tier": "Customer tier",
    "sku": "SKU",
    "tag": "Tag",
    "order_value": "Order value",
}
PROBLEM_WORDS: Mapping[str, str] = {
    "PAYMENT_FAILED": "payment failed",
    "INVENTORY_SHORTAGE": "stock is short",
    "SHIPPING_DELAY": "carrier delays",
    "DELIVERY_FAILED": "delivery failed",
    "ADDRESS_INVALID": "address unclear",
}
REASON_WORDS: Mapping[str, str] = {
    **{reason: f"{STAGE_WORDS[stage]} late" for stage, reason in zip(STAGE_NAMES, STAGE_REASONS, strict=True)},
    **{reason: PROBLEM_WORDS[reason].capitalize() for reason in PROBLEM_REASONS},
}
DAY_WORDS = tuple(day.capitalize() for day in WEEKDAYS)
MINUTE, HOUR = 60, 3600


def length_words(seconds: int) -> str:
    """`3 h 20 min`. Hours are not turned into days, which differ in length."""
    parts = ((seconds // HOUR, "h"), (seconds % HOUR // MINUTE, "min"), (seconds % MINUTE, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def condition_words(when: Mapping[str, Any] | None) -> list[str]:
    """What must hold, one phrase each. `when`: as JSON, where the words stand as they were written."""
    found = when if isinstance(when, Mapping) else {}
    phrases = [
        value_words(found[key]) if key == "order_value" else f"{CONDITION_WORDS[key]} {any_of(listed(found[key]))}"
        for key in CONDITION_KEYS
        if found.get(key)
    ]
    return phrases or [ALL_ORDERS]


def listed(words: Any) -> list[str]:
    return [words] if isinstance(words, str) else [str(word) for word in words]


def any_of(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def value_words(span: Mapping[str, Any]) -> str:
    """`Order value from 100.00 and below 500.00 EUR`. `span`: as JSON."""
    currency, least, below = span["currency"], span.get("at_least_cents") or 0, span.get("below_cents")
    bounds = [f"from {amount_words(least, currency)}"] if least else []
    bounds += [f"below {amount_words(below, currency)}"] if below is not None else []
    return f"Order value {' and '.join(bounds) or 'of any amount in'} {currency}"


def target_words(target: Target | None) -> str:
    """Without its warning point."""
    if target is None:
        return "No deadline"
    if isinstance(target, Promise):
        return f"Until {PROMISE_WORDS[target.key]}"
    if isinstance(target, Length):
        length = length_words(target.seconds)
        return length if target.calendar is None else f"{length} of working time{calendar_suffix(target.calendar)}"
    more = f", and {target.days} working day{'s' if target.days > 1 else ''} more" if target.days else ""
    return f"Received by {cutoff_words(target)}: end of that working day, else of the next{more}{calendar_suffix(target.calendar)}"


def calendar_suffix(name: str) -> str:
    return f" by the calendar “{name}”" if name else ""


def cutoff_words(target: Cutoff) -> str:
    """`14:00`, or `Mon–Fri 14:00, Sat 11:00`; a weekday of no time is one on which the place is closed."""
    if len(set(target.times)) == 1:
        return clock_text(target.times[0])
    return by_weekday([clock_text(time) if time else "" for time in target.times])


def by_weekday(texts: Sequence[str]) -> str:
    """Neighbouring days of the same text as one; days of none are left out."""
    parts, day = [], 0
    for text, days in groupby(texts):
        last = day + len(list(days)) - 1
        if text:
            parts.append(f"{DAY_WORDS[day]}{f'–{DAY_WORDS[last]}' if last > day else ''} {text}")
        day = last + 1
    return ", ".join(parts)


def warn_words(warn: Warn | None) -> str:
    """`""` without a warning point."""
    if warn is None:
        return ""
    if warn.share is not None:
        point = f"At risk after {warn.share * 100:.4g} % of it"
    else:
        point = f"At risk {length_words(warn.before_seconds or 0)} before"
    return f"{point}, opens an exception" if warn.opens else point


def pausing_words(pausing: Pausing) -> str:
    """Empty for what is usual: every hold pauses, and nothing else does."""
    return ". ".join(filter(None, (holds_words(pausing), problems_words(pausing.problems))))


def holds_words(pausing: Pausing) -> str:
    if pausing.takes_every_hold:
        return ""
    counted = (pausing.only or frozenset()) - pausing.never
    if counted:
        return f"Only holds for {any_of(reasons_words(counted))} pause"
    if pausing.only is not None:
        return "No hold pauses"
    return f"Every hold pauses but for {any_of(reasons_words(pausing.never))}"


def reasons_words(reasons: Iterable[str]) -> list[str]:
    """As shops write them; how they are written does not matter."""
    return sorted(reason.upper() for reason in reasons)


def problems_words(problems: Iterable[str]) -> str:
    words = any_of([PROBLEM_WORDS[problem] for problem in problems]) if problems else ""
    return f"Paused too while {words}" if words else ""


def hours_words(hours: Hours) -> str:
    """`Mon–Fri 09:00–13:00 and 14:00–18:00, Sat 09:00–13:00`."""
    return by_weekday([" and ".join(map(window_words, windows)) for windows in hours.weekly])


def window_words(window: Window) -> str:
    return f"{clock_text(window.opens)}–{clock_text(window.closes)}"


def severity_words(rules: SeverityRules) -> list[str]:
    """A sentence for each thing that is not usual, but for what raises: that is told by its condition."""
    ladders = [
        f"{STAGE_WORDS[stage]} late: {', '.join(map(step_words, steps))}" for stage, steps in rules.ladders.items()
    ]
    return [*ladders, *(f"{PROBLEM_WORDS[reason].capitalize()}: {level}" for reason, level in rules.problems.items())]


def step_words(step: Step) -> str:
    if step.after_targets:
        return f"{step.severity} by more than {step.after_targets:g} × its target"
    return f"{step.severity} by more than {length_words(step.after_seconds)}" if step.after_seconds else step.severity


def raise_words(rules: Mapping[str, Any]) -> list[str]:
    """Of a policy as JSON."""
    severity = rules.get("severity") or {}
    return [
        f"{', '.join(condition_words(each['when']))}: {each['by']} step{'s' if each['by'] > 1 else ''} more severe"
        for each in severity.get("raise") or ()
    ]


def priority_words(rules: PriorityRules) -> list[str]:
    points = [", ".join(f"{level} {number}" for level, number in rules.severity.items())]
    points += [f"{REASON_WORDS[reason]} {number}" for reason, number in rules.reasons.items()]
    points += [f"Customer tier {tier} {number}" for tier, number in rules.tiers.items()]
    for span, number in rules.values:
        form = {"currency": span.currency, "at_least_cents": span.at_least, "below_cents": span.below}
        points.append(f"{value_words(form)} {number}")
    return [*points, f"each repetition {rules.repeat}"]
