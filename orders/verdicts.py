"""Both verdicts on an order side by side, and in words why they differ. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orders.explaining import Explained
from orders.outcome import Outcome, StageLike, contract_outcome, promise_outcome
from orders.stages import CANCELLED, DELIVERY
from orders.wording import moment_words
from tenants.policy_words import STAGE_WORDS

STILL_GOOD = (Outcome.OPEN, Outcome.PAUSED, Outcome.AT_RISK, Outcome.KEPT)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """`why`: a sentence that tells why the two differ, or that they do not."""

    contract: Outcome
    contract_note: str
    promise: Outcome
    promise_note: str
    why: str


def verdicts_of(stages: Sequence[StageLike], promised_at: datetime | None, explained: Explained) -> Verdicts:
    delivery = next((stage for stage in stages if stage.name == DELIVERY), None)
    contract = contract_outcome(stages, promised_at)
    promise = promise_outcome(promised_at, delivery, explained.now)
    return Verdicts(
        contract,
        contract_note(stages, promised_at),
        promise,
        promise_note(promised_at, delivery, explained.timezone),
        apart(contract, promise, excluded=any(each.excluded for each in explained.stages)),
    )


def contract_note(stages: Sequence[StageLike], promised_at: datetime | None) -> str:
    late = [
        STAGE_WORDS[stage.name]
        for stage in stages
        if stage.breached and not (stage.name == DELIVERY and stage.due_at == promised_at)
    ]
    return f"Late: {', '.join(late)}." if late else "With pauses and exclusions, as its rule says."


def promise_note(promised_at: datetime | None, delivery: StageLike | None, timezone: str) -> str:
    if promised_at is None:
        return "The order carries no delivery date."
    said = f"Promised for {moment_words(promised_at, timezone)}"
    if delivery is not None and delivery.ended_at is not None and delivery.state != CANCELLED:
        return f"{said}, arrived {moment_words(delivery.ended_at, timezone)}."
    return f"{said}; nothing moves it."


def apart(contract: Outcome, promise: Outcome, *, excluded: bool) -> str:
    """Why the verdicts themselves differ; empty where there is only one, or none."""
    if promise is Outcome.NONE:
        return ""
    if contract is Outcome.NONE:
        why = "its rule excludes the order" if excluded else "no rule sets a deadline for it"
        return f"Only the promise counts here: {why}."
    if promise is Outcome.BROKEN and contract in STILL_GOOD:
        return (
            "The contract is not broken and the promise is: the contract's clock stands still in pauses and, where its rule "
            "says so, outside working hours; the date promised to the customer waits for nothing."
        )
    if contract is Outcome.BROKEN and promise in STILL_GOOD:
        reached = "got the order in time" if promise is Outcome.KEPT else "can still get the order in time"
        return f"A deadline of the contract was missed, and the customer {reached}: the promise leaves more time."
    return "Both say the same." if contract is promise else ""
