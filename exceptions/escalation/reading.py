"""Reads a plan of escalation from JSON, with a sentence at each value that is not usable. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from exceptions.choices import Severity
from exceptions.escalation.chain import MOST_MINUTES, MOST_STEPS, ON_CALL, ROLES, Chains, Effect, Step, Unless
from exceptions.escalation.rota import Hours, Override, Rota, Shift
from tenants.models import zone_trouble
from tenants.reading import Form

MOST_SHIFTS = 50
MOST_OVERRIDES = 100


@dataclass(frozen=True, slots=True)
class Plan:
    chains: Chains = field(default_factory=dict)
    rota: Rota = field(default_factory=lambda: Rota("UTC"))


def read_plan(
    chains: Any, rota: Any, *, members: Collection[int] | None = None
) -> tuple[Plan, Mapping[str, list[str]]]:
    """The plan, and the sentences at their paths. `members`: who may be named; None takes anybody (what is stored)."""
    errors: dict[str, list[str]] = {}
    form = Form(chains, "", errors)
    found: dict[str, list[Step]] = {}
    if form.is_object(Severity.values):
        for severity, steps in form.entries():
            found[severity] = [
                step for item in steps.items(most=MOST_STEPS) if (step := read_step(item, members)) is not None
            ]
    for severity, steps_found in found.items():
        found[severity] = sorted(steps_found, key=lambda step: step.after_minutes)
        if len(set(steps_found)) < len(steps_found):
            form.at(severity).refuse("Two steps are the same.")
    return Plan(found, read_rota(Form(rota, "rota", errors), members)), errors


def read_step(form: Form, members: Collection[int] | None) -> Step | None:
    if not form.is_object(("after_minutes", "unless", "effect", "to")):
        return None
    after = form.at("after_minutes").whole(least=0, most=MOST_MINUTES)
    unless, effect = form.at("unless").word(Unless.values), form.at("effect").word(Effect.values)
    to = form.at("to").text(most=40)
    if after is None or unless is None or effect is None or to is None:
        return None
    kind, _, number = to.partition(":")
    if to != ON_CALL and to not in ROLES and (kind != "user" or not is_member(number, members)):
        form.at("to").refuse("Choose a member of the team, a role, or whoever is on call.")
        return None
    return Step(after, unless, effect, to)


def is_member(number: str, members: Collection[int] | None) -> bool:
    known = number.isascii() and number.isdigit() and len(number) < 19
    return known and (members is None or int(number) in members)


def read_rota(form: Form, members: Collection[int] | None) -> Rota:
    if not form.is_object(("timezone", "shifts", "overrides")):
        return Rota("UTC")
    zone = form.at("timezone").text(most=64) or "UTC"
    if trouble := zone_trouble(zone):
        form.at("timezone").refuse(trouble)
        zone = "UTC"
    shifts = [read_shift(item, members) for item in form.at("shifts").items(most=MOST_SHIFTS)]
    overrides = [read_override(item, members) for item in form.at("overrides").items(most=MOST_OVERRIDES)]
    return Rota(zone, [shift for shift in shifts if shift], [override for override in overrides if override])


def read_shift(form: Form, members: Collection[int] | None) -> Shift | None:
    if not form.is_object(("days", "from", "until", "user_id")):
        return None
    numbers = [item.whole(least=0, most=6) for item in form.at("days").items(most=7)]
    days = frozenset(number for number in numbers if number is not None)
    if not days:
        form.at("days").refuse("Choose at least one day.")
    hours, user_id = read_hours(form), read_user(form.at("user_id"), members)
    return Shift(days, hours, user_id) if days and hours and user_id else None


def read_override(form: Form, members: Collection[int] | None) -> Override | None:
    if not form.is_object(("date", "from", "until", "user_id")):
        return None
    day, hours = form.at("date").day(), read_hours(form)
    user_id = read_user(form.at("user_id"), members) if form.has("user_id") else None
    return Override(day, hours, user_id) if day and hours else None


def read_hours(form: Form) -> Hours | None:
    begins, until = read_time(form.at("from")), read_time(form.at("until"))
    return Hours(begins, until) if begins is not None and until is not None else None


def read_time(form: Form) -> time | None:
    text = form.text(most=8)
    try:
        return time.fromisoformat(text) if text and text.isascii() else None
    except ValueError:
        form.refuse("It must be a time of day such as 22:30.")
        return None


def read_user(form: Form, members: Collection[int] | None) -> int | None:
    if isinstance(form.value, int) and not isinstance(form.value, bool) and is_member(str(form.value), members):
        return form.value
    form.refuse("Choose a member of the team.")
    return None
