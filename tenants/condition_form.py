"""A rule's condition as JSON. Pure.

    {"sales_channel": ["amazon", "zalando"], "tag": "gift", "destination_country": "PT",
     "order_value": {"currency": "EUR", "at_least_cents": 10000, "below_cents": 50000}}

All that is named must hold; of several words, one. A word may stand alone instead of in a list.
"""

from tenants.conditions import LISTS, WORDS, Condition, ValueRange
from tenants.currencies import currency_code
from tenants.reading import Form, shown

KEYS = (*WORDS, *LISTS, "order_value")
MOST_WORDS = 1_000
MOST_CENTS = 10**13


def read_condition(form: Form) -> Condition | None:
    """None when anything in it is wrong."""
    if not form.is_object(KEYS):
        return None
    words = {key: form.at(key).words(most=MOST_WORDS) for key in WORDS if form.has(key)}
    lists = {key: form.at(key).words(most=MOST_WORDS) for key in LISTS if form.has(key)}
    value = read_value(form.at("order_value")) if form.has("order_value") else None
    if not (words or lists or value) and not form.value:
        form.refuse("It asks for nothing; leave when out for a rule that takes every order.")
        return None
    if any(found is None for found in (*words.values(), *lists.values())):
        return None
    return Condition(
        {key: found for key, found in words.items() if found},
        {key: found for key, found in lists.items() if found},
        value,
    )


def read_value(form: Form, *, also: tuple[str, ...] = ()) -> ValueRange | None:
    if not form.is_object(("currency", "at_least_cents", "below_cents", *also)):
        return None
    currency = read_currency(form.at("currency"))
    least = form.at("at_least_cents").whole(least=0, most=MOST_CENTS) if form.has("at_least_cents") else 0
    below = form.at("below_cents").whole(least=1, most=MOST_CENTS) if form.has("below_cents") else None
    if currency is None or least is None:
        return None
    if below is not None and below <= least:
        form.at("below_cents").refuse(f"It must be greater than at_least_cents ({least}), else no value lies between.")
        return None
    return ValueRange(currency, least, below)


def read_currency(form: Form) -> str | None:
    value = form.value
    if currency_code(value) == value != "":
        return str(value)
    form.refuse(f"It must be a currency such as EUR, not {shown(value)}.")
    return None
