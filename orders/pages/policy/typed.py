"""What a draft would say with the form that stands on the page, as it is typed: for the example beside it."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import QueryDict

from orders.pages.policy.calendar_fields import CalendarForm
from orders.pages.policy.raise_form import RaiseForm, raises_of, with_raises
from orders.pages.policy.rule_form import RuleForm
from orders.pages.policy.weights_fields import WeightsForm

Rules = dict[str, Any]


class NotYet(Exception):
    """The form cannot be read as it stands. The sentences are the argument."""


def typed(rules: Mapping[str, Any], data: QueryDict) -> Rules:
    """`data`: `part` says which form it is, none for no form; `place` of what. Raises: NotYet."""
    apply = PARTS.get(data.get("part", ""))
    place = data.get("place", "")
    return (
        apply(rules, data, int(place) if place.isascii() and place.isdigit() and len(place) < 6 else 0)
        if apply
        else dict(rules)
    )


def with_rule(rules: Mapping[str, Any], data: QueryDict, place: int) -> Rules:
    return {**rules, "rules": [*rules["rules"][:place], read_rule(rules, data), *rules["rules"][place + 1 :]]}


def with_new_rule(rules: Mapping[str, Any], data: QueryDict, place: int) -> Rules:
    return {**rules, "rules": [*rules["rules"][:place], read_rule(rules, data), *rules["rules"][place:]]}


def read_rule(rules: Mapping[str, Any], data: QueryDict) -> Rules:
    form = RuleForm(data, calendars=list(rules.get("calendars") or {}))
    if not form.is_valid():
        raise NotYet(sentences_of(form, *form.targets))
    return form.rule()


def with_calendar(rules: Mapping[str, Any], data: QueryDict, place: int) -> Rules:
    names = list(rules.get("calendars") or {})
    return read_calendar(rules, data, names[place] if place < len(names) else "")


def with_new_calendar(rules: Mapping[str, Any], data: QueryDict, place: int) -> Rules:
    return read_calendar(rules, data, "")


def read_calendar(rules: Mapping[str, Any], data: QueryDict, old_name: str) -> Rules:
    form = CalendarForm(data, rules=rules, old_name=old_name)
    if not form.is_valid():
        raise NotYet(sentences_of(form))
    return form.policy()


def with_weights(rules: Mapping[str, Any], data: QueryDict, place: int) -> Rules:
    form = WeightsForm(data, rules=rules)
    if not form.is_valid():
        raise NotYet(sentences_of(*form.parts))
    return form.policy()


def with_raise(rules: Mapping[str, Any], data: QueryDict, place: int) -> Rules:
    form, raises = RaiseForm(data), raises_of(rules)
    if not form.is_valid():
        raise NotYet(sentences_of(form))
    return with_raises(rules, [*raises[:place], form.raised(), *raises[place + 1 :]])


def sentences_of(*forms: Any) -> list[str]:
    return [str(text) for form in forms for texts in form.errors.values() for text in texts]


PARTS: Mapping[str, Callable[[Mapping[str, Any], QueryDict, int], Rules]] = {
    "rule": with_rule,
    "new-rule": with_new_rule,
    "calendar": with_calendar,
    "new-calendar": with_new_calendar,
    "weights": with_weights,
    "raise": with_raise,
}
