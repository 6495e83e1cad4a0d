"""A tenant's rules of what makes an incident: what it starts with, and how a person edits them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max

from e2a.errors import Conflict, NotFound, Unprocessable
from exceptions.choices import Reason
from exceptions.incidents.models import MOST_WINDOW_MINUTES, IncidentRule
from exceptions.incidents.words import FOLD, Dimension

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MOST_RULES = 20
MOST_MINIMUM = 100_000


class NoSuchRule(NotFound):
    """There is no such rule."""


class WrongRule(Unprocessable):
    """The rule cannot be used; see the fields."""


class Overtaken(Conflict):
    """Somebody has changed this rule meanwhile; look at it again. Nothing was changed."""


class RuleInUse(Conflict):
    """Incidents were found by this rule, so it stays; switch it off instead. Nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a rule says. `reasons`: empty for any."""

    title: str
    dimensions: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    window_minutes: int
    minimum: int
    enabled: bool = True

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.window_minutes)


# The narrow ones come first: an exception belongs to the first rule that makes an incident of it.
DEFAULTS: dict[str, Wanted] = {
    "payment-provider": Wanted(
        title="Payment provider in trouble",
        dimensions=(Dimension.PAYMENT_PROVIDER,),
        reasons=(Reason.PAYMENT_DELAY, Reason.PAYMENT_FAILED),
        window_minutes=60,
        minimum=5,
    ),
    "sku": Wanted(
        title="SKU out of stock",
        dimensions=(Dimension.SKU,),
        reasons=(Reason.INVENTORY_SHORTAGE, Reason.INVENTORY_DELAY),
        window_minutes=24 * 60,
        minimum=5,
    ),
    "carrier-lane": Wanted(
        title="Carrier in trouble on a lane",
        dimensions=(Dimension.CARRIER, Dimension.DESTINATION),
        reasons=(Reason.SHIPPING_DELAY, Reason.DELIVERY_FAILED, Reason.DELIVERY_DELAY),
        window_minutes=6 * 60,
        minimum=5,
    ),
    "warehouse": Wanted(
        title="Warehouse behind",
        dimensions=(Dimension.WAREHOUSE,),
        reasons=(Reason.INVENTORY_DELAY, Reason.PREPARATION_DELAY, Reason.FULFILLMENT_DELAY),
        window_minutes=4 * 60,
        minimum=10,
    ),
    "reason": Wanted(title="Many of one kind", dimensions=(Dimension.REASON,), window_minutes=60, minimum=25),
}


def install_default_rules(*, now: datetime) -> int:
    """Where a tenant has none yet. Returns how many; two at once make them once."""
    if IncidentRule.objects.exists():
        return 0
    made = [
        IncidentRule(name=name, place=place, updated_at=now, updated_by=FOLD, **columns(wanted))
        for place, (name, wanted) in enumerate(DEFAULTS.items())
    ]
    return len(IncidentRule.objects.bulk_create(made, ignore_conflicts=True))


def columns(wanted: Wanted) -> dict[str, object]:
    values = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    return values | {"dimensions": list(wanted.dimensions), "reasons": list(wanted.reasons)}


def list_rules() -> list[IncidentRule]:
    """In their order. Before the first round these are the ones that it will install; they have no id."""
    stored = list(IncidentRule.objects.all())
    return stored or [
        IncidentRule(name=name, place=place, updated_by=FOLD, **columns(wanted))
        for place, (name, wanted) in enumerate(DEFAULTS.items())
    ]


def rule_named(name: str) -> IncidentRule:
    """Raises: NoSuchRule."""
    found = next((rule for rule in list_rules() if rule.name == name), None)
    if found is None:
        raise NoSuchRule
    return found


def change_rule(*, name: str, wanted: Wanted, based_on: datetime | None, actor: str, now: datetime) -> IncidentRule:
    """In force from the next round on. `based_on`: when the rule that was edited had last changed; None for one as installed.

    Raises: WrongRule, NoSuchRule, Overtaken.
    """
    if errors := troubles(wanted):
        raise WrongRule(errors=errors)
    install_default_rules(now=now)
    rows = IncidentRule.objects.filter(name=name)
    seen = rows.filter(updated_at=based_on) if based_on else rows.filter(updated_by=FOLD)
    if not seen.update(**columns(wanted), updated_at=now, updated_by=actor):
        raise Overtaken if rows.exists() else NoSuchRule
    return rows.get()


def add_rule(*, name: str, wanted: Wanted, actor: str, now: datetime) -> IncidentRule:
    """As the last, in force from the next round on. Raises: WrongRule."""
    if errors := troubles(wanted) | name_troubles(name):
        raise WrongRule(errors=errors)
    install_default_rules(now=now)
    values = columns(wanted) | {"updated_at": now, "updated_by": actor}
    if IncidentRule.objects.count() >= MOST_RULES:
        raise WrongRule(errors={"name": [f"There are {MOST_RULES} rules already, which is the most; change one."]})
    last = IncidentRule.objects.aggregate(last=Max("place"))["last"] or 0
    try:
        with transaction.atomic():
            return IncidentRule.objects.create(name=name, place=last + 1, **values)
    except IntegrityError:
        raise WrongRule(errors={"name": [f"There is a rule “{name}” already."]}) from None


def switch_rule(*, name: str, enabled: bool, actor: str, now: datetime) -> None:
    """What it found stays until it is over. Raises: NoSuchRule."""
    install_default_rules(now=now)
    changed = IncidentRule.objects.filter(name=name).update(enabled=enabled, updated_at=now, updated_by=actor)
    if not changed:
        raise NoSuchRule


def move_rule_up(*, name: str, actor: str, now: datetime) -> None:
    """Before the rule that stands above it; the first stays the first. Raises: NoSuchRule."""
    install_default_rules(now=now)
    with transaction.atomic():
        rules = list(IncidentRule.objects.select_for_update())
        names = [rule.name for rule in rules]
        if name not in names:
            raise NoSuchRule
        at = names.index(name)
        rules.insert(max(0, at - 1), rules.pop(at))
        for place, rule in enumerate(rules):
            rule.place = place
        IncidentRule.objects.bulk_update(rules, ["place"])
        IncidentRule.objects.filter(name=name).update(updated_at=now, updated_by=actor)


def remove_rule(*, name: str) -> None:
    """One that has never found anything. Raises: NoSuchRule, RuleInUse."""
    rule = IncidentRule.objects.filter(name=name).first()
    if rule is None:
        raise NoSuchRule
    if rule.incidents.exists() or name in DEFAULTS:
        raise RuleInUse
    rule.delete()


def name_troubles(name: str) -> dict[str, list[str]]:
    if NAME.fullmatch(name) and len(name) <= 40 and name != "new":
        return {}
    return {"name": ["Use small letters, digits and single hyphens, at most 40, such as carrier-lane."]}


def troubles(wanted: Wanted) -> dict[str, list[str]]:
    """A sentence for each field that cannot be used."""
    errors: dict[str, list[str]] = {}
    if not 1 <= len(wanted.title.strip()) <= 80:
        errors["title"] = ["Give it a title of at most 80 characters."]
    errors |= choice_troubles("dimensions", wanted.dimensions, Dimension.values)
    errors |= choice_troubles("reasons", wanted.reasons, Reason.values)
    if not wanted.dimensions:
        errors["dimensions"] = ["Choose at least one thing that the exceptions must share."]
    if not 1 <= wanted.window_minutes <= MOST_WINDOW_MINUTES:
        errors["window_minutes"] = [f"A whole number of minutes from 1 to {MOST_WINDOW_MINUTES:,} (three days)."]
    if not 2 <= wanted.minimum <= MOST_MINIMUM:
        errors["minimum"] = [f"A whole number of orders from 2 to {MOST_MINIMUM:,}."]
    return errors


def choice_troubles(field: str, given: Sequence[str], known: Sequence[str]) -> dict[str, list[str]]:
    unknown = [word for word in given if word not in known]
    return {field: [f"“{unknown[0]}” is not known here: use {', '.join(known)}."]} if unknown else {}
