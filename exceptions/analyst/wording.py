"""The rules' words for the team and for the customer. Pure. No word of ours (a clock, a label, a source) reaches a customer."""

from collections.abc import Mapping

from exceptions.analyst.case import Case, length_text
from exceptions.analyst.words import Action, Label

NEXT: Mapping[Action, str] = {
    Action.SHOPIFY_HOLD: "Hold it in the shop until this is mended.",
    Action.SHOPIFY_RELEASE: "What it was held for is mended: release it in the shop.",
    Action.SHOPIFY_ADDRESS: "Put the right address into the shop.",
    Action.SHOPIFY_TAG: "Tag it in the shop.",
    Action.SHOPIFY_TRACKING: "Send the customer the tracking notice.",
    Action.SHOPIFY_CANCEL: "Cancel it in the shop.",
    Action.SHOPIFY_REFUND: "Refund it.",
    Action.EMAIL_CUSTOMER: "Write to the customer.",
    Action.EMAIL_TEAM: "Write to those who can move it.",
    Action.SHOPIFY_MOVE: "Ship it from another location.",
    Action.SHOPIFY_RESCHEDULE: "Give it another day.",
    Action.SLACK: "Tell those who can move it.",
    Action.WEBHOOK: "Tell the system that can move it.",
    Action.ASSIGN: "Somebody should look at it.",
    Action.HOLD: "Hold it until this is mended.",
    Action.RELEASE: "What it was held for is mended: release it.",
    Action.WAIT: "Wait for the next event.",
    Action.NONE: "Nothing is left to do.",
}
CLIENT: Mapping[Label, str] = {
    Label.PAYMENT_ISSUE: "We have not received the payment for your order yet. As soon as it arrives, we prepare your order.",
    Label.INVENTORY_SHORTAGE: "Part of your order is not in stock at the moment. We are working on it and keep you posted.",
    Label.ADDRESS_VALIDATION: "We could not confirm the delivery address of your order. Please check it and send us the"
    " correct one, so that we can ship.",
    Label.DELAYED_FULFILLMENT: "Preparing your order takes longer than we planned. We are sorry, and ship it as soon as it is ready.",
    Label.SHIPPING_DELAY: "Your parcel is on its way, but later than planned. We are following it and keep you posted.",
    Label.CARRIER_LOST: "Your parcel has not moved for some days. We are looking into it and come back to you with a solution.",
    Label.CUSTOMER_UNAVAILABLE: "The carrier could not hand over your parcel. Please tell us when or where it may be delivered.",
    Label.CUSTOMS_HOLD: "Your parcel is waiting for clearance at customs. We are following it and keep you posted.",
    Label.WEATHER: "Bad weather is holding up your parcel. It continues its way as soon as that is possible.",
    Label.FRAUD_REVIEW: "We are finishing a last check of your order and come back to you shortly.",
    Label.ORDER_HELD: "Your order is waiting for a last check. We come back to you shortly.",
    Label.SOURCE_TROUBLE: "We are checking where your order stands and come back to you shortly.",
    Label.UNKNOWN: "We are checking where your order stands and come back to you shortly.",
}


def client_note(label: Label) -> str:
    return CLIENT[label]


def ops_note(case: Case, root_cause: str, action: Action) -> str:
    subject = case.subject
    parts = [root_cause]
    if subject.due_at and subject.verdict == "active":
        parts.append(f"Overdue by {length_text(case.until - subject.due_at)}.")
    if subject.occurrence > 1:
        parts.append(f"It is the {ordinal(subject.occurrence)} time on this order.")
    parts.append(NEXT[action])
    return " ".join(parts)


def ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
