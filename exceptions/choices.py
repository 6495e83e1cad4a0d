"""The words of an exception: its states, reasons, resolutions, and what its timeline tells."""

from django.db.models import TextChoices


class Status(TextChoices):
    OPEN = "OPEN", "Open"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    IN_PROGRESS = "IN_PROGRESS", "In progress"
    RESOLVED = "RESOLVED", "Resolved"


class Severity(TextChoices):
    LOW = "LOW", "Low"
    MEDIUM = "MEDIUM", "Medium"
    HIGH = "HIGH", "High"
    CRITICAL = "CRITICAL", "Critical"


class Verdict(TextChoices):
    ACTIVE = "active", "Active"
    OVER = "over", "Over"
    NONE = "none", "Never was"


class Reason(TextChoices):
    PAYMENT_DELAY = "PAYMENT_DELAY", "Payment late"
    INVENTORY_DELAY = "INVENTORY_DELAY", "Stock check late"
    PREPARATION_DELAY = "PREPARATION_DELAY", "Packing late"
    FULFILLMENT_DELAY = "FULFILLMENT_DELAY", "Handover to the carrier late"
    DELIVERY_DELAY = "DELIVERY_DELAY", "Delivery late"
    PAYMENT_FAILED = "PAYMENT_FAILED", "Payment failed"
    INVENTORY_SHORTAGE = "INVENTORY_SHORTAGE", "Out of stock"
    SHIPPING_DELAY = "SHIPPING_DELAY", "Shipment delayed"
    DELIVERY_FAILED = "DELIVERY_FAILED", "Delivery failed"
    ADDRESS_INVALID = "ADDRESS_INVALID", "Address invalid"
    SOURCE_SILENT = "SOURCE_SILENT", "Source silent"
    ORDERS_MISSING = "ORDERS_MISSING", "Orders missing"


class Resolution(TextChoices):
    """The first four are the fold's alone; what a person may choose is in `transitions`."""

    SAVED = "saved", "In time after a warning"
    COMPLETED_LATE = "completed_late", "Completed late"
    CURED = "cured", "Cured"
    CANCELLED = "cancelled", "Order cancelled"
    FALSE_ALARM = "false_alarm", "False alarm"
    MANUAL = "manual", "Dealt with"
    CORRECTED = "corrected", "Data corrected"
    RESHIPPED = "reshipped", "Sent again"
    REFUNDED = "refunded", "Refunded"
    CUSTOMER_INFORMED = "customer_informed", "Customer informed"
    NO_ACTION = "no_action", "No action needed"
    ACTION = "action", "Solved by an action"  # a playbook's alone: what the action should lead to has come


class ResolvedBy(TextChoices):
    FOLD = "fold", "The order's events"
    PERSON = "person", "A person"
    PLAYBOOK = "playbook", "A playbook"


class Kind(TextChoices):
    OPENED = "opened", "Opened"
    RESOLVED = "resolved", "Resolved"
    REOPENED = "reopened", "Reopened"
    RETRACTED = "retracted", "Retracted"
    RECURRED = "recurred", "Happened again"  # and was over before anyone could look
    ENDED = "ended", "Ended"  # the verdict is over on an exception that a person had resolved
    CORRECTED = "corrected", "Corrected"
    SEVERITY_CHANGED = "severity_changed", "Severity changed"
    BREACHED = "breached", "Deadline missed"  # the stage had been at risk, and this exception open for that
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    STARTED = "started", "Started"
    ASSIGNED = "assigned", "Assigned"
    COMMENTED = "commented", "Commented"
    SNOOZED = "snoozed", "Snoozed"
    WOKEN = "woken", "Snooze ended"
    TAGGED = "tagged", "Tag added"
    UNTAGGED = "untagged", "Tag removed"
    ESCALATED = "escalated", "Escalated"
    ACTION_PLANNED = "action_planned", "Action planned"
    ACTION_SUGGESTED = "action_suggested", "Action suggested"
    APPROVAL_ASKED = "approval_asked", "Approval asked"
    ACTION_APPROVED = "action_approved", "Action approved"
    ACTION_REJECTED = "action_rejected", "Action rejected"
    ACTION_DONE = "action_done", "Action done"
    ACTION_FAILED = "action_failed", "Action failed"
    ACTION_UNKNOWN = "action_unknown", "Outcome of the action not known"
    ACTION_ENDED = "action_ended", "Action no longer needed"
    EXPECTATION_MET = "expectation_met", "Led to what was expected"
    EXPECTATION_MISSED = "expectation_missed", "Did not lead to what was expected"
    RESOLUTION_BLOCKED = "resolution_blocked", "Playbook stopped"
    RESOLUTION_UNBLOCKED = "resolution_unblocked", "Playbook goes on"
