"""Amounts of money as people write them, and in minor units (ISO 4217). Pure."""

from decimal import Decimal

WHOLE = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
THOUSANDTHS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
MOST_DIGITS = 20


def scale_of(currency: str) -> int:
    """Minor units in one of the currency."""
    return 1 if currency in WHOLE else 1000 if currency in THOUSANDTHS else 100


def amount_words(minor: int, currency: str) -> str:
    """`1234.50`."""
    places = len(str(scale_of(currency))) - 1
    return f"{Decimal(minor) / scale_of(currency):.{places}f}"


def minor_units(text: str, currency: str) -> int | None:
    """None for what is no amount, or is finer than the currency."""
    try:
        minor = Decimal(text.strip().replace(",", ".")) * scale_of(currency) if len(text) <= MOST_DIGITS else None
    except ArithmeticError:
        return None
    return int(minor) if minor is not None and minor.is_finite() and minor == minor.to_integral_value() else None
