"""The words of incidents: what exceptions can share, states, how one ended, what its timeline tells."""

from django.db.models import TextChoices

FOLD = "incidents"  # as an actor: the round that folds


class Dimension(TextChoices):
    """What exceptions can share."""

    REASON = "reason", "Reason"
    CARRIER = "carrier", "Carrier"
    DESTINATION = "destination", "Destination country"
    WAREHOUSE = "warehouse", "Warehouse"
    SKU = "sku", "SKU"
    PAYMENT_PROVIDER = "payment_provider", "Payment provider"
    SALES_CHANNEL = "sales_channel", "Sales channel"
    MERCHANT = "merchant", "Merchant"


class IncidentState(TextChoices):
    OPEN = "open", "Open"  # found, and nobody has confirmed it
    CONFIRMED = "confirmed", "Confirmed"
    CLOSED = "closed", "Closed"


class Ending(TextChoices):
    OVER = "over", "All its exceptions are over"
    PERSON = "person", "Closed by a person"
    DISMISSED = "dismissed", "Dismissed: no incident"
    DISSOLVED = "dissolved", "Too few exceptions are left"
    MERGED = "merged", "Merged into another"


class IncidentKind(TextChoices):
    OPENED = "opened", "Found"
    GREW = "grew", "Grew"
    CLOSED = "closed", "Closed"
    REOPENED = "reopened", "Reopened"
    CONFIRMED = "confirmed", "Confirmed"
    DISMISSED = "dismissed", "Dismissed"
    SILENCED = "silenced", "Silenced"
    UNSILENCED = "unsilenced", "No longer silent"
    TAKEN_OUT = "taken_out", "Exception taken out"
    PUT_BACK = "put_back", "Exception put back"
    COMMENTED = "commented", "Commented"
