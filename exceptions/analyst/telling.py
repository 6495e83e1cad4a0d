"""What a payload tells the analyst: the lane, machine words, people's words. Whatever its provider. Pure; never raises."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from orders.privacy import REDACTED
from orders.providers.reading import dig, objects

MOST_SKUS, LONGEST = 20, 64
LONGEST_TEXT = 2_000
PARTS = (  # where providers put what they tell
    "",
    "result",
    "msg",
    "data",
    "order",
    "fulfillment_order",
    "fulfillment",
    "shipments.0",
    "shipments.0.tracking",
)
CARRIER = ("tracking_company", "carrier", "carrier_name", "shipping_carrier", "slug")
WAREHOUSE = ("assigned_location.name", "warehouse", "fulfillment_center", "location.name")
GATEWAY = ("gateway", "payment_gateway_names.0", "payment_provider")
CODES = ("status", "error_code", "reason", "failure_reason", "status_detail", "subtag_message")
TEXTS = ("note", "message", "reason_notes", "comment", "instructions")
PAID = ("paid", "partially_refunded", "refunded")
TAKEN = ("sale", "capture")  # kinds of a transaction that takes the money
HOLDS = ("created_fulfillment_hold", "released_fulfillment_hold")


class Told(NamedTuple):
    """Of one payload; empty where it says nothing. `codes` are in lower case; `texts` are people's words, untrusted."""

    carrier: str = ""
    warehouse: str = ""
    gateway: str = ""
    skus: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    paid: bool = False  # it says in passing that the order is paid


class Lane(NamedTuple):
    """What an order shares with others."""

    carrier: str = ""
    warehouse: str = ""
    gateway: str = ""
    skus: tuple[str, ...] = ()


def tell(payload: Mapping[str, Any], detail: Mapping[str, Any] | None = None) -> Told:
    """`detail`: the keys that the fold reads (orders.detail)."""
    parts = [found for path in PARTS if isinstance(found := dig(payload, path) if path else payload, Mapping)]
    holds = [hold for name in HOLDS if isinstance(hold := payload.get(name), Mapping)]
    shipped = objects(payload.get("fulfillments"))
    reason = (detail or {}).get("reason")
    return Told(
        carrier=first_word(CARRIER, [*parts, *reversed(shipped)]),
        warehouse=first_word(WAREHOUSE, parts),
        gateway=first_word(GATEWAY, parts),
        skus=skus_of(parts),
        codes=tuple(word.lower() for word in words_of(CODES, [*parts, *holds], reason)),
        texts=tuple(dict.fromkeys(words(TEXTS, [*parts, *holds], LONGEST_TEXT))),
        paid=payload.get("financial_status") in PAID
        or (payload.get("kind") in TAKEN and payload.get("status") == "success"),
    )


def lane_of(told: Iterable[Told]) -> Lane:
    """Of an order, from its events in order: the last word on each counts."""
    carrier = warehouse = gateway = ""
    skus: dict[str, None] = {}
    for one in told:
        carrier, warehouse = one.carrier or carrier, one.warehouse or warehouse
        gateway = one.gateway or gateway
        skus |= dict.fromkeys(one.skus)
    return Lane(carrier, warehouse, gateway, tuple(skus)[:MOST_SKUS])


def first_word(paths: Iterable[str], parts: Iterable[Mapping[str, Any]]) -> str:
    return next(words(paths, parts, LONGEST), "")


def words_of(paths: Iterable[str], parts: Iterable[Mapping[str, Any]], *more: object) -> list[str]:
    found = [clean(word, LONGEST * 2) for word in more if isinstance(word, str)]
    return list(dict.fromkeys([*found, *words(paths, parts, LONGEST)]))


def words(paths: Iterable[str], parts: Iterable[Mapping[str, Any]], length: int) -> Iterator[str]:
    parts = list(parts)
    for path in paths:
        for part in parts:
            value = dig(part, path)
            if isinstance(value, str) and value != REDACTED and (text := clean(value, length)):
                yield text


def clean(text: str, length: int) -> str:
    """One line, nothing that does not print."""
    shown = "".join(mark if mark.isprintable() else " " for mark in text[: 4 * length])
    return " ".join(shown.split())[:length]


def skus_of(parts: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for part in parts:
        for item in (part, *objects(part.get("line_items")), *objects(part.get("items"))):
            if isinstance(sku := item.get("sku"), str) and sku:
                found[clean(sku, LONGEST)] = None
        if isinstance(listed := part.get("skus"), list):
            found |= {clean(sku, LONGEST): None for sku in listed if isinstance(sku, str) and sku}
    return tuple(found)[:MOST_SKUS]
