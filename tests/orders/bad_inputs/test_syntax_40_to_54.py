"""Bad inputs 40 to 54: JSON's syntax. 400 and nothing kept; what is JSON but wrong in content is 422 and a dead letter."""

import json

import pytest
from django.test import Client

from tests.orders.bad_inputs.cast import MARK, Trial, refused
from tests.orders.door_cast import WHEN, event, rows, said, send

WHOLE = json.dumps(event(payload={"note": MARK}))


def with_payload(text: str) -> str:
    return json.dumps(event(payload=0)).replace('"payload": 0', f'"payload": {text}')


SYNTAX = {
    "40 empty": "",
    "40 only spaces": " \r\n\t ",
    "41 a number": "5",
    "41 null": "null",
    "41 a list": "[]",
    "41 a text": '"x"',
    "41 a list of an event": f"[{WHOLE}]",
    "42 cut at the end": WHOLE[:-1],
    "42 cut in the middle": WHOLE[: len(WHOLE) // 2],
    "43 text behind": WHOLE + MARK,
    "43 a brace behind": WHOLE + "}",
    "44 two documents": WHOLE + WHOLE,
    "44 two lines": f"{WHOLE}\n{WHOLE}",
    "45 a comment": WHOLE.replace("{", "{/* x */", 1),
    "45 a trailing comma": WHOLE[:-1] + ",}",
    "45 single quotes": WHOLE.replace('"', "'"),
    "45 a key without quotes": WHOLE.replace('"source"', "source"),
    "46 a byte order mark": "\ufeff" + WHOLE,
    "47 UTF-16 that does not say so": WHOLE.encode("utf-16"),
    "48 invalid UTF-8 in a value": WHOLE.encode().replace(MARK.encode(), b"\xff\xfe"),
    "48 invalid UTF-8 in a key": WHOLE.encode().replace(b'"note"', b'"\xc3"'),
    "48 an overlong NUL": WHOLE.encode().replace(MARK.encode(), b"\xc0\x80"),
    "50 a thousand levels": with_payload('{"a":' * 1000 + "1" + "}" * 1000),
    "50 a hundred thousand levels": with_payload("[" * 100_000 + "]" * 100_000),
    "50 unclosed levels": "[" * 50_000,
    "52 NaN": with_payload('{"a": NaN}'),
    "52 Infinity": with_payload('{"a": Infinity}'),
    "52 -Infinity": with_payload('{"a": -Infinity}'),
    "54 a leading zero": with_payload('{"a": 01}'),
    "54 a plus": with_payload('{"a": +1}'),
    "54 no digit behind the point": with_payload('{"a": 1.}'),
    "54 hexadecimal": with_payload('{"a": 0x10}'),
}
CONTENT = {
    "50 65 levels in the payload": with_payload('{"a":' * 65 + "1" + "}" * 65),
    "53 1e400": with_payload('{"a": 1e400}'),
    "53 -1e400 deep inside": with_payload('{"a": [{"b": -1e400}]}'),
    "54 5,000 digits": with_payload('{"a": ' + "9" * 5000 + "}"),
}


@pytest.mark.parametrize("name", SYNTAX)
def test_what_is_no_json_is_400_and_leaves_nothing(sender: Client, trial: Trial, name: str) -> None:
    refused(trial(sender, "/events", SYNTAX[name]), 400)


@pytest.mark.parametrize("name", CONTENT)
def test_json_that_nothing_can_hold_is_422_and_kept(sender: Client, trial: Trial, name: str) -> None:
    refused(trial(sender, "/events", CONTENT[name]), 422, "payload")


@pytest.mark.parametrize("name", [*SYNTAX, *CONTENT])
def test_in_a_batch_it_is_one_rejection_or_no_batch_at_all(sender: Client, trial: Trial, name: str) -> None:
    """As a line among good ones; what tears the lines apart may cost itself only, never the good ones."""
    bad = {**SYNTAX, **CONTENT}[name]
    raw = bad if isinstance(bad, bytes) else bad.encode()
    good = json.dumps(event("good", order_id="good")).encode()
    answered = trial(sender, "/events/batch", b"\n".join([good, raw, good]), CONTENT_TYPE="application/x-ndjson")
    assert answered.status == 200, answered.content
    said_of_good = [each for each in answered.body["rejected"] if each["event_id"] == "evt-good"]
    assert (said_of_good, rows("SELECT count(*) FROM {s}.orders_event WHERE event_id = 'evt-good'")) == ([], [(1,)])


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "latin-1", "x" * 300, '"; DROP'])
def test_47_another_charset_is_415(sender: Client, trial: Trial, charset: str) -> None:
    refused(trial(sender, "/events", WHOLE, CONTENT_TYPE=f"application/json; charset={charset}"), 415)


def test_49_of_duplicate_keys_the_last_counts_for_every_reader(sender: Client) -> None:
    """For the door's decoder, PostgreSQL and the hash alike; so nobody can show one reader this and another that."""
    twice = (
        '{"source": "a", "source": "wms", "event_type": "order_packed", "event_id": "x", "event_id": "evt-1",'
        f'"order_id": "2002", "order_id": "1001", "occurred_at": "{WHEN}",'
        '"payload": {"old": 1}, "payload": {"a": 1, "a": {"b": 1, "b": 2}}}'
    )
    assert said(send(sender, twice.encode()))[0] == 201
    stored = rows("SELECT source, event_id, order_ref, payload::json FROM {s}.orders_event")
    assert stored == [("wms", "evt-1", "1001", {"a": {"b": 2}})]
    assert said(send(sender, event(payload={"a": {"b": 2}})))[1]["status"] == "duplicate"


def test_51_too_many_keys_are_too_many_bytes(sender: Client, trial: Trial) -> None:
    keys = ",".join(f'"key-{n}": 1' for n in range(50_000))
    refused(trial(sender, "/events", with_payload(f"{{{keys}}}")), 413)


def test_54_big_integers_that_fit_are_stored_exactly(sender: Client) -> None:
    number = 2**64 - 1
    assert said(send(sender, event(payload={"a": number, "b": -(2**63)})))[0] == 201
    assert rows("SELECT payload->>'a', payload->>'b' FROM {s}.orders_event") == [(str(number), str(-(2**63)))]
