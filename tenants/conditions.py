"""Conditions of a policy's rules: what an order carries, and whether a rule speaks of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

WORDS = (  # an order carries one of each
    "source",
    "merchant",
    "sales_channel",
    "shipping_service",
    "carrier",
    "warehouse",
    "destination_country",
    "customer_tier",
)
LISTS = ("sku", "tag")  # an order carries several of each


class Traits(NamedTuple):
    """What an order carries. Texts as they were sent; "" or None: nobody said."""

    source: str = ""  # that told of the order first
    merchant: str = ""
    sales_channel: str = ""
    shipping_service: str = ""
    carrier: str = ""
    warehouse: str = ""
    destination_country: str = ""
    customer_tier: str = ""
    sku: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    value_cents: int | None = None
    currency: str = ""


class ValueRange(NamedTuple):
    """Of an order's value in minor units of one currency: from `at_least`, below `below` (None: without limit)."""

    currency: str
    at_least: int = 0
    below: int | None = None

    def holds(self, traits: Traits) -> bool:
        value = traits.value_cents
        if value is None or traits.currency != self.currency:
            return False
        return self.at_least <= value and (self.below is None or value < self.below)


@dataclass(frozen=True, slots=True)
class Condition:
    """All that is named must hold; of the words listed for a key, one. Words are kept and compared in lower case."""

    words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)
    value: ValueRange | None = None

    def holds(self, traits: Traits) -> bool:
        for key, wanted in self.words.items():
            if getattr(traits, key).casefold() not in wanted:
                return False
        for key, wanted in self.lists.items():
            if wanted.isdisjoint(word.casefold() for word in getattr(traits, key)):
                return False
        return self.value is None or self.value.holds(traits)


ALWAYS = Condition()
