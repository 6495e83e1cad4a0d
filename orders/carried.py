"""What an order carries besides its course: channel, service, carrier, warehouse, country, tier, goods, value, promises. Pure.

A sender states it in the payload of its events; the last statement of each thing counts, whatever the order of arrival.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from orders.facts import CREATED, UPDATED, Fact, rank
from tenants.conditions import Traits
from tenants.currencies import currency_code

WORD_KEYS = ("sales_channel", "shipping_service", "carrier", "warehouse", "customer_tier")
LONGEST_WORD = 64
MOST_SKUS = 200
MOST_TAGS = 100
MOST_CENTS = 10**15


class Carried(NamedTuple):
    """The order's columns of these names. "" or None: nobody said."""

    sales_channel: str = ""
    shipping_service: str = ""
    carrier: str = ""
    warehouse: str = ""
    destination_country: str = ""
    customer_tier: str = ""
    skus: Sequence[str] = []  # lists, as JSON and the database give them
    tags: Sequence[str] = []
    value_cents: int | None = None
    currency: str = ""


NOTHING = Carried()
NAMES = frozenset(Carried._fields)


def carried_of(detailed: Iterable[Fact]) -> Carried:
    """`detailed`: the facts with a detail."""
    said = [fact for fact in detailed if fact.detail and "carries" in fact.detail]
    if not said:
        return NOTHING
    if len(said) > 1:
        said.sort(key=rank)
    merged: dict[str, Any] = {}
    for fact in said:
        merged.update(fact.detail["carries"] if fact.detail else {})
    return NOTHING._replace(**{key: value for key, value in merged.items() if key in NAMES})


def traits_of(carried: Carried, *, source: str, merchant: str) -> Traits:
    """As a policy's rules ask for it."""
    return Traits(
        source,
        merchant,
        carried.sales_channel,
        carried.shipping_service,
        carried.carrier,
        carried.warehouse,
        carried.destination_country,
        carried.customer_tier,
        tuple(carried.skus),
        tuple(carried.tags),
        carried.value_cents,
        carried.currency,
    )


def source_of(facts: Sequence[Fact], began_at: datetime | None) -> str:
    """Which source told of the order first: of those that say when it began the first by rank."""
    first = [fact for fact in facts if fact.event_type == CREATED and fact.effective_at == began_at]
    found = min(first or facts, key=rank, default=None)
    return found.source if found else ""


def statements(detailed: Iterable[Fact], key: str) -> list[Fact]:
    """The creating and updating facts that say something under this key of their detail, in order."""
    found = [fact for fact in detailed if fact.event_type in (CREATED, UPDATED) and fact.detail and key in fact.detail]
    found.sort(key=rank)
    return found


def carries_from(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Of an event of our own format, the keys of `Carried` that its payload states.

    A value that cannot be used is as if it were not there, so that a word meant otherwise costs no event; null takes back what was
    said before. Keys: `sales_channel`, `shipping_service`, `carrier`, `warehouse`, `customer_tier`, `destination_country`
    (ISO 3166-1 alpha-2), `skus` (or `line_items[].sku`), `tags` (a list, or one text with commas), `order_value_cents` (whole
    minor units) with `currency` (ISO 4217).
    """
    said: dict[str, Any] = {}
    for key in WORD_KEYS:
        if key in payload and (text := word(payload[key])) is not None:
            said[key] = text
    if "destination_country" in payload:
        said |= country(payload["destination_country"])
    if "skus" in payload or "line_items" in payload:
        said |= goods(payload)
    if "tags" in payload and (tags := words(payload["tags"], MOST_TAGS)) is not None:
        said["tags"] = tags
    if "order_value_cents" in payload:
        said |= value(payload["order_value_cents"], payload.get("currency"))
    return said


def word(said: Any) -> str | None:
    """A text of at most 64 characters, trimmed; "" takes back what was said; None: not to be used."""
    if said is None:
        return ""
    text = said.strip() if isinstance(said, str) else None
    return text if text is not None and len(text) <= LONGEST_WORD and text.isprintable() else None


def words(said: Any, most: int) -> list[str] | None:
    """Each once, in the order given. One text is split at its commas."""
    listed = said.split(",") if isinstance(said, str) else [] if said is None else said
    if not isinstance(listed, list):
        return None
    found = dict.fromkeys(text for item in listed[: most * 2] if (text := word(item)))
    return list(found)[:most]


def country(said: Any) -> dict[str, str]:
    if said is None:
        return {"destination_country": ""}
    text = said.strip().upper() if isinstance(said, str) else ""
    return {"destination_country": text} if len(text) == 2 and text.isascii() and text.isalpha() else {}


def goods(payload: Mapping[str, Any]) -> dict[str, list[str]]:
    listed = payload.get("skus")
    if listed is None:
        items = payload.get("line_items")
        listed = [item.get("sku") for item in items if isinstance(item, dict)] if isinstance(items, list) else None
    skus = words(listed, MOST_SKUS) if listed is not None else None
    return {"skus": skus} if skus is not None else {}


def value(cents: Any, currency: Any) -> dict[str, Any]:
    """Both or neither: an amount says nothing without its currency."""
    if cents is None:
        return {"value_cents": None, "currency": ""}
    code = currency_code(currency)
    if not code or isinstance(cents, bool) or not isinstance(cents, int) or not 0 <= cents <= MOST_CENTS:
        return {}
    return {"value_cents": cents, "currency": code}
