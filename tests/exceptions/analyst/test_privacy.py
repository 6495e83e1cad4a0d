"""No name, e-mail, phone, street or card in what the provider received, over 1,000 generated orders of the mock shop."""

import json
import re
from random import Random
from typing import Any

import pytest

from exceptions.analyst.models import Analysis
from exceptions.analyst.personal import folded
from exceptions.analyst.prompts import prompt_text
from exceptions.analyst.services import analyse_one, want_analyses
from shopify_mock.batch import make_batch
from tests.exceptions.analyst.door import present
from tests.exceptions.analyst.provider import GOOD, FakeProvider, tools
from tests.exceptions.analyst.test_through_the_door import deliver

CARD = "4111 1111 1111 1111"
GENERATED = 1_400


def chatter(goods: dict[str, Any], dice: Random) -> str:
    """A note as customers write them, with all that should not be in it."""
    person, address = goods["person"], goods["address"]
    forms = [
        f"Please ask for {person['first_name']} {person['last_name']}, {person['phone']}.",
        f"deliver to {address['address1'].upper()} — {person['last_name'].lower()}",
        f"mail me: {person['email']} or pay with {CARD}",
        f"{person['first_name']}s Tür, Tel {person['phone'].replace(' ', '-')}, {address['address1']}",
    ]
    return dice.choice(forms)


@pytest.mark.usefixtures("in_acme")
def test_no_person_is_sent_of_a_thousand_orders() -> None:
    """From the shop's webhooks through the door and the worker's own function to what the provider received."""
    now, dice = present(), Random(5)
    batch = make_batch(seed=11, base=int(now.timestamp()) - 150, count=GENERATED, first_number=1001, problem_share=1.0)
    asked = masked = 0
    for order in batch:
        order.goods["note"] = chatter(order.goods, dice)
        deliver(order, now)
        want_analyses(10)
        fake = FakeProvider(
            [GOOD | {"action": "shopify_refund"}]
        )  # never kept, so that no later order is answered by it
        for waiting in Analysis.objects.filter(exception__order_ref=str(order.id)):
            analyse_one("acme", waiting.pk, tools(fake.provider(), daily_tokens=10**9), now=now)
        for body in fake.received:
            assert body["messages"][0] == {"role": "system", "content": prompt_text()}
            text = json.dumps({**body, "messages": body["messages"][1:]}, ensure_ascii=False)
            masked += any(mark in text for mark in ("[NAME]", "[EMAIL]", "[STREET]", "[PHONE]", "[CARD]"))
            assert_no_person(order.goods, text)
        asked += bool(fake.received)  # of what is over already nobody is asked
    assert asked >= 1_000
    assert masked > 0.99 * asked


def assert_no_person(goods: dict[str, Any], text: str) -> None:
    person, plain = goods["person"], folded(text)
    words = set(re.findall(r"\w+", plain))
    for name in (*person["first_name"].split(), *person["last_name"].split()):
        assert folded(name) not in words - {"de"}, (name, text)
    assert person["email"] not in text and "@" not in text
    digits = re.sub(r"\D", "", person["phone"])
    assert digits[-9:] not in re.sub(r"[\s().-]", "", text)
    for address in (goods["address"], goods["mended"]):
        assert folded(address["address1"]) not in plain
        assert folded(address["address1"].rsplit(" ", 1)[0]) not in plain
    assert CARD not in text and CARD.replace(" ", "") not in re.sub(r"[\s-]", "", text)
    assert str(goods["id"]) not in text and f"#{goods['number']}" not in text
    assert not any(number in text for number in goods["tracking"])
