"""Bad inputs 65 to 78: numbers, money, times.

The door interprets no number but an order's value: what stands in a payload is stored as it came (65, 66, 68, 70, 72), unless
nothing can hold it. An order's value that cannot be used is as if it were not there (65 to 73), so that it costs no event; the
shop's own totals are in tests/orders/providers/test_shopify_carries.py.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from orders.providers.reading import instant
from tests.orders.bad_inputs.cast import Trial, refused
from tests.orders.door_cast import event, rows

NOT_TAKEN = (None, "")
AMOUNTS: dict[str, tuple[str, tuple[int | None, str]]] = {  # payload → the order's value and currency
    "65 2^31": ('{"order_value_cents": 2147483648, "currency": "EUR"}', (2**31, "EUR")),
    "65 2^63": ('{"order_value_cents": 9223372036854775808, "currency": "EUR"}', NOT_TAKEN),
    "66 true": ('{"order_value_cents": true, "currency": "EUR"}', NOT_TAKEN),
    "67 other digits": ('{"order_value_cents": "１２", "currency": "EUR"}', NOT_TAKEN),
    "68 1e3": ('{"order_value_cents": 1e3, "currency": "EUR"}', NOT_TAKEN),
    "68 1.0": ('{"order_value_cents": 1.0, "currency": "EUR"}', NOT_TAKEN),
    "69 NaN as text": ('{"order_value_cents": "NaN", "currency": "EUR"}', NOT_TAKEN),
    "70 10.005": ('{"order_value_cents": 10.005, "currency": "EUR"}', NOT_TAKEN),
    "70 0.1 + 0.2": ('{"order_value_cents": 0.30000000000000004, "currency": "EUR"}', NOT_TAKEN),
    "71 minus zero": ('{"order_value_cents": -0, "currency": "EUR"}', (0, "EUR")),
    "71 minus zero with places": ('{"order_value_cents": -0.00, "currency": "EUR"}', NOT_TAKEN),
    "71 negative": ('{"order_value_cents": -5, "currency": "EUR"}', NOT_TAKEN),
    "72 yen are whole": ('{"order_value_cents": 500, "currency": "jpy"}', (500, "JPY")),
    "72 yen with decimals": ('{"order_value_cents": 500.5, "currency": "JPY"}', NOT_TAKEN),
    "72 dinars in thousandths": ('{"order_value_cents": 1234, "currency": "KWD"}', (1234, "KWD")),
    "72 a currency nobody knows": ('{"order_value_cents": 5, "currency": "ZZZ"}', NOT_TAKEN),
    "72 no money at all": ('{"order_value_cents": 5, "currency": "XXX"}', NOT_TAKEN),
    "72 no currency": ('{"order_value_cents": 5}', NOT_TAKEN),
    "73 the cap": ('{"order_value_cents": 1000000000000000, "currency": "EUR"}', (10**15, "EUR")),
    "73 over the cap": ('{"order_value_cents": 1000000000000001, "currency": "EUR"}', NOT_TAKEN),
}
AS_IT_CAME: dict[str, tuple[str, str]] = {  # payload → what PostgreSQL gives back for `a`
    "65 2^31": ('{"a": 2147483648}', "2147483648"),
    "65 2^63": ('{"a": 9223372036854775808}', "9223372036854775808"),
    "66 true": ('{"a": true}', "true"),
    "68 1e3": ('{"a": 1e3}', "1000"),
    "68 1.0": ('{"a": 1.0}', "1.0"),
    "70 10.005": ('{"a": 10.005}', "10.005"),
    "70 many digits": ('{"a": 0.30000000000000004}', "0.30000000000000004"),
    "71 minus zero": ('{"a": -0.00}', "0.00"),
    "72 a currency nobody knows": ('{"a": "XXX"}', "XXX"),
}
TIMES: dict[str, Any] = {
    "67 fullwidth digits": "２０２６-11-23T10:00:00Z",
    "67 Arabic digits": "٢٠٢٦-11-23T10:00:00Z",
    "74 no zone": "2026-11-23T10:00:00",
    "74 a date only": "2026-11-23",
    "74 a number": 1795554733,
    "74 a number as text": "1795554733",
    "74 empty": "",
    "74 null": None,
    "74 words": "yesterday",
    "74 RFC 2822": "Mon, 23 Nov 2026 10:00:00 +0000",
    "74 a zone's name": "2026-11-23T10:00:00 Europe/Lisbon",
    "75 30 February": "2024-02-30T10:00:00Z",
    "75 month 13": "2026-13-01T10:00:00Z",
    "75 second 60": "2026-11-23T10:00:60Z",
    "75 hour 24": "2026-11-23T24:00:00Z",
    "75 zone +99:99": "2026-11-23T10:00:00+99:99",
    "75 year 0": "0000-01-01T00:00:00Z",
    "75 year 1": "0001-01-01T00:00:00Z",
    "75 year 1 beyond the first instant": "0001-01-01T00:00:00+14:00",
    "75 year 9999 beyond the last instant": "9999-12-31T23:59:59-14:00",
    "75 year 10000": "10000-01-01T00:00:00Z",
    "75 before 1970": "1969-12-31T23:59:59Z",
    "75 a week date": "2026-W48-1T10:00:00Z",
    "75 spaces around": " 2026-11-23T10:00:00Z ",
}
GOOD_TIMES = {
    "2026-11-23T10:00:00Z": "2026-11-23T10:00:00+00:00",
    "2026-11-23t10:00:00z": "2026-11-23T10:00:00+00:00",
    "2026-11-23 10:00:00+01:00": "2026-11-23T09:00:00+00:00",
    "2026-11-23T10:00:00.123456789-05:00": "2026-11-23T15:00:00.123457+00:00",
    "2024-02-29T10:00:00Z": "2024-02-29T10:00:00+00:00",
}


def raw_with(payload: str) -> str:
    return json.dumps(event(payload=0)).replace('"payload": 0', f'"payload": {payload}')


def hours(number: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=number)).isoformat()


@pytest.mark.parametrize("name", AS_IT_CAME)
def test_numbers_in_a_payload_are_stored_as_they_came(sender: Client, trial: Trial, name: str) -> None:
    payload, kept = AS_IT_CAME[name]
    assert trial(sender, "/events", raw_with(payload)).status == 201
    assert rows("SELECT payload->>'a' FROM {s}.orders_event") == [(kept,)]


@pytest.mark.parametrize("name", AMOUNTS)
def test_an_amount_that_is_none_costs_no_event_and_is_not_taken(sender: Client, trial: Trial, name: str) -> None:
    """The order's value, which priorities and incidents add up: whole minor units of a currency, or nothing."""
    said, taken = AMOUNTS[name]
    text = raw_with(said).replace("order_packed", "order_created")
    assert trial(sender, "/events", text).status == 201
    batch = f'{{"events": [{text.replace("evt-1", "evt-2").replace("1001", "1002")}]}}'
    assert trial(sender, "/events/batch", batch).body["processed"] == 1
    assert rows("SELECT value_cents, currency FROM {s}.orders_order") == [taken, taken]


@pytest.mark.parametrize(
    ("amount", "status"), [("NaN", 400), ("Infinity", 400), ("-Infinity", 400), ("sNaN", 400), ("1e1000000000", 422)]
)
def test_69_what_no_number_can_hold_is_refused(sender: Client, trial: Trial, amount: str, status: int) -> None:
    text = raw_with(f'{{"order_value_cents": {amount}, "currency": "EUR"}}')
    refused(trial(sender, "/events", text), status)


@pytest.mark.parametrize("name", TIMES)
def test_time_that_is_none_is_422(sender: Client, trial: Trial, name: str) -> None:
    refused(trial(sender, "/events", json.dumps(event(occurred_at=TIMES[name]))), 422, "occurred_at")


@pytest.mark.parametrize("sent", GOOD_TIMES)
def test_time_with_a_zone_is_one_instant(sender: Client, trial: Trial, sent: str) -> None:
    assert trial(sender, "/events", json.dumps(event(occurred_at=sent))).status == 201
    [(when,)] = rows("SELECT occurred_at FROM {s}.orders_event")
    assert when.astimezone(UTC).isoformat() == GOOD_TIMES[sent]


def test_76_an_event_from_the_future_counts_from_its_receipt(sender: Client, trial: Trial) -> None:
    assert trial(sender, "/events", json.dumps(event(occurred_at=hours(23.9)))).status == 201
    assert rows("SELECT effective_at = received_at, occurred_at > received_at FROM {s}.orders_event") == [(True, True)]


def test_76_an_event_from_too_far_ahead_is_422(sender: Client, trial: Trial) -> None:
    refused(trial(sender, "/events", json.dumps(event(occurred_at=hours(24.1)))), 422, "occurred_at")


def test_77_an_event_ten_years_old_is_history(sender: Client, trial: Trial) -> None:
    """Judged like any other; what it opens is marked as history, so nothing is sent, started or charged for it."""
    body = event(occurred_at=hours(-87_600), event_type="payment_failed")
    assert trial(sender, "/events", json.dumps(body)).status == 201
    assert rows("SELECT history FROM {s}.orders_event") == [(True,)]
    assert rows("SELECT count(*) FILTER (WHERE NOT history) FROM {s}.exceptions_record") == [(0,)]


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-03-29T01:30:00", "2026-03-29T01:30:00+00:00"),  # does not exist in Lisbon: the clock goes from 1 to 2
        ("2026-10-25T01:30:00", "2026-10-25T00:30:00+00:00"),  # exists twice: the first
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00+00:00"),
    ],
)
def test_78_a_local_hour_in_a_gap_or_twice_is_one_instant(local: str, utc: str) -> None:
    assert instant(local, "Europe/Lisbon", "at").isoformat() == utc
