import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from exceptions.analyst.evaluation import Evaluation, evaluate, is_justified
from exceptions.analyst.measure import Answer
from exceptions.analyst.seeded import BASE, SHOWN, make_samples, sightings
from shopify_mock.config import Settings


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return evaluate(make_samples(troubled=2_000, healthy=2_000, seed=7))


def test_rules_label_the_mock_shops_troubles_from_the_events_only(found: Evaluation) -> None:
    assert found.troubled == 2_000
    assert found.accuracy >= 0.95
    assert {answer.truth for answer in found.answers} == {answer.label for answer in found.answers}


def test_healthy_orders_raise_no_false_alarm(found: Evaluation) -> None:
    assert found.healthy == 2_000 and found.false_alarms <= 0.02


def test_false_alarm_is_counted_as_one() -> None:
    """Webhooks that were lost make healthy orders look late; nothing in the shop's own course justifies that."""
    samples = make_samples(troubled=0, healthy=100, seed=3, settings=Settings(drop=0.3))
    alarms = [seen for sample in samples for seen in sightings(sample) if not is_justified(sample, seen, BASE + SHOWN)]
    assert alarms
    assert 0.02 < evaluate(samples).false_alarms <= 1


def test_bar_is_held() -> None:
    answers = [Answer("unknown", 0.3, "payment_issue")]
    assert not Evaluation(answers, troubled=100, right=94, healthy=100, unjustified=0).passed
    assert not Evaluation(answers, troubled=100, right=95, healthy=100, unjustified=3).passed
    assert Evaluation(answers, troubled=100, right=95, healthy=100, unjustified=2).passed


def test_ai_eval_prints_the_confusion_and_one_json_object() -> None:
    out, err = StringIO(), StringIO()
    call_command("ai_eval", "--orders", "20", "--json", stdout=out, stderr=err)
    result = json.loads(out.getvalue().splitlines()[-1])
    assert (result["orders"], result["healthy"], result["passed"]) == (20, 20, True)
    assert result["confusion"]["payment_issue"].keys() == {"payment_issue"}
    text = StringIO()
    call_command("ai_eval", "--orders", "20", stdout=text, stderr=err)
    assert "Orders in trouble: 20 of 20 right (100.00%)." in text.getvalue()


@pytest.mark.parametrize("wrong", [("--orders", "4"), ("--orders", "20001"), ("--drop", "0.95")])
def test_ai_eval_refuses_senseless_numbers(wrong: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=wrong[0]):
        call_command("ai_eval", *wrong)
