"""What an order is before anything happens to it: who buys, what, where it goes, what it costs. Pure."""

from random import Random
from typing import Any

from shopify_mock.words import CARDS, CARRIERS, NOTES, PLACES, PRODUCTS, SLOW, SOURCES, TAGS, WAREHOUSES, Place

FIRST_ORDER_ID = 6_214_500_000_000
ID_STEP = 4096  # ids of what belongs to an order are its id plus small numbers: stable, and never the same twice
STRUCK_PLACE, STRUCK_CARRIER = next(place for place in PLACES if place.code == "DE"), len(CARRIERS) - 1
Json = dict[str, Any]


def order_id_of(number: int) -> int:
    return FIRST_ORDER_ID + number * ID_STEP


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def make_goods(rng: Random, number: int, *, parcels: int, promise: int, struck: bool = False) -> Json:
    """Everything about the order that does not change, as JSON. `promise` in seconds after creation; `struck`: see batch."""
    place = rng.choice(PLACES)
    place = STRUCK_PLACE if struck else place
    lines = [_line(rng, number, index) for index in range(max(parcels, rng.choice((1, 1, 1, 2, 2, 3))))]
    subtotal = sum(line["cents"] * line["quantity"] for line in lines)
    carrier = rng.randrange(len(CARRIERS))
    carrier = STRUCK_CARRIER if struck else carrier
    return {
        "number": number,
        "id": order_id_of(number),
        "person": _person(rng, number, place),
        "address": _address(rng, place),
        "mended": _address(rng, place),
        "lines": lines,
        "subtotal": subtotal,
        "shipping": 0 if subtotal >= 9_000 else 590,
        "card": rng.choice(CARDS),
        "slow": rng.choice(SLOW),
        "note": rng.choice(NOTES),
        "tags": rng.choice(TAGS),
        "source": rng.choice(SOURCES),
        "warehouse": rng.choice(WAREHOUSES),
        "carrier": carrier,
        "tracking": [_tracking(rng, carrier) for _ in range(parcels)],
        "parcels": parcels,
        "promise": promise,
    }


def _person(rng: Random, number: int, place: Place) -> Json:
    first, last = rng.choice(place.first), rng.choice(place.last)
    return {
        "id": 7_800_000_000_000 + number * ID_STEP,
        "first_name": first,
        "last_name": last,
        "email": f"customer{number}.{rng.randint(10, 99)}@example.com",
        "phone": place.phone + "".join(str(rng.randrange(10)) for _ in range(6)),
        "country": place.country,
        "code": place.code,
    }


def _address(rng: Random, place: Place) -> Json:
    digits = "".join(str(rng.randrange(10)) if mark == "#" else mark for mark in place.zip)
    return {
        "address1": f"{rng.choice(place.streets)} {rng.randint(1, 180)}",
        "address2": rng.choice((None, None, "2º 1ª", "3.º Esq.", "Apt 4")),
        "city": place.city,
        "zip": digits,
    }


def _line(rng: Random, number: int, index: int) -> Json:
    product = rng.choice(PRODUCTS)
    at = PRODUCTS.index(product)
    variant = rng.randrange(len(product.variants))
    return {
        "id": 15_900_000_000_000 + number * ID_STEP + index,
        "product_id": 9_100_000_000_000 + at * 100,
        "variant_id": 48_200_000_000_000 + at * 100 + variant,
        "sku": f"{product.sku}-{product.variants[variant][:3].upper()}",
        "title": product.title,
        "variant_title": product.variants[variant],
        "grams": product.grams,
        "cents": product.cents,
        "quantity": rng.choice((1, 1, 1, 2, 3)),
    }


def _tracking(rng: Random, carrier: int) -> str:
    _, prefix, digits, _ = CARRIERS[carrier]
    return prefix + "".join(str(rng.randrange(10)) for _ in range(digits))
