"""Rules that no order can reach are found, and only those."""

import random
import time
from itertools import product

import pytest

from tenants.conditions import ALWAYS, Condition, Traits, ValueRange
from tenants.coverage import is_covered


def when(value: ValueRange | None = None, **keys: str) -> Condition:
    lists = {key: frozenset(words.split()) for key, words in keys.items() if key in ("sku", "tag")}
    words = {key: frozenset(words.split()) for key, words in keys.items() if key not in lists}
    return Condition(words, lists, value)


EUR = ValueRange("EUR", 100, 500)
COVERED = [
    (when(carrier="dhl"), [ALWAYS]),
    (ALWAYS, [ALWAYS]),
    (when(carrier="dhl"), [when(carrier="dhl ups")]),
    (when(carrier="dhl", tag="gift"), [when(carrier="dhl")]),
    (when(carrier="dhl ups"), [when(carrier="dhl"), when(carrier="ups")]),
    (when(carrier="dhl", tag="gift"), [when(tag="gift vip")]),
    (when(EUR), [when(ValueRange("EUR"))]),
    (when(EUR), [when(ValueRange("EUR", 0, 300)), when(ValueRange("EUR", 300))]),
    (when(carrier="dhl ups", warehouse="a b"), [when(carrier="dhl"), when(warehouse="a"), when(carrier="ups", warehouse="b")]),
]  # fmt: skip
REACHED = [
    (ALWAYS, [when(carrier="dhl")]),
    (when(carrier="dhl ups"), [when(carrier="dhl")]),
    (when(carrier="dhl"), [when(carrier="dhl", tag="gift")]),
    (when(tag="gift vip"), [when(tag="gift")]),
    (when(sku="a"), [when(tag="a")]),
    (when(EUR), [when(ValueRange("USD"))]),
    (when(EUR), [when(ValueRange("EUR", 0, 300)), when(ValueRange("EUR", 301))]),
    (when(carrier="dhl"), [when(EUR)]),
    (when(carrier="dhl"), []),
]


@pytest.mark.parametrize(("condition", "earlier"), COVERED)
def test_rule_that_those_before_it_cover_is_found(condition: Condition, earlier: list[Condition]) -> None:
    assert is_covered(condition, earlier)


@pytest.mark.parametrize(("condition", "earlier"), REACHED)
def test_rule_that_some_order_reaches_is_not(condition: Condition, earlier: list[Condition]) -> None:
    assert not is_covered(condition, earlier)


ORDERS = [
    Traits(
        carrier=carrier, warehouse=warehouse, tag=tags, value_cents=cents, currency="EUR" if cents is not None else ""
    )
    for carrier, warehouse, tags, cents in product(
        ("a", "b", "?"), ("a", "b", "?"), ((), ("x",), ("y",), ("x", "y")), (None, 0, 5, 10, 15)
    )
]


def random_condition(dice: random.Random) -> Condition:
    keys = {
        key: " ".join(dice.sample(("a", "b"), dice.choice([1, 2])))
        for key in ("carrier", "warehouse")
        if dice.random() < 0.5
    }
    if dice.random() < 0.4:
        keys["tag"] = " ".join(dice.sample(("x", "y"), dice.choice([1, 2])))
    value = dice.choice([ValueRange("EUR", 0, 10), ValueRange("EUR", 5), ValueRange("EUR", 10, 15)])
    return when(value if dice.random() < 0.3 else None, **keys)


def test_it_agrees_with_trying_every_order() -> None:
    dice, covered = random.Random(7), 0
    for _ in range(2_000):
        condition, earlier = random_condition(dice), [random_condition(dice) for _ in range(dice.randrange(4))]
        reached = any(condition.holds(order) and not any(each.holds(order) for each in earlier) for order in ORDERS)
        assert is_covered(condition, earlier) == (not reached), (condition, earlier)
        covered += not reached
    assert covered > 100


def test_many_rules_that_overlap_are_looked_through_in_time() -> None:
    """What would take too long is not claimed, but that one rule alone covers another is always seen."""
    rules = [
        when(ValueRange("EUR", number), carrier=f"c{number % 7}", tag=f"t{number % 11}", sku=f"s{number}")
        for number in range(200)
    ]
    began = time.process_time()
    assert not is_covered(when(sku="other"), rules)
    assert is_covered(when(sku="s7", carrier="c0", tag="t7"), [*rules, when(sku="s7")])
    assert time.process_time() - began < 5
