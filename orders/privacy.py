"""Taking the person out of a payload. Pure. Facts stay: ids, times, amounts, goods, countries, tracking numbers."""

from typing import Any

REDACTED = "[redacted]"
PERSONS = frozenset(
    [
        "address",
        "billing_address",
        "client_details",
        "customer",
        "default_address",
        "destination",
        "origin_address",
        "payment_details",
        "receipt",
        "recipient",
        "shipping_address",
    ]
)  # objects that are a person as a whole
PERSONAL = frozenset(
    [
        "address1",
        "address2",
        "browser_ip",
        "cart_token",
        "checkout_token",
        "city",
        "contact_email",
        "customer_locale",
        "email",
        "first_name",
        "landing_site",
        "last_name",
        "latitude",
        "longitude",
        "message",
        "note",
        "note_attributes",
        "order_status_url",
        "phone",
        "referring_site",
        "token",
        "zip",
    ]
)


def redacted(value: Any) -> Any:
    """The same JSON value without the person. Doing it twice changes nothing."""
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _blank(key, item) for key, item in value.items()}


def _blank(key: str, item: Any) -> Any:
    if key in PERSONS:
        return {"redacted": True} if item else item
    if key in PERSONAL:
        return REDACTED if item else item
    return redacted(item)
