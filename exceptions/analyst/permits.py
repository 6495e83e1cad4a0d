"""Which actions may be recommended for a case at all. What an AI answers is held against this, so no text can widen it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from exceptions.analyst import steps
from exceptions.analyst.case import Case
from exceptions.analyst.words import Action, Label
from orders import facts

A = Action
HARMLESS = (A.NONE, A.WAIT, A.ASSIGN)
TELL = (A.EMAIL_CUSTOMER, A.EMAIL_TEAM, A.SLACK, A.WEBHOOK, A.SHOPIFY_TAG)
KEEP = (A.SHOPIFY_HOLD, A.HOLD)
LET_GO = (A.SHOPIFY_RELEASE, A.RELEASE)
HOPELESS = timedelta(days=2)  # unpaid or without goods for so long, an order may be cancelled

PREFERRED: Mapping[Label, Sequence[Action]] = {  # the best first
    Label.PAYMENT_ISSUE: (A.SHOPIFY_CANCEL, A.EMAIL_CUSTOMER, *TELL, *KEEP),
    Label.INVENTORY_SHORTAGE: (A.SHOPIFY_REFUND, A.SLACK, *TELL, A.SHOPIFY_MOVE, *KEEP),
    Label.ADDRESS_VALIDATION: (A.EMAIL_CUSTOMER, *TELL, A.SHOPIFY_ADDRESS, *KEEP),
    Label.DELAYED_FULFILLMENT: (A.SLACK, *TELL, A.SHOPIFY_MOVE, A.SHOPIFY_RESCHEDULE),
    Label.SHIPPING_DELAY: (A.EMAIL_CUSTOMER, *TELL, A.SHOPIFY_TRACKING),
    Label.CARRIER_LOST: (A.ASSIGN, *TELL, A.SHOPIFY_REFUND),
    Label.CUSTOMER_UNAVAILABLE: (A.EMAIL_CUSTOMER, *TELL, A.SHOPIFY_TRACKING),
    Label.CUSTOMS_HOLD: (A.EMAIL_CUSTOMER, *TELL),
    Label.WEATHER: (A.EMAIL_CUSTOMER, *TELL, A.WAIT),
    Label.FRAUD_REVIEW: (A.ASSIGN, A.SLACK, *KEEP),
    Label.ORDER_HELD: (A.ASSIGN, A.SLACK),
    Label.SOURCE_TROUBLE: (A.SLACK, A.ASSIGN),
    Label.UNKNOWN: (A.ASSIGN, A.SLACK),
}


def permitted_actions(case: Case, labels: Iterable[Label]) -> frozenset[Action]:
    """For the causes that the rules hold plausible. Over or cancelled, nothing but words is left to do."""
    if case.subject.verdict != "active" or case.status == "CANCELLED":
        return frozenset({A.NONE})
    allowed = {kind for label in labels for kind in PREFERRED[label]}
    allowed |= set(HARMLESS)
    if is_open_hold_cured(case):
        allowed |= set(LET_GO)
    return frozenset(allowed - refused(case))


def refused(case: Case) -> set[Action]:
    """What cannot be undone needs more than a cause: time that has passed, and goods that are not on their way."""
    gone = case.shipped_at is not None
    old = case.until - case.began_at > HOPELESS
    found = set()
    if gone or not old or case.first(facts.PAID):
        found.add(A.SHOPIFY_CANCEL)
    if not case.first(facts.PAID) or not old:
        found.add(A.SHOPIFY_REFUND)
    if gone:
        found |= {A.SHOPIFY_ADDRESS, A.SHOPIFY_MOVE, A.SHOPIFY_RESCHEDULE, *KEEP}
    return found


def is_open_hold_cured(case: Case) -> bool:
    """Held, and what it was held for is mended: the payment came, the address was corrected, the goods were found."""
    if not case.pauses or case.pauses[-1].until is not None:
        return False
    held = case.of(facts.HELD)[-1]
    label = next((found for code in held.told.codes if (found := steps.hold_label(code))), None)
    cure = {
        Label.PAYMENT_ISSUE: facts.PAID,
        Label.ADDRESS_VALIDATION: "address_corrected",
        Label.INVENTORY_SHORTAGE: facts.ALLOCATED,
    }.get(label or Label.UNKNOWN)
    return cure is not None and any(one.at > held.at for one in case.of(cure))


def first_choice(case: Case, label: Label, permitted: frozenset[Action]) -> Action:
    """What the rules recommend: never what cannot be undone, which a person or a playbook may still choose."""
    if A.RELEASE in permitted:
        return A.SHOPIFY_RELEASE if is_shopify(case) else A.RELEASE
    safe = permitted - {A.SHOPIFY_CANCEL, A.SHOPIFY_REFUND}
    return next((kind for kind in PREFERRED[label] if kind in safe), A.NONE if A.ASSIGN not in safe else A.ASSIGN)


def is_shopify(case: Case) -> bool:
    return any(one.fact.event_id.startswith("~fulfillment_orders/") for one in case.of(facts.HELD))
