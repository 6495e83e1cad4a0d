"""What a playbook can do: a closed list of kinds of action, each a real call. Pure.

Whoever recommends, plans or runs an action names one of `ACTION_KINDS`; there is no other way to act.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Channel = Literal["shopify", "email", "slack", "webhook", "internal"]
Shape = Literal["text", "long_text", "choice", "flag", "cents", "time", "address", "target", "member", "words"]
HOLD_REASONS = (
    "INCORRECT_ADDRESS",
    "INVENTORY_OUT_OF_STOCK",
    "AWAITING_PAYMENT",
    "HIGH_RISK_OF_FRAUD",
    "UNKNOWN_DELIVERY_DATE",
    "OTHER",
)
CANCEL_REASONS = ("CUSTOMER", "INVENTORY", "DECLINED", "FRAUD", "STAFF", "OTHER")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that an action takes. `target`: the name of one of the tenant's outgoing targets of the action's channel.

    One that is not required and not given is left to the action: it takes what the order says.
    """

    name: str
    title: str
    shape: Shape
    required: bool = False
    choices: tuple[str, ...] = ()
    longest: int = 200
    at_run: bool = False  # seldom known before: whoever runs or approves the action gives it


@dataclass(frozen=True, slots=True)
class ActionKind:
    """`undo` says how it is taken back; empty: not at all. `customer_sees`: the customer notices it.

    `irreversible` actions are never done twice to an order and never without a person's word.
    """

    name: str
    title: str
    channel: Channel
    does: str
    undo: str
    parameters: tuple[Parameter, ...] = ()
    irreversible: bool = False
    customer_sees: bool = False
    moves_money: bool = False


SUBJECT = Parameter("subject", "Subject", "text", required=True)
TEXT = Parameter("text", "Text", "long_text", required=True, longest=4000)
NOTIFY = Parameter("notify_customer", "Tell the customer", "flag")
NOTE = Parameter("note", "Note", "text", longest=500)

_KINDS = (
    ActionKind(
        "shopify_hold",
        "Hold the order in the shop",
        "shopify",
        "Puts the order's fulfillment on hold, so that the warehouse does not ship it.",
        "Release the hold.",
        (Parameter("reason", "Reason", "choice", required=True, choices=HOLD_REASONS), NOTE),
    ),
    ActionKind(
        "shopify_release",
        "Release the shop's holds",
        "shopify",
        "Releases the holds of one reason, by their ids, so that holds of other apps stay.",
        "Hold the order again.",
        (Parameter("reason", "Holds with the reason", "choice", required=True, choices=HOLD_REASONS),),
    ),
    ActionKind(
        "shopify_address",
        "Correct the address in the shop",
        "shopify",
        "Writes another shipping address into the order.",
        "Write the address before it back; the attempt keeps it.",
        (Parameter("address", "Address", "address", required=True, at_run=True),),
    ),
    ActionKind(
        "shopify_tag",
        "Tag the order in the shop",
        "shopify",
        "Adds tags to the order and, where one is given, a line to its note. What is there stays.",
        "Remove the tags in the shop.",
        (Parameter("tags", "Tags", "words", required=True), NOTE),
    ),
    ActionKind(
        "shopify_move",
        "Ship from another location",
        "shopify",
        "Moves the order's fulfillment to another of the shop's locations.",
        "Move it back.",
        (Parameter("location_id", "Location's number", "text", required=True, at_run=True),),
    ),
    ActionKind(
        "shopify_reschedule",
        "Reschedule the fulfillment",
        "shopify",
        "Gives a scheduled fulfillment another day.",
        "Reschedule it again.",
        (Parameter("fulfill_at", "Ready at", "time", required=True, at_run=True),),
    ),
    ActionKind(
        "shopify_tracking",
        "Send the tracking notice again",
        "shopify",
        "Has the shop send the customer the parcel's tracking link.",
        "",
        customer_sees=True,
    ),
    ActionKind(
        "shopify_refund",
        "Refund the order",
        "shopify",
        "Pays back what the customer paid, or a part of it.",
        "",
        (Parameter("amount_cents", "Amount (all of it if empty)", "cents", at_run=True), NOTE, NOTIFY),
        irreversible=True,
        customer_sees=True,
        moves_money=True,
    ),
    ActionKind(
        "shopify_cancel",
        "Cancel the order",
        "shopify",
        "Cancels the order in the shop for good, restocks it and pays back what was paid.",
        "",
        (Parameter("reason", "Reason", "choice", required=True, choices=CANCEL_REASONS), NOTE, NOTIFY),
        irreversible=True,
        customer_sees=True,
        moves_money=True,
    ),
    ActionKind(
        "email_customer",
        "Write to the customer",
        "email",
        "Sends an e-mail to the address that the order carries.",
        "",
        (SUBJECT, TEXT),
        customer_sees=True,
    ),
    ActionKind(
        "email_team",
        "Write to a team",
        "email",
        "Sends an e-mail to addresses of your own, such as the warehouse.",
        "",
        (Parameter("target", "To", "target", required=True), SUBJECT, TEXT),
    ),
    ActionKind(
        "slack",
        "Post to Slack",
        "slack",
        "Posts a message to a Slack channel.",
        "Delete the message in Slack.",
        (Parameter("target", "Channel", "target", required=True), TEXT),
    ),
    ActionKind(
        "webhook",
        "Call a webhook",
        "webhook",
        "Sends the exception as a signed webhook to a system of your own.",
        "That is up to the system that is called.",
        (Parameter("target", "Endpoint", "target", required=True),),
    ),
    ActionKind(
        "assign",
        "Assign it",
        "internal",
        "Gives the exception to a member, if nobody has it.",
        "Assign it to somebody else.",
        (Parameter("member", "Member", "member", required=True),),
    ),
    ActionKind(
        "hold",
        "Stop the clocks",
        "internal",
        "Records a hold of E²A's own: the order's deadlines stand still until it is released.",
        "Release it.",
        (Parameter("reason", "Reason", "text", required=True),),
    ),
    ActionKind(
        "release",
        "Let the clocks run",
        "internal",
        "Ends the holds that this exception's playbook recorded.",
        "Hold it again.",
    ),
    ActionKind(
        "wait",
        "Wait for an event",
        "internal",
        "Does nothing but wait for what the step expects.",
        "Nothing was done.",
    ),
)
ACTION_KINDS: Mapping[str, ActionKind] = {kind.name: kind for kind in _KINDS}
KIND_CHOICES = [(kind.name, kind.title) for kind in _KINDS]
