"""Steps and attempts in sentences, for the pages. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exceptions.choices import Severity
from exceptions.playbooks.catalogue import ACTION_KINDS, ActionKind
from exceptions.playbooks.models import Attempt
from exceptions.playbooks.parameters import parameter_troubles
from exceptions.playbooks.steps import Step
from exceptions.playbooks.words import Approver, Mode, State

HOUR, DAY = 60, 24 * 60
EVENTS: Mapping[str, str] = {
    "payment_confirmed": "the payment",
    "inventory_allocated": "the goods' allocation",
    "order_packed": "the packing",
    "order_fulfilled": "the handover to the carrier",
    "shipment_in_transit": "the parcel's next scan",
    "order_delivered": "the delivery",
    "order_returned": "the return",
    "order_held": "the hold",
    "order_released": "the release",
    "order_updated": "a change of the order",
    "order_cancelled": "the cancelling",
    "order_refunded": "the refund",
    "address_corrected": "the corrected address",
}
EVENT_CHOICES = [(name, words[0].upper() + words[1:]) for name, words in EVENTS.items()]
TONES: Mapping[str, str] = {
    State.FULFILLED: "is-good",
    State.DONE: "is-good",
    State.MISSED: "is-bad",
    State.FAILED: "is-bad",
    State.UNCERTAIN: "is-bad",
    State.UNKNOWN: "is-bad",
    State.AWAITING: "is-person",
    State.SUGGESTED: "is-person",
}
ICONS: Mapping[str, str] = {
    State.FULFILLED: "circle-check",
    State.DONE: "check",
    State.MISSED: "circle-alert",
    State.FAILED: "circle-alert",
    State.UNCERTAIN: "triangle-alert",
    State.UNKNOWN: "search",
    State.AWAITING: "hand",
    State.SUGGESTED: "hand",
    State.EXPECTING: "clock",
    State.REJECTED: "ban",
    State.ENDED: "ban",
}


@dataclass(frozen=True, slots=True)
class StepTold:
    """A step of a playbook. `how`: who or what starts it; `then`: what is expected; `when`: for which exceptions."""

    place: int
    title: str
    what: str
    how: str
    when: str
    then: str
    mode: str
    action: ActionKind


@dataclass(frozen=True, slots=True)
class AttemptTold:
    """An attempt. `state` in words, `detail` what came of it; `can_decide`: it waits for a person's word, by the button

    `verb`, or, if parameters are `missing`, by a form. `request`: what was sent.
    """

    attempt: Attempt
    title: str
    what: str
    who: str
    state: str
    detail: str
    tone: str
    icon: str
    can_decide: bool
    needs: str
    missing: bool
    verb: str
    money: str
    request: str


def tell_step(place: int, step: Step) -> StepTold:
    return StepTold(
        place=place,
        title=step.action.title,
        what=parameters_told(step.kind, step.parameters),
        how=how_told(step),
        when=when_told(step.when),
        then=then_told(step.expects, step.within_minutes),
        mode=step.mode,
        action=step.action,
    )


def how_told(step: Step) -> str:
    wait = f" after {length(step.delay_minutes)}" if step.delay_minutes else ""
    if step.mode == Mode.OFF:
        return "Switched off"
    if step.mode == Mode.AUTOMATIC:
        return f"By itself{wait}"
    if step.mode == Mode.SUGGEST:
        return "Suggested; anybody who works here runs it or skips it"
    who = "a manager" if step.approver == Approver.MANAGER else "one of the team"
    two = ""
    if step.two_people_above_cents is not None and step.action.moves_money:
        two = f", two of them above {step.two_people_above_cents / 100:,.2f}"
    return f"After {who} has approved{two}"


def then_told(expects: Sequence[str], within_minutes: int | None) -> str:
    if not expects or not within_minutes:
        return ""
    return f"Expects {events_told(expects)} within {length(within_minutes)}; then the exception is solved, else the next step begins"


def events_told(expects: Sequence[str]) -> str:
    return " or ".join(EVENTS.get(name, name) for name in expects)


def when_told(when: Mapping[str, Any]) -> str:
    parts = []
    if "severity_at_least" in when:
        parts.append(f"severity {str(Severity(when['severity_at_least']).label).lower()} or above")
    if when.get("order_status"):
        parts.append("order " + " or ".join(status.lower() for status in when["order_status"]))
    if "value_at_least_cents" in when:
        parts.append(f"worth {when['value_at_least_cents'] / 100:,.2f} or more")
    if "value_below_cents" in when:
        parts.append(f"worth less than {when['value_below_cents'] / 100:,.2f}")
    return f"Only if: {', '.join(parts)}" if parts else ""


def parameters_told(kind: str, parameters: Mapping[str, Any]) -> str:
    """`tags e2a, late · note …`; long texts are cut."""
    known = [(parameter.title.lower(), parameters.get(parameter.name)) for parameter in ACTION_KINDS[kind].parameters]
    return " · ".join(f"{title}: {value_told(value)}" for title, value in known if value not in ("", None, False))


def value_told(value: Any) -> str:
    if value is True:
        return "yes"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(str(item) for item in value.values() if item)
    text = " ".join(str(value).split())
    return text if len(text) <= 120 else f"{text[:120]}…"


def length(minutes: int) -> str:
    for size, word in ((DAY, "day"), (HOUR, "hour")):
        if minutes >= size and minutes % size == 0:
            number = minutes // size
            return f"{number} {word}{'' if number == 1 else 's'}"
    return f"{minutes} minutes"


def tell_attempt(attempt: Attempt) -> AttemptTold:
    return AttemptTold(
        attempt=attempt,
        title=ACTION_KINDS[attempt.kind].title,
        what=parameters_told(attempt.kind, attempt.parameters),
        who=who_told(attempt.actor),
        state=str(State(attempt.state).label),
        detail=detail_of(attempt),
        tone=TONES.get(attempt.state, ""),
        icon=ICONS.get(attempt.state, "circle-dot"),
        can_decide=attempt.state in (State.AWAITING, State.SUGGESTED),
        needs=needs_of(attempt),
        missing=bool(parameter_troubles(ACTION_KINDS[attempt.kind], attempt.parameters, running=True)),
        verb="Approve" if attempt.state == State.AWAITING else "Run it",
        money=money_told(attempt.money_cents, attempt.currency),
        request=request_told(attempt.request),
    )


def who_told(actor: str) -> str:
    kind, _, name = actor.partition(":")
    return {"playbook": f"the playbook “{name}”", "user": name, "key": f"API key {name}"}.get(kind, actor)


def money_told(cents: int | None, currency: str) -> str:
    return "" if cents is None else f"{cents / 100:,.2f} {currency}".strip()


def request_told(request: Any) -> str:
    """The call with its lines broken; queries as they are written."""
    return "" if request is None else json.dumps(request, indent=2, ensure_ascii=False)


def detail_of(attempt: Attempt) -> str:
    match attempt.state:
        case State.EXPECTING:
            return f"{attempt.answer} It should lead to {events_told(attempt.expects)}."
        case State.FULFILLED:
            event, _, which = attempt.met_by.partition(" (")
            return f"It led to {EVENTS.get(event, attempt.met_by)}" + (
                f": event {which.rstrip(')')}." if which else "."
            )
    return attempt.outcome


def needs_of(attempt: Attempt) -> str:
    """Whose word is missing."""
    if attempt.state != State.AWAITING:
        return ""
    given = [approval.actor.removeprefix("user:") for approval in attempt.approvals.all() if approval.approved]
    left = attempt.approvals_needed - len(given)
    who = "a manager" if attempt.approver == Approver.MANAGER else "one of the team"
    if attempt.approvals_needed > 1:
        who = f"{left} more of {'the managers' if attempt.approver == Approver.MANAGER else 'the team'}"
    return f"Needs {who}" + (f"; {', '.join(given)} agreed" if given else "")
