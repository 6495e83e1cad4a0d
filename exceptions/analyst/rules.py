"""The rules: what happened, how sure, whose it is, what to do; read off the order's own history and its lane. Pure.

Every reader of `signals` adds weight to causes; only a cause that lies between the start and the end of the exception's own
clock counts. The heaviest wins; the confidence is its share, so that two good explanations make each other unsure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp

from exceptions.analyst.case import Case
from exceptions.analyst.permits import first_choice, permitted_actions
from exceptions.analyst.signals import Signal, signals_of
from exceptions.analyst.steps import causes_of
from exceptions.analyst.wording import client_note, ops_note
from exceptions.analyst.words import BLAME_OF, Action, Blame, Label

SUREST, LEAST, DOUBT = 0.97, 0.05, 0.4
PLAUSIBLE = 0.1
MOST_EVIDENCE = 6


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event of the order, and what it shows."""

    ref: str
    event_id: str
    source: str
    shows: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """An analysis. `root_cause` and `ops_note` are for the team, `client_note` may be sent to the customer.

    `plausible`: every label that the signals do not rule out, with its share.
    """

    label: Label
    confidence: float
    blame: Blame
    root_cause: str
    evidence: Sequence[Evidence]
    ops_note: str
    client_note: str
    action: Action
    plausible: Mapping[Label, float]


def judge_case(case: Case) -> Judgement:
    causes = causes_of(case)
    found = [signal for signal in signals_of(case) if signal.label in causes]
    shares = shares_of(found)
    label = max(shares, key=lambda one: (shares[one], one.value))
    told = sorted((one for one in found if one.label == label), key=lambda one: -one.weight)
    root_cause = " ".join(dict.fromkeys(one.text for one in told if one.text)) or "Nothing in its history says why."
    permitted = permitted_actions(case, [one for one, share in shares.items() if share >= PLAUSIBLE])
    action = first_choice(case, label, permitted)
    return Judgement(
        label=label,
        confidence=confidence_of(label, shares[label]),
        blame=BLAME_OF[label],
        root_cause=root_cause,
        evidence=evidence_of(case, told),
        ops_note=ops_note(case, root_cause, action),
        client_note=client_note(label),
        action=action,
        plausible=shares,
    )


def confidence_of(label: Label, share: float) -> float:
    """Not knowing is never known for sure."""
    most = DOUBT if label == Label.UNKNOWN else SUREST
    return round(min(most, max(LEAST, share)), 3)


def shares_of(signals: Iterable[Signal]) -> dict[Label, float]:
    """The share of each cause that has a signal, and of `unknown`, which needs none."""
    weights = {Label.UNKNOWN: 0.0}
    for signal in signals:
        weights[signal.label] = weights.get(signal.label, 0.0) + signal.weight
    whole = sum(exp(weight) for weight in weights.values())
    return {label: exp(weight) / whole for label, weight in weights.items()}


def evidence_of(case: Case, told: Iterable[Signal]) -> list[Evidence]:
    """Each event once, with the first sentence that it shows; without any signal the last that happened."""
    shows: dict[str, str] = {}
    for signal in told:
        for ref in signal.refs:
            shows[ref] = shows.get(ref) or signal.text
    if not shows and case.happenings:
        shows[case.happenings[-1].ref] = "The last that happened."
    by_ref = {one.ref: one for one in case.happenings}
    return [
        Evidence(ref, by_ref[ref].fact.event_id, by_ref[ref].fact.source, text)
        for ref, text in list(shows.items())[:MOST_EVIDENCE]
    ]
