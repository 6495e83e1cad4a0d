"""No name, e-mail, phone, street or card in what the provider received, over 1,000 generated orders of the mock shop."""

import json
import re
from random import Random
from typing import Any

import pytest

from exceptions.analyst.answer import answer_schema
from exceptions.analyst.briefing import brief
from exceptions.analyst.client import Question, ask_once
from exceptions.analyst.personal import folded, person_of
from exceptions.analyst.prompts import prompt_text
from exceptions.analyst.rules import judge_case
from exceptions.analyst.seeded import case_of, make_samples, sightings
from exceptions.analyst.services import permitted_for
from shopify_mock.batch import make_batch
from shopify_mock.webhooks import body_of
from tests.exceptions.analyst.provider import FakeProvider

CARD = "4111 1111 1111 1111"


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


@pytest.fixture(scope="module")
def sent() -> list[tuple[dict[str, Any], str]]:
    """(goods, all that the provider received of that order)."""
    count, seed, dice = 1000, 11, Random(5)
    samples = {sample.order_id: sample for sample in make_samples(troubled=count, healthy=0, seed=seed)}
    base = 1_795_510_800  # seeded.BASE
    batch = make_batch(seed=seed, base=base, count=count, first_number=1001, problem_share=1.0)
    found = []
    for order in batch:
        sample = samples[str(order.id)]
        seen = sightings(sample)[0]
        known = case_of(sample, seen)
        note = chatter(order.goods, dice)
        told = [one._replace(told=one.told._replace(texts=(note, *one.told.texts))) for one in known.happenings[:1]]
        known.happenings[:1] = told  # type: ignore[index]
        payloads = [json.loads(body_of("orders/create", order.goods, order.happenings[:1]))]
        permitted = permitted_for(known, judge_case(known))
        question = Question(prompt_text(), brief(known, permitted), answer_schema(permitted), person_of(payloads))
        fake = FakeProvider()
        ask_once(fake.provider(), question, seconds=5)
        body = fake.received[0]
        assert body["messages"][0]["content"] == prompt_text()
        found.append((order.goods, json.dumps({**body, "messages": body["messages"][1:]}, ensure_ascii=False)))
    return found


def test_thousand_orders_were_asked_about(sent: list[tuple[dict[str, Any], str]]) -> None:
    assert len(sent) == 1000
    assert sum("[NAME]" in text or "[EMAIL]" in text or "[STREET]" in text for _, text in sent) > 990


def test_no_person_was_sent(sent: list[tuple[dict[str, Any], str]]) -> None:
    for goods, text in sent:
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
