"""Whether a case is worth the AI. Pure."""

from dataclasses import dataclass

from exceptions.analyst.case import Case
from exceptions.analyst.rules import Judgement
from exceptions.analyst.words import Fallback
from exceptions.choices import Severity, Verdict

SMART, FULL, FALLBACK = "smart", "full", "fallback"
SURE = 0.8  # of the rules: above it, only what is severe is worth asking about
SEVERE = (Severity.HIGH, Severity.CRITICAL)
PATIENCE_SECONDS = 45  # an exception that waited so long for its turn gets the rules' answer


@dataclass(frozen=True, slots=True)
class Desk:
    """How the installation and the tenant stand to the AI just now."""

    mode: str
    has_provider: bool
    is_on: bool  # not switched off for losing to the rules
    waited_seconds: float = 0.0


def reason_for_rules(case: Case, judgement: Judgement, desk: Desk) -> Fallback | None:
    """Why the rules' answer stands; None: ask the AI."""
    subject = case.subject
    reasons = (
        (subject.history, Fallback.HISTORY),
        (desk.mode == FALLBACK, Fallback.MODE),
        (not desk.has_provider, Fallback.NO_KEY),
        (subject.verdict != Verdict.ACTIVE, Fallback.OVER),
        (not desk.is_on, Fallback.SWITCHED_OFF),
        (
            desk.mode == SMART and judgement.confidence >= SURE and subject.severity not in SEVERE,
            Fallback.CLEAR,
        ),
        (desk.waited_seconds > PATIENCE_SECONDS, Fallback.BUSY),
    )
    return next((reason for applies, reason in reasons if applies), None)
