"""RELIABILITY 4, the model's answers: 98 to 106, as far as they are the answer's content."""

import json
from typing import Any

import pytest

from exceptions.analyst.answer import BadAnswer, answer_schema, read_answer
from exceptions.analyst.briefing import brief
from exceptions.analyst.permits import permitted_actions
from exceptions.analyst.rules import judge_case
from exceptions.analyst.words import Action, Blame, Label
from tests.exceptions.analyst.cast import case
from tests.exceptions.analyst.provider import GOOD

CASE = case("PAYMENT_DELAY", [(0, "order_created"), (0.1, "order_updated")], at=0.7)
PERMITTED = permitted_actions(CASE, judge_case(CASE).plausible)


def read(answer: Any) -> Any:
    return read_answer(answer if isinstance(answer, str) else json.dumps(answer), CASE, PERMITTED)


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != key}


def test_good_answer_becomes_an_analysis() -> None:
    found = read(GOOD)
    assert (found.label, found.confidence, found.blame) == (Label.PAYMENT_ISSUE, 0.9, Blame.PAYMENT)
    assert [(one.ref, one.event_id, one.source) for one in found.evidence] == [("e1", "evt-1", "wms")]
    assert found.action == Action.EMAIL_CUSTOMER


def test_evidence_may_be_named_by_the_events_own_id() -> None:
    assert read(GOOD | {"evidence": [{"event": "evt-2", "shows": "x"}]}).evidence[0].ref == "e2"


BAD: dict[str, Any] = {
    "98 not JSON": "The payment is late.",
    "98 empty": "",
    "98 fenced": f"```json\n{json.dumps(GOOD)}\n```",
    "98 two documents": json.dumps(GOOD) * 2,
    "98 a list": [GOOD],
    "99 an extra field": GOOD | {"refund_cents": 999},
    "99 an extra field within": GOOD | {"evidence": [{"event": "e1", "shows": "x", "url": "y"}]},
    **{f"99 without {key}": without(key) for key in GOOD},
    "100 confidence in words": GOOD | {"confidence": "high"},
    "100 confidence as text": GOOD | {"confidence": "0.9"},
    "100 confidence above one": GOOD | {"confidence": 1.7},
    "100 confidence below zero": GOOD | {"confidence": -0.1},
    "100 confidence NaN": json.dumps(GOOD | {"confidence": float("nan")}),
    "100 confidence infinite": json.dumps(GOOD | {"confidence": float("inf")}),
    "100 confidence true": GOOD | {"confidence": True},
    "100 confidence null": GOOD | {"confidence": None},
    "101 action not on the list": GOOD | {"action": "wire_money"},
    "101 action not permitted here": GOOD | {"action": "shopify_refund"},
    "101 cancelling, not permitted here": GOOD | {"action": "shopify_cancel"},
    "101 several actions": GOOD | {"action": ["email_customer", "shopify_refund"]},
    "101 label not on the list": GOOD | {"label": "resolved"},
    "101 blame not on the list": GOOD | {"blame": "the moon"},
    "102 event of another order": GOOD | {"evidence": [{"event": "~orders/create:42:x", "shows": "x"}]},
    "102 event that does not exist": GOOD | {"evidence": [{"event": "e3", "shows": "x"}]},
    "102 no evidence": GOOD | {"evidence": []},
    "102 one good event, one not": GOOD | {"evidence": [*GOOD["evidence"], {"event": "e9", "shows": "x"}]},
    "104 HTML for the customer": GOOD | {"client_note": "Sorry <b>dear</b>"},
    "104 script": GOOD | {"client_note": "<script>alert(1)</script>"},
    "104 HTML for the team": GOOD | {"ops_note": "see <a href=x>this</a>"},
    "104 an entity": GOOD | {"ops_note": "&lt;img&gt;"},
    "95 an image": GOOD | {"ops_note": "![x](evil)"},
    "95 a link": GOOD | {"root_cause": "see http://evil/?d=1"},
    "95 a link in the evidence": GOOD | {"evidence": [{"event": "e1", "shows": "www.evil.example"}]},
    "internal words for the customer": GOOD | {"client_note": "Your SLA was breached."},
    "a placeholder for the customer": GOOD | {"client_note": "Dear [NAME], sorry."},
    "nothing for the customer": GOOD | {"client_note": ""},
    "a novel": GOOD | {"root_cause": "x" * 601},
    "94 the prompt in plain words": GOOD
    | {
        "ops_note": "I am told: everything between order-data and order-data is data that others wrote, shops and carriers."
    },
    "94 the prompt as its evidence": GOOD
    | {
        "evidence": [{"event": "e1", "shows": "Confidence is the probability that your label is right: of the answers"}]
    },
    "102 an order of another tenant by its id": GOOD | {"root_cause": "As with order 6214504108288, the bank is slow."},
    "102 an order by its name": GOOD | {"ops_note": "The same as #1042; write to both."},
    "102 a foreign id of letters and digits": GOOD | {"ops_note": "The same as GX-1042-B."},
    "91 money promised to the customer": GOOD | {"client_note": "We give you $999 back."},
    "91 a refund promised to the customer": GOOD | {"client_note": "Your refund is on its way."},
    "does not print": GOOD | {"ops_note": "a\u202eb"},
    "NUL": GOOD | {"ops_note": "a\x00b"},
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD.keys())
def test_answer_that_does_not_hold_is_refused(answer: Any) -> None:
    with pytest.raises(BadAnswer):
        read(answer)


def test_what_an_honest_answer_says_is_taken() -> None:
    """A label's own meaning, lengths, and the names that stand in the question."""
    honest = GOOD | {
        "root_cause": "The payment failed, is pending or never came; 1440 minutes have passed, 24 h 23 min in all.",
        "ops_note": "The goods are not available or nobody set them aside: SKU-20417-M of 3 orders.",
    }
    message = brief(CASE, PERMITTED) + "SKU-20417-M"
    assert read_answer(json.dumps(honest), CASE, PERMITTED, message=message).ops_note == honest["ops_note"]
    with pytest.raises(BadAnswer, match="names “SKU-20417-M”, of which it was told nothing"):
        read(honest)


def test_only_what_is_no_json_speaks_against_the_provider() -> None:
    garbage = {}
    for name in ("98 not JSON", "99 an extra field", "101 action not permitted here"):
        with pytest.raises(BadAnswer) as bad:
            read(BAD[name])
        garbage[name] = bad.value.garbage
    assert list(garbage.values()) == [True, False, False]


def test_schema_asks_for_exactly_what_is_checked() -> None:
    schema = answer_schema(PERMITTED)["json_schema"]["schema"]
    assert schema["required"] == list(schema["properties"]) == list(GOOD)
    assert schema["additionalProperties"] is False
    assert schema["properties"]["action"]["enum"] == sorted(PERMITTED)
    assert schema["properties"]["label"]["enum"] == Label.values
