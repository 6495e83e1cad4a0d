"""What is wrong with the address of an outgoing target, and how an address is shown. Pure."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from tenants.outgoing.models import Channel

LONGEST = 500
MOST_MAILBOXES = 20


def address_trouble(channel: str, address: str, *, allow_plain: bool) -> str:
    """A sentence, or nothing. `allow_plain`: http is taken beside https."""
    if not address.strip():
        return "Give the address that messages are sent to."
    if len(address) > LONGEST:
        return f"It is longer than {LONGEST} characters."
    return mailbox_trouble(address) if channel == Channel.EMAIL else url_trouble(address, allow_plain)


def mailbox_trouble(address: str) -> str:
    boxes = mailboxes(address)
    if not 1 <= len(boxes) <= MOST_MAILBOXES:
        return f"Give 1 to {MOST_MAILBOXES} e-mail addresses, with commas between."
    for box in boxes:
        try:
            validate_email(box)
        except ValidationError:
            return f"“{box[:100]}” is no e-mail address."
    return ""


def mailboxes(address: str) -> list[str]:
    return [box.strip() for box in address.split(",") if box.strip()]


def url_trouble(address: str, allow_plain: bool) -> str:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "This is no address; copy it again."
    schemes = ("https", "http") if allow_plain else ("https",)
    if parts.scheme not in schemes or not host or port == 0:
        return "Give an address that begins with https://."
    if parts.username or parts.password:
        return "Leave user name and password out of the address; webhooks are signed instead."
    return "" if address.isprintable() and " " not in address else "An address holds no blanks."


def shown_address(channel: str, address: str) -> str:
    """As pages show it: mailboxes as they are, of a web address only the host, since its path may open the channel."""
    return address if channel == Channel.EMAIL else f"{urlsplit(address).scheme}://{urlsplit(address).hostname}/…"
