"""What speaks for which cause: each reader looks at one side of a case and says what it sees, how strongly, and where. Pure.

Weights are in the scale of log-odds against “not clear”: 2 is a hint, 3 good evidence, 4 a fact that names its cause.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from exceptions.analyst import steps
from exceptions.analyst.case import Case, Happening, length_text
from exceptions.analyst.personal import without_people
from exceptions.analyst.words import Label
from exceptions.choices import Reason
from orders import facts

NAMED, GOOD, FAIR, HINT, TRACE = 4.0, 3.0, 2.2, 1.5, 0.7
QUIET = timedelta(hours=18)  # a parcel on its way is scanned more often than this
LOST = timedelta(days=7)
MOMENT = timedelta(minutes=20)
LONGEST_WORD = 80  # of a provider's own word for it
CROWD = 3  # other orders in the same trouble that make it the lane's, not the order's
ABSENT = ("not home", "no answer", "unavailable", "nobody", "no one", "absent", "recipient not", "closed", "missed")
BAD_ADDRESS = ("address", "insufficient", "unknown recipient", "addressee", "no such number", "street")
GONE = ("lost", "missing", "damaged", "destroyed", "stolen")
WEATHER = ("weather", "storm", "flood", "snow", "natural disaster", "hurricane")
CUSTOMS = ("customs", "clearance", "duties", "import")
LONG_CLOCKS = (Reason.FULFILLMENT_DELAY, Reason.DELIVERY_DELAY)
PENDING = ("pending", "awaiting", "authorized")


class Signal(NamedTuple):
    """`refs`: the events of the case that show it. `text`: a sentence for the team; empty when another says it already."""

    label: Label
    weight: float
    refs: tuple[str, ...]
    text: str = ""


Reader = Callable[[Case], Iterator[Signal]]


def signals_of(case: Case) -> list[Signal]:
    return [signal for read in READERS for signal in read(case)]


def payment(case: Case) -> Iterator[Signal]:
    paid, failed = case.first(facts.PAID), case.of("payment_failed")
    if failed:
        cured = paid is not None and paid >= failed[-1].at
        times = "once" if len(failed) == 1 else f"{len(failed)} times"
        yield Signal(
            Label.PAYMENT_ISSUE,
            (GOOD if cured else NAMED) + 0.3 * min(len(failed) - 1, 3),
            tuple(one.ref for one in failed),
            f"The payment failed {times}{because(failed[-1])}{', then came' if cured else ' and has not come since'}.",
        )
    if paid is None and steps.stuck_in(case) == steps.PAYMENT:
        yield unpaid(case)


def unpaid(case: Case) -> Signal:
    waited = length_text(case.until - case.began_at)
    pending = [one for one in case.of("payment_transaction") if case.has_code(one, PENDING)]
    if pending:
        by = f" by {case.lane.gateway}" if case.lane.gateway else ""
        text = f"A payment{by} was announced and is still pending {waited} after the order."
        return Signal(Label.PAYMENT_ISSUE, GOOD + 0.3, (pending[-1].ref,), text)
    return Signal(Label.PAYMENT_ISSUE, FAIR, last_refs(case), f"No payment is confirmed {waited} after the order.")


def stock(case: Case) -> Iterator[Signal]:
    short = case.of("inventory_shortage")
    if short:
        goods = f" of {', '.join(case.lane.skus[:3])}" if case.lane.skus else ""
        cures = [at for kind in (facts.ALLOCATED, facts.PACKED, facts.FULFILLED) for at in times(case, kind)]
        cured = any(at >= short[-1].at for at in cures)
        text = f"The warehouse reported a shortage{goods}{', since cured' if cured else ''}."
        yield Signal(Label.INVENTORY_SHORTAGE, FAIR if cured else NAMED, tuple(one.ref for one in short), text)
    if steps.stuck_in(case) == steps.STOCK:
        waited = case.until - steps.entered_at(case, steps.STOCK)
        if waited > steps.allowed(case, steps.STOCK):
            text = f"Paid {length_text(waited)} ago, and still no stock was set aside for it."
            yield Signal(Label.INVENTORY_SHORTAGE, FAIR, case.refs(facts.PAID)[:1], text)


def address(case: Case) -> Iterator[Signal]:
    wrong = case.of("address_invalid")
    if wrong:
        cured = any(at >= wrong[-1].at for at in times(case, "address_corrected"))
        again = f" {len(wrong)} times" if len(wrong) > 1 else ""
        text = f"The address was found unusable{again}{', then corrected' if cured else ' and is not corrected'}."
        yield Signal(
            Label.ADDRESS_VALIDATION, (FAIR if cured else NAMED) + (TRACE if again else 0), refs_of(wrong), text
        )
    refused = [one for one in case.of("delivery_failed", "order_returned") if case.has_code(one, BAD_ADDRESS)]
    if refused:
        text = "The carrier could not deliver and names the address as the reason."
        yield Signal(Label.ADDRESS_VALIDATION, NAMED + TRACE, refs_of(refused), text)


def holds(case: Case) -> Iterator[Signal]:
    """A hold that is still open, or was when the exception ended."""
    released = {(one.fact.detail or {}).get("hold_id") for one in case.of(facts.RELEASED)}
    for one in case.of(facts.HELD):
        if (one.fact.detail or {}).get("hold_id") in released:
            continue
        label = next((found for code in one.told.codes if (found := steps.hold_label(code))), Label.ORDER_HELD)
        text = f"The order is held{because(one)} for {length_text(case.until - one.at)}."
        yield Signal(label, GOOD if label == Label.ORDER_HELD else TRACE + HINT, (one.ref,), text)


def warehouse(case: Case) -> Iterator[Signal]:
    step = steps.stuck_in(case)
    if step not in (steps.PREPARATION, steps.HANDOVER):
        return
    entered = steps.entered_at(case, step)
    waited = case.until - entered - steps.paused(case, entered, case.until)
    where = f" at {case.lane.warehouse}" if case.lane.warehouse else ""
    if step == steps.HANDOVER and waited > MOMENT:
        yield Signal(
            Label.DELAYED_FULFILLMENT,
            GOOD,
            case.refs(facts.PACKED)[-1:],
            f"Packed{where} {length_text(waited)} ago and not handed to the carrier.",
        )
        yield Signal(Label.SHIPPING_DELAY, TRACE, case.refs(facts.PACKED)[-1:])
    elif step == steps.PREPARATION and (
        waited > steps.allowed(case, step) or case.subject.reason == Reason.FULFILLMENT_DELAY
    ):
        refs = case.refs(facts.ALLOCATED)[:1] or case.refs(facts.PAID)[:1]
        text = f"Ready to be packed{where} for {length_text(waited)}, and nothing happened since."
        yield Signal(Label.DELAYED_FULFILLMENT, GOOD, refs, text)


def carrier(case: Case) -> Iterator[Signal]:
    delayed, name = case.of("shipment_delayed"), case.lane.carrier or "The carrier"
    if delayed:
        cured = any(at > delayed[-1].at for at in times(case, "shipment_in_transit"))
        text = f"{name} reported a delay{because(delayed[-1], 'delayed')}{', and moved it since' if cured else ''}."
        yield Signal(Label.SHIPPING_DELAY, FAIR if cured else NAMED, refs_of(delayed), text)
    failed = case.of("delivery_failed")
    if failed:
        times_ = f" {len(failed)} times" if len(failed) > 1 else ""
        text = f"{name} reported a failed delivery{times_}{because(failed[-1], 'failure')}."
        yield Signal(Label.SHIPPING_DELAY, GOOD, refs_of(failed), text)
    if case.of(facts.RETURNED):
        yield Signal(Label.SHIPPING_DELAY, HINT, case.refs(facts.RETURNED), "The parcel went back to the sender.")
    if steps.stuck_in(case) == steps.CARRIAGE:
        yield from stalled(case, name)


def stalled(case: Case, name: str) -> Iterator[Signal]:
    last = case.last_scan
    if last is None:
        return
    still = case.until - last.at
    if is_lost(case):
        text = f"No scan by {name} for {length_text(still)}: the parcel is probably lost."
        yield Signal(Label.CARRIER_LOST, NAMED + GOOD, (last.ref,), text)
    elif last.kind == facts.FULFILLED and still > QUIET:
        text = f"Handed to {name} {length_text(still)} ago and never scanned."
        yield Signal(Label.SHIPPING_DELAY, FAIR, (last.ref,), text)
    elif still > QUIET or case.subject.reason == Reason.DELIVERY_DELAY:
        text = f"On its way with {name}; the last scan was {length_text(still)} ago."
        yield Signal(Label.SHIPPING_DELAY, GOOD if still > QUIET else HINT, (last.ref,), text)


def is_lost(case: Case) -> bool:
    last = case.last_scan
    return last is not None and steps.stuck_in(case) == steps.CARRIAGE and case.until - last.at > LOST


def door(case: Case) -> Iterator[Signal]:
    """What happened at the customer's door; one attempt alone is the carrier's as often as the customer's."""
    tried = case.of("delivery_attempted")
    said = [one for one in case.of("delivery_attempted", "delivery_failed") if case.has_code(one, ABSENT)]
    if said:
        text = f"Nobody took the parcel{because(said[-1])}."
        yield Signal(Label.CUSTOMER_UNAVAILABLE, NAMED + TRACE, refs_of(said), text)
    elif tried:
        text = f"The carrier tried to deliver {len(tried)} times." if len(tried) > 1 else ""
        weight = TRACE if len(tried) == 1 else GOOD + TRACE
        yield Signal(Label.CUSTOMER_UNAVAILABLE, weight, refs_of(tried), text)


def forces(case: Case) -> Iterator[Signal]:
    """What the carrier names as stronger than itself."""
    for words, label, text in (
        (GONE, Label.CARRIER_LOST, "The carrier reports the parcel as lost or damaged."),
        (WEATHER, Label.WEATHER, "The carrier names the weather as the reason."),
        (CUSTOMS, Label.CUSTOMS_HOLD, "The carrier names customs as the reason."),
    ):
        named = [one for one in case.happenings if is_carriage(one) and case.has_code(one, words)]
        if named:
            yield Signal(label, NAMED + HINT, refs_of(named), text)


def source(case: Case) -> Iterator[Signal]:
    told = case.of("source_silent", "order_numbers_missing")
    if told:
        yield Signal(Label.SOURCE_TROUBLE, NAMED + 1, refs_of(told), "The source stopped telling all that happens.")
    if missed := unreported(case):
        text = f"{missed} was never reported, though it must have happened: what is missing is the report."
        yield Signal(Label.SOURCE_TROUBLE, NAMED, later_refs(case), text)
    if case.course.contradiction:
        yield Signal(Label.SOURCE_TROUBLE, HINT, last_refs(case), case.course.contradiction)
    quiet = sorted(case.today.silent & {one.fact.source for one in case.happenings})
    if quiet and case.subject.verdict == "active":
        text = f"The source “{quiet[0]}” is silent, so what is missed may have happened."
        yield Signal(Label.SOURCE_TROUBLE, FAIR, last_refs(case), text)


def unreported(case: Case) -> str:
    """What the exception waits or waited for, if the order's later course shows that it happened unseen; else nothing."""
    shipped, packed, allocated = case.shipped_at, case.first(facts.PACKED), case.first(facts.ALLOCATED)
    match case.subject.reason:
        case Reason.PAYMENT_DELAY if not case.first(facts.PAID):
            told = any(one.told.paid for one in case.happenings)
            return "The payment" if told or shipped or packed else ""
        case Reason.INVENTORY_DELAY if not allocated:
            return "Setting the goods aside" if shipped or packed else ""
        case Reason.PREPARATION_DELAY if not packed:
            return "Packing" if shipped else ""
        case Reason.FULFILLMENT_DELAY if not case.first(facts.FULFILLED):
            return "The handover to the carrier" if shipped else ""
    return ""


def later_refs(case: Case) -> tuple[str, ...]:
    """The events that show it."""
    kinds = (facts.PACKED, facts.FULFILLED, "fulfillment_created", *moved_kinds(), facts.DELIVERED)
    return tuple(one.ref for one in case.happenings if one.kind in kinds or one.told.paid)[:3]


def losses(case: Case) -> Iterator[Signal]:
    """A clock that spans several steps, or that has ended: the cause is where the time went."""
    subject = case.subject
    if subject.stage is None or (subject.verdict == "active" and subject.reason not in LONG_CLOCKS):
        return
    found = [loss for loss in steps.losses_of(case) if loss.label in steps.causes_of(case)]
    whole = sum((loss.length for loss in found), timedelta())
    for loss in found:
        share = loss.length / whole
        label = Label.CARRIER_LOST if loss.label == Label.SHIPPING_DELAY and is_lost(case) else loss.label
        if share >= 0.15:
            text = f"{label.label}: {length_text(loss.length)} beyond what this step takes."
            yield Signal(label, GOOD * share, loss.refs, text)


def lane(case: Case) -> Iterator[Signal]:
    """Others in the same trouble at the same place make it the place's trouble."""
    for trait, value in traits_of(case):
        for label in Label:
            others = case.today.alike.get((trait, value, label), 0)
            if others >= CROWD:
                text = f"{others} other orders of {value} are in the same trouble today."
                yield Signal(label, min(0.1 * others, 1.2), (), text)


def traits_of(case: Case) -> Iterator[tuple[str, str]]:
    for trait in ("carrier", "warehouse", "gateway"):
        if value := getattr(case.lane, trait):
            yield trait, value
    for sku in case.lane.skus:
        yield "sku", sku


def because(one: Happening, *skip: str) -> str:
    """“ (card_declined)”: the provider's own word, if it says more than the event's type."""
    plain = {*skip, one.kind, "failure", "error", "pending", "success", "failed", "open", "on_hold"}
    word = next((code for code in one.told.codes if code not in plain), "")
    return f" ({without_people(word)[:LONGEST_WORD]})" if word else ""


def is_carriage(one: Happening) -> bool:
    return one.kind in (*moved_kinds(), facts.RETURNED, facts.DELIVERED)


def moved_kinds() -> tuple[str, ...]:
    return ("shipment_in_transit", "shipment_delayed", "delivery_attempted", "delivery_failed")


def refs_of(found: Sequence[Happening]) -> tuple[str, ...]:
    return tuple(one.ref for one in found)


def last_refs(case: Case) -> tuple[str, ...]:
    return refs_of(case.happenings[-1:])


def times(case: Case, kind: str) -> list[datetime]:
    return [one.at for one in case.of(kind)]


READERS: Sequence[Reader] = (payment, stock, address, holds, warehouse, carrier, door, forces, source, losses, lane)
