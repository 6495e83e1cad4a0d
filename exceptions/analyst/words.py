"""The analyst's closed lists: what went wrong, whose it is, what to do about it, and why the rules answered."""

from django.db.models import TextChoices


class Label(TextChoices):
    """The root cause. One for each exception; `unknown` is an honest answer."""

    PAYMENT_ISSUE = "payment_issue", "Payment trouble"
    INVENTORY_SHORTAGE = "inventory_shortage", "Goods not available"
    ADDRESS_VALIDATION = "address_validation", "Address cannot be used"
    DELAYED_FULFILLMENT = "delayed_fulfillment", "Warehouse behind"
    SHIPPING_DELAY = "shipping_delay", "Carrier behind"
    CARRIER_LOST = "carrier_lost", "Parcel lost"
    CUSTOMER_UNAVAILABLE = "customer_unavailable", "Nobody at the door"
    CUSTOMS_HOLD = "customs_hold", "Held by customs"
    WEATHER = "weather", "Weather or disaster"
    FRAUD_REVIEW = "fraud_review", "Fraud check"
    ORDER_HELD = "order_held", "Held on purpose"
    SOURCE_TROUBLE = "source_trouble", "Reports missing"
    UNKNOWN = "unknown", "Not clear"


class Blame(TextChoices):
    """The family that pays. Source: Karrio's families of incidents (FIELD)."""

    CARRIER = "carrier", "Carrier"
    WAREHOUSE = "warehouse", "Warehouse"
    MERCHANT = "merchant", "Merchant"
    CUSTOMER = "customer", "Customer"
    PAYMENT = "payment", "Payment provider"
    WEATHER = "weather", "Weather"
    UNKNOWN = "unknown", "Unknown"


class Action(TextChoices):
    """What may be recommended: the kinds of the playbooks' catalogue (a test holds them equal), or nothing."""

    SHOPIFY_HOLD = "shopify_hold", "Hold the order in the shop"
    SHOPIFY_RELEASE = "shopify_release", "Release the shop's holds"
    SHOPIFY_ADDRESS = "shopify_address", "Correct the address in the shop"
    SHOPIFY_TAG = "shopify_tag", "Tag the order in the shop"
    SHOPIFY_MOVE = "shopify_move", "Ship from another location"
    SHOPIFY_RESCHEDULE = "shopify_reschedule", "Reschedule the fulfillment"
    SHOPIFY_TRACKING = "shopify_tracking", "Send the tracking notice again"
    SHOPIFY_REFUND = "shopify_refund", "Refund the order"
    SHOPIFY_CANCEL = "shopify_cancel", "Cancel the order"
    EMAIL_CUSTOMER = "email_customer", "Write to the customer"
    EMAIL_TEAM = "email_team", "Write to a team"
    SLACK = "slack", "Post to Slack"
    WEBHOOK = "webhook", "Call a webhook"
    ASSIGN = "assign", "Assign it"
    HOLD = "hold", "Stop the clocks"
    RELEASE = "release", "Let the clocks run"
    WAIT = "wait", "Wait for an event"
    NONE = "none", "Nothing to do"


class Judge(TextChoices):
    """Who answered."""

    AI = "ai", "AI"
    RULES = "rules", "Rule-based"


class Fallback(TextChoices):
    """Why the rules answered and not the AI."""

    HISTORY = "history", "The exception is history"
    OVER = "over", "It is over already"
    MODE = "mode", "The AI is switched off by AI_MODE"
    NO_KEY = "no_key", "No AI provider is set up"
    CLEAR = "clear", "The case is clear without the AI"
    SWITCHED_OFF = "switched_off", "The AI was switched off because the rules did better"
    BUSY = "busy", "Too many exceptions at once for the AI"
    BUDGET = "budget", "The day's tokens are spent"
    BREAKER = "breaker", "The AI provider is in trouble; it is asked again soon"
    TIMEOUT = "timeout", "The AI did not answer in time"
    RATE_LIMITED = "rate_limited", "The AI provider asked to wait"
    REFUSED = "refused", "The AI provider refused the request"
    UNREACHABLE = "unreachable", "The AI provider could not be reached"
    BAD_ANSWER = "bad_answer", "The AI's answer did not hold"
    LOW_CONFIDENCE = "low_confidence", "The AI was not sure enough"


class Origin(TextChoices):
    """Where the word on what it really was comes from; an earlier one outranks a later one."""

    CORRECTION = "correction", "A person's correction"
    CLOSE = "close", "Named when it was closed"
    THUMB = "thumb", "A person agreed"
    MOCK = "mock", "The mock shop's truth"


BLAME_OF = {
    Label.PAYMENT_ISSUE: Blame.PAYMENT,
    Label.INVENTORY_SHORTAGE: Blame.MERCHANT,
    Label.ADDRESS_VALIDATION: Blame.CUSTOMER,
    Label.DELAYED_FULFILLMENT: Blame.WAREHOUSE,
    Label.SHIPPING_DELAY: Blame.CARRIER,
    Label.CARRIER_LOST: Blame.CARRIER,
    Label.CUSTOMER_UNAVAILABLE: Blame.CUSTOMER,
    Label.CUSTOMS_HOLD: Blame.UNKNOWN,
    Label.WEATHER: Blame.WEATHER,
    Label.FRAUD_REVIEW: Blame.MERCHANT,
    Label.ORDER_HELD: Blame.MERCHANT,
    Label.SOURCE_TROUBLE: Blame.UNKNOWN,
    Label.UNKNOWN: Blame.UNKNOWN,
}

CAUSE_CHOICES = [(label.value, label.label) for label in Label if label != Label.UNKNOWN]  # what a person may name
