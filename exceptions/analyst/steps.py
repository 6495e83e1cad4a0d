"""The steps of an order: where it stands, where its time went, and which step can stop which clock. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from exceptions.analyst.case import Case
from exceptions.analyst.words import Label
from exceptions.choices import Reason
from orders import facts
from orders.holds import Pause

PAYMENT, STOCK, PREPARATION, HANDOVER, CARRIAGE, DONE = (
    "payment",
    "stock",
    "preparation",
    "handover",
    "carriage",
    "done",
)
HOUR = timedelta(hours=1)
USUAL = {  # where the policy names no target
    PAYMENT: timedelta(minutes=30),
    STOCK: timedelta(minutes=15),
    PREPARATION: 4 * HOUR,
    HANDOVER: 8 * HOUR,
    CARRIAGE: 30 * HOUR,
}
TARGETS = {PAYMENT: "payment_processing", STOCK: "inventory_check", PREPARATION: "shipping_preparation"}
LABELS = {
    PAYMENT: Label.PAYMENT_ISSUE,
    STOCK: Label.INVENTORY_SHORTAGE,
    PREPARATION: Label.DELAYED_FULFILLMENT,
    HANDOVER: Label.DELAYED_FULFILLMENT,
    CARRIAGE: Label.SHIPPING_DELAY,
}
HOLDS: Mapping[str, Label] = {
    "incorrect_address": Label.ADDRESS_VALIDATION,
    "address": Label.ADDRESS_VALIDATION,
    "inventory_out_of_stock": Label.INVENTORY_SHORTAGE,
    "stock": Label.INVENTORY_SHORTAGE,
    "awaiting_payment": Label.PAYMENT_ISSUE,
    "payment": Label.PAYMENT_ISSUE,
    "fraud": Label.FRAUD_REVIEW,
    "customs": Label.CUSTOMS_HOLD,
}
_PAY = frozenset({Label.PAYMENT_ISSUE, Label.FRAUD_REVIEW, Label.ORDER_HELD})
_STOCK = frozenset({Label.INVENTORY_SHORTAGE, Label.FRAUD_REVIEW, Label.ORDER_HELD})
_READY = _STOCK | {Label.ADDRESS_VALIDATION, Label.DELAYED_FULFILLMENT, Label.WEATHER}
_ROAD = frozenset(
    {
        Label.SHIPPING_DELAY,
        Label.CARRIER_LOST,
        Label.CUSTOMER_UNAVAILABLE,
        Label.CUSTOMS_HOLD,
        Label.WEATHER,
        Label.ADDRESS_VALIDATION,
    }
)
CAUSES: Mapping[str, frozenset[Label]] = {  # what lies between the start and the end of a reason's clock
    Reason.PAYMENT_DELAY: _PAY,
    Reason.PAYMENT_FAILED: _PAY,
    Reason.INVENTORY_DELAY: _STOCK,
    Reason.INVENTORY_SHORTAGE: _STOCK,
    Reason.PREPARATION_DELAY: _READY,
    Reason.FULFILLMENT_DELAY: _PAY | _READY,
    Reason.DELIVERY_DELAY: _PAY | _READY | _ROAD,
    Reason.SHIPPING_DELAY: _ROAD,
    Reason.DELIVERY_FAILED: _ROAD,
    Reason.ADDRESS_INVALID: frozenset({Label.ADDRESS_VALIDATION, Label.ORDER_HELD}),
    Reason.SOURCE_SILENT: frozenset(),
    Reason.ORDERS_MISSING: frozenset(),
}
ALWAYS = frozenset({Label.SOURCE_TROUBLE, Label.UNKNOWN})


class Loss(NamedTuple):
    """Time that a step took beyond what it may take. `refs`: where it began and ended."""

    label: Label
    length: timedelta
    refs: tuple[str, ...]


def causes_of(case: Case) -> frozenset[Label]:
    return CAUSES.get(case.subject.reason, frozenset(Label)) | ALWAYS


def stuck_in(case: Case) -> str:
    """The step that the order had not got past. Steps that no source reports are not waited for."""
    if case.first(facts.DELIVERED) or case.first(facts.RETURNED):
        return DONE
    if case.shipped_at:
        return CARRIAGE
    if case.first(facts.PACKED):
        return HANDOVER
    if case.first(facts.ALLOCATED):
        return PREPARATION
    if case.first(facts.PAID):
        waited_for = facts.ALLOCATED in case.today.reported or case.subject.reason == Reason.INVENTORY_DELAY
        return STOCK if waited_for else PREPARATION
    return PAYMENT


def entered_at(case: Case, step: str) -> datetime:
    """When the order came to this step."""
    found = {
        STOCK: case.first(facts.PAID),
        PREPARATION: case.first(facts.ALLOCATED) or case.first(facts.PAID),
        HANDOVER: case.first(facts.PACKED),
        CARRIAGE: case.shipped_at,
    }
    return found.get(step) or case.began_at


def allowed(case: Case, step: str) -> timedelta:
    stage = case.stages.get(TARGETS.get(step, ""))
    target = stage.target_seconds if stage else None
    return timedelta(seconds=target) if target is not None else USUAL[step]


def losses_of(case: Case) -> list[Loss]:
    """Where the time went. Holds count for what they were for, and only against a promise: other clocks stand still."""
    found = [loss for step in LABELS if (loss := loss_of(case, step))]
    if case.subject.reason == Reason.DELIVERY_DELAY:
        found += [loss for pause in case.pauses if (loss := loss_of_hold(case, pause)).length > timedelta()]
    return found


def loss_of(case: Case, step: str) -> Loss | None:
    began, ended = bounds(case, step)
    if began is None or ended is None or ended <= began:
        return None
    length = ended - began - paused(case, began, ended) - allowed(case, step)
    return Loss(LABELS[step], length, refs_at(case, began, ended)) if length > timedelta() else None


def bounds(case: Case, step: str) -> tuple[datetime | None, datetime | None]:
    """When the step began and ended, or until when the case is told; None: it never was."""
    paid, allocated, packed = (case.first(kind) for kind in (facts.PAID, facts.ALLOCATED, facts.PACKED))
    shipped, done = case.shipped_at, case.first(facts.DELIVERED) or case.first(facts.RETURNED) or case.until
    open_end = case.until if shipped is None else shipped
    match step:
        case "payment":
            return case.began_at, paid or (case.until if not (allocated or packed or shipped) else None)
        case "stock":
            return (paid if allocated or stuck_in(case) == STOCK else None), allocated or packed or open_end
        case "preparation":
            return allocated or (None if stuck_in(case) == STOCK else paid), packed or open_end
        case "handover":
            return packed, open_end
    return shipped, done


def paused(case: Case, began: datetime, ended: datetime) -> timedelta:
    return sum((overlap(pause, began, ended, case.until) for pause in case.pauses), timedelta())


def overlap(pause: Pause, began: datetime, ended: datetime, until: datetime) -> timedelta:
    return max(timedelta(), min(pause.until or until, ended) - max(pause.since, began))


def loss_of_hold(case: Case, pause: Pause) -> Loss:
    held = [one for one in case.of(facts.HELD) if one.at >= pause.since and one.at <= (pause.until or case.until)]
    label = next((hold_label(reason) for one in held for reason in one.told.codes if hold_label(reason)), None)
    return Loss(label or Label.ORDER_HELD, (pause.until or case.until) - pause.since, tuple(one.ref for one in held))


def hold_label(reason: str) -> Label | None:
    """What a hold is for, by its reason's words."""
    return next((label for word, label in HOLDS.items() if word in reason.lower()), None)


def refs_at(case: Case, *instants: datetime) -> tuple[str, ...]:
    """The first event of each of these instants."""
    found = (next((one.ref for one in case.happenings if one.at == at), "") for at in instants)
    return tuple(dict.fromkeys(ref for ref in found if ref))
