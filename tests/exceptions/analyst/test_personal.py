import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exceptions.analyst.personal import NOBODY, person_of, without_people, without_strangers

NURIA = {
    "customer": {
        "first_name": "Núria",
        "last_name": "de Vries",
        "email": "nuria@example.com",
        "phone": "+34 600 999888",
    },
    "shipping_address": {"name": "Núria de Vries", "address1": 'Rua "Nova" 7', "city": "Lisboa", "zip": "1100-012"},
    "payment_details": {"credit_card_number": "•••• •••• •••• 4242 4242"},
    "name": "#1001",
    "line_items": [{"name": "Soy candle - Fig"}],
}
PERSON = person_of([NURIA])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("call NURIA", "call [NAME]"),
        ("for nuria's mother", "for [NAME] mother"),
        ("the de Vries-house", "the de [NAME]"),
        ("600999888", "[PHONE]"),
        ("0034 (600) 99-98-88", "[PHONE]"),
        ('leave it at RUA "NOVA" 7', "leave it at [STREET]"),
        ('{"to":"Rua \\"Nova\\" 7"}', '{"to":"[STREET]"}'),
        ("somewhere in lisboa", "somewhere in [PLACE]"),
        ("nuria@example.com", "[EMAIL]"),
        ("order #1001 of Soy candle - Fig", "order #1001 of Soy candle - Fig"),
    ],
)
def test_what_the_payloads_know_is_found_in_any_form(text: str, clean: str) -> None:
    assert without_people(text, PERSON) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("write to j.doe+x@mail.example.org please", "write to [EMAIL] please"),
        ("pay with 4111 1111 1111 1111 exp 12/29", "pay with [CARD] exp 12/29"),
        ("ring +351 912 345 678 first", "ring [PHONE] first"),
        ("IBAN ES91 2100 0418 4502 0005 1332", "IBAN [CARD]"),
        ("at Carrer de Mallorca 401, 2n", "at [STREET], 2n"),
        ("12 Mill Lane", "[STREET]"),
        ("Venloer Straße 45b", "[STREET]"),
        ("![x](http://evil.example/?d=1)", "![x]([LINK]"),
        ("go to www.evil.example", "go to [LINK]"),
        ("SKU LMP-TBL-SAN, 12 pieces, 24 h", "SKU LMP-TBL-SAN, 12 pieces, 24 h"),
        ("inventory_shortage after 15 min", "inventory_shortage after 15 min"),
    ],
)
def test_what_looks_like_a_person_goes_without_knowing_it(text: str, clean: str) -> None:
    assert without_people(text, NOBODY) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Please ask for Maria Lopez.", "Please ask for [NAME]."),
        ("Maria Lopez takes it", "[NAME] takes it"),
        ("Leave it. Thanks", "Leave it. Thanks"),
        ("for my wife Júlia", "for my wife [NAME]"),
    ],
)
def test_strangers_in_peoples_own_words_go_by_their_capitals(text: str, clean: str) -> None:
    assert without_strangers(text) == clean


def test_redacted_payload_knows_nobody() -> None:
    assert person_of([{"customer": {"redacted": True}, "email": "[redacted]"}]) == NOBODY


@given(st.text(max_size=200))
def test_doing_it_twice_changes_nothing(text: str) -> None:
    once = without_people(text, PERSON)
    assert without_people(once, PERSON) == once


@pytest.mark.parametrize("piece", ["a", "a.", "a-", "1 ", "street ", "Ab ", "a@", "Rua a ", "1 a ", "AB12", '"'])
def test_no_text_makes_it_slow(piece: str) -> None:
    text, began = (piece * 40_000)[:40_000], time.perf_counter()
    without_strangers(without_people(text, PERSON))
    assert time.perf_counter() - began < 2
