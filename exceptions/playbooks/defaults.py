"""The playbooks that a new tenant starts with: what is harmless by itself, what is not by a person's word. Pure.

`slack` and `team` name outgoing targets of the tenant; without one the steps that need it are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exceptions.choices import Reason
from exceptions.playbooks.words import Approver, Mode

HOUR, DAY = 60, 24 * 60
TWO_PEOPLE_ABOVE = 20_000  # cents
Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Targets:
    """Names of the tenant's outgoing targets; empty where there is none."""

    slack: str = ""
    team: str = ""
    webhook: str = ""


def step(kind: str, mode: Mode, parameters: Mapping[str, Any] | None = None, **more: Any) -> Step:
    return {"kind": kind, "mode": mode.value, "parameters": dict(parameters or {}), **more}


def letter(subject: str, text: str) -> dict[str, str]:
    return {"subject": subject, "text": f"Dear {{customer}},\n\n{text}\n\nYour order: {{order}}\n"}


def tag(*tags: str) -> Step:
    return step("shopify_tag", Mode.AUTOMATIC, {"tags": ["e2a", *tags]})


def slack_of(targets: Targets, text: str) -> list[Step]:
    if not targets.slack:
        return []
    told = f"{text} Order {{order}} of {{merchant}}. {{link}}"
    return [step("slack", Mode.AUTOMATIC, {"target": targets.slack, "text": told})]


def webhook_of(targets: Targets) -> list[Step]:
    return [step("webhook", Mode.AUTOMATIC, {"target": targets.webhook})] if targets.webhook else []


def default_playbooks(targets: Targets) -> Mapping[Reason, tuple[str, Sequence[Step]]]:
    """Reason → name and steps. Reasons about sources have none: nothing about an order mends them."""
    return {
        Reason.PAYMENT_FAILED: ("payment-failed", payment_failed(targets)),
        Reason.PAYMENT_DELAY: ("payment-late", payment_late(targets)),
        Reason.INVENTORY_SHORTAGE: ("out-of-stock", out_of_stock(targets)),
        Reason.INVENTORY_DELAY: ("stock-check-late", [tag("stock-check"), *slack_of(targets, "Stock check late.")]),
        Reason.ADDRESS_INVALID: ("address", address(targets)),
        Reason.PREPARATION_DELAY: ("packing-late", late(targets, "Packing late.")),
        Reason.FULFILLMENT_DELAY: ("handover-late", late(targets, "Handover to the carrier late.")),
        Reason.SHIPPING_DELAY: ("shipment-late", shipment_late(targets)),
        Reason.DELIVERY_DELAY: ("delivery-late", shipment_late(targets)),
        Reason.DELIVERY_FAILED: ("delivery-failed", delivery_failed(targets)),
    }


def payment_failed(targets: Targets) -> list[Step]:
    ask = letter(
        "Your payment for order {order}",
        "your payment did not go through, so we have not packed your order yet. Please pay once more by the link in your "
        "order confirmation, and we go on at once.",
    )
    return [
        step("email_customer", Mode.AUTOMATIC, ask, expects=["payment_confirmed"], within_minutes=DAY),
        tag("payment"),
        *slack_of(targets, "A payment failed, and the customer did not pay within a day."),
        give_up("DECLINED", "Not paid"),
    ]


def payment_late(targets: Targets) -> list[Step]:
    remind = letter(
        "Your payment for order {order}",
        "we are holding your order for you and wait for your payment. Once it is here, we pack and send it.",
    )
    return [
        step("email_customer", Mode.AUTOMATIC, remind, expects=["payment_confirmed"], within_minutes=DAY),
        tag("payment"),
        give_up("DECLINED", "Not paid"),
    ]


def out_of_stock(targets: Targets) -> list[Step]:
    sorry = letter(
        "A word on your order {order}",
        "a part of your order is out of stock at the moment. We send it the moment it is in; if you would rather have your "
        "money back, just answer this e-mail.",
    )
    stock = {"reason": "INVENTORY_OUT_OF_STOCK"}
    return [
        *slack_of(targets, "Out of stock."),
        *webhook_of(targets),
        tag("stock"),
        step("shopify_release", Mode.SUGGEST, stock, expects=["order_fulfilled"], within_minutes=6 * HOUR),
        step("email_customer", Mode.SUGGEST, sorry),
        step(
            "shopify_refund",
            Mode.APPROVE,
            {"note": "Out of stock"},
            **MANAGERS,
            expects=["order_refunded"],
            within_minutes=HOUR,
        ),
    ]


def address(targets: Targets) -> list[Step]:
    ask = letter(
        "Please check the address of your order {order}",
        "the carrier cannot find the address of your order. Please correct it by the link in your order confirmation, or "
        "answer this e-mail with the right one.",
    )
    return [
        step("email_customer", Mode.AUTOMATIC, ask, expects=["address_corrected"], within_minutes=DAY),
        step("shopify_address", Mode.SUGGEST),
        step(
            "shopify_release",
            Mode.SUGGEST,
            {"reason": "INCORRECT_ADDRESS"},
            expects=["address_corrected"],
            within_minutes=HOUR,
        ),
    ]


def late(targets: Targets, what: str) -> list[Step]:
    sorry = letter(
        "Your order {order} takes a little longer",
        "we are a little behind and sorry for it. Your order is on its way through our warehouse.",
    )
    return [
        tag("late"),
        step("wait", Mode.AUTOMATIC, expects=["order_fulfilled"], within_minutes=6 * HOUR),
        *slack_of(targets, what),
        step("email_customer", Mode.SUGGEST, sorry),
    ]


def shipment_late(targets: Targets) -> list[Step]:
    tell = letter(
        "Your parcel is late",
        "your parcel is late with {carrier} (tracking number {tracking}). We have asked them where it is and keep an eye on it.",
    )
    return [
        tag("carrier"),
        step("email_customer", Mode.APPROVE, tell),
        step("wait", Mode.AUTOMATIC, expects=["order_delivered", "shipment_in_transit"], within_minutes=2 * DAY),
        *slack_of(targets, "The carrier has not moved a parcel for two days."),
        step(
            "shopify_refund",
            Mode.APPROVE,
            {"note": "Parcel late"},
            **MANAGERS,
            expects=["order_refunded"],
            within_minutes=HOUR,
        ),
    ]


def delivery_failed(targets: Targets) -> list[Step]:
    ask = letter(
        "We could not deliver your order {order}",
        "{carrier} could not deliver your parcel (tracking number {tracking}). Please tell them when you are at home, or answer this e-mail.",
    )
    return [
        tag("carrier"),
        step("email_customer", Mode.APPROVE, ask, expects=["order_delivered"], within_minutes=3 * DAY),
        step("shopify_tracking", Mode.SUGGEST, expects=["order_delivered"], within_minutes=3 * DAY),
        step(
            "shopify_refund",
            Mode.APPROVE,
            {"note": "Not delivered"},
            **MANAGERS,
            expects=["order_refunded"],
            within_minutes=HOUR,
        ),
    ]


MANAGERS = {"approver": Approver.MANAGER.value, "two_people_above_cents": TWO_PEOPLE_ABOVE}


def give_up(reason: str, note: str) -> Step:
    """Cancelling, by managers, while nothing was shipped."""
    when = {"order_status": ["CREATED", "PAID", "ALLOCATED"]}
    return step(
        "shopify_cancel",
        Mode.APPROVE,
        {"reason": reason, "note": note, "notify_customer": True},
        **MANAGERS,
        when=when,
        expects=["order_cancelled"],
        within_minutes=HOUR,
    )
