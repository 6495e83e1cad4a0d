from typing import Any

import pytest
from django_tenants.utils import schema_context

from e2a.errors import Unprocessable
from exceptions.analyst import feedback, switch
from exceptions.analyst.feedback import Imported, NoSuchAnalysis, import_truths, say
from exceptions.analyst.models import Analysis, AnalystSwitch, Feedback, KnownCause
from exceptions.models import ExceptionRecord
from exceptions.services import act_on_many, resolve_exception
from exceptions.transitions import resolve
from tests.exceptions.analyst.door import present, unpaid
from tests.exceptions.cast import NOW, make_exception, resolved

pytestmark = pytest.mark.usefixtures("in_acme")
MODEL = {"model": "some/model", "prompt_version": "analyst-1"}


def done(exception: ExceptionRecord | None = None, *, label: str = "payment_issue", **more: Any) -> Analysis:
    columns = {"state": "done", "judge": "rules", "fallback": "clear", "finished_at": present(), "rules_label": label}
    exception = exception or unpaid()
    return Analysis.objects.create(exception=exception, occurrence=1, label=label, **(columns | more))


def causes() -> list[tuple[str, str, str]]:
    return sorted(KnownCause.objects.values_list("origin", "label", "actor"))


def tell(analysis: Analysis, actor: str = "user:ana", *, helpful: bool | None = None, really: str = "") -> Feedback:
    return say(analysis_id=analysis.pk, actor=actor, helpful=helpful, really=really, now=present())


def test_correction_is_what_it_really_was() -> None:
    tell(done(), really="weather")
    assert causes() == [("correction", "weather", "user:ana")]


def test_thumb_up_agrees_until_more_thumbs_point_down() -> None:
    analysis = done()
    tell(analysis, helpful=True)
    assert causes() == [("thumb", "payment_issue", "user:ana")]
    tell(analysis, "user:ben", helpful=False)
    assert causes() == []
    tell(analysis, "user:eva", helpful=True)
    assert causes() == [("thumb", "payment_issue", "user:eva")]


def test_person_has_one_word_and_may_change_it() -> None:
    analysis = done()
    tell(analysis, helpful=False, really="weather")
    tell(analysis, helpful=True)
    assert Feedback.objects.count() == 1
    assert causes() == [("thumb", "payment_issue", "user:ana")]


def test_last_correction_of_any_person_counts() -> None:
    analysis = done()
    tell(analysis, really="weather")
    tell(analysis, "user:ben", really="customs_hold")
    assert causes() == [("correction", "customs_hold", "user:ben")]


def test_agreeing_that_it_is_not_clear_teaches_nothing() -> None:
    tell(done(label="unknown"), helpful=True)
    assert causes() == []


@pytest.mark.parametrize(("helpful", "really"), [(None, ""), (True, "the moon"), (None, "unknown")])
def test_word_that_says_nothing_is_refused_and_kept_nowhere(helpful: bool | None, really: str) -> None:
    analysis = done()
    with pytest.raises(Unprocessable):
        tell(analysis, helpful=helpful, really=really)
    assert not Feedback.objects.exists() and causes() == []


def test_analysis_that_is_not_finished_takes_no_word() -> None:
    waiting = Analysis.objects.create(exception=unpaid(), occurrence=1)
    with pytest.raises(NoSuchAnalysis):
        tell(waiting, helpful=True)
    assert not Feedback.objects.exists()


def test_another_tenants_analysis_does_not_exist_here(globex: Any) -> None:
    analysis = done()
    with schema_context(globex.schema_name), pytest.raises(NoSuchAnalysis):
        tell(analysis, helpful=True)


def test_closing_may_name_the_cause() -> None:
    exception = make_exception()
    resolve_exception(exception_id=exception.pk, resolution="manual", label="carrier_lost", actor="user:ana", now=NOW)
    assert causes() == [("close", "carrier_lost", "user:ana")]
    assert exception.timeline.last().detail == {"resolution": "manual", "label": "carrier_lost"}


def test_closing_many_names_the_cause_of_those_that_were_closed() -> None:
    closed = make_exception("1", **resolved())
    open_ = make_exception("2")
    act = resolve(resolution="manual", label="weather", at=NOW)
    act_on_many(ExceptionRecord.objects.all(), act, actor="user:ana", reason="", now=NOW)
    assert [cause.exception_id for cause in KnownCause.objects.all()] == [open_.pk] != [closed.pk]


def test_closing_without_a_cause_teaches_nothing() -> None:
    exception = make_exception()
    resolve_exception(exception_id=exception.pk, resolution="manual", actor="user:ana", now=NOW)
    assert causes() == []
    assert exception.timeline.last().detail == {"resolution": "manual"}


def test_truths_of_the_mock_are_imported_once() -> None:
    unpaid("1", age=30)
    unpaid("2")
    truths = {"1": "payment_issue", "2": "weather", "3": "weather"}
    of_first = ExceptionRecord.objects.filter(order_ref="1").count()
    assert of_first > 1
    for _ in range(2):
        assert import_truths(truths, merchant="default", now=present()) == Imported(of_first + 1, 1)
    assert KnownCause.objects.count() == of_first + 1


def test_exception_that_never_was_learns_no_truth() -> None:
    make_exception("1")
    make_exception("2", **resolved(resolution="false_alarm", verdict="none"))
    assert import_truths({"1": "weather", "2": "weather"}, merchant="default", now=present()) == Imported(1, 1)
    assert causes() == [("mock", "weather", "mock")]


def test_truth_that_is_no_label_imports_nothing() -> None:
    unpaid("1")
    with pytest.raises(Unprocessable):
        import_truths({"1": "payment_issue", "2": "nonsense"}, merchant="default", now=present())
    assert causes() == []


def judged(number: int, *, ai: bool, rules: bool) -> None:
    """An analysis by the AI whose truth a person named."""
    exception = make_exception(f"j{number}")
    words = {True: "payment_issue", False: "weather"}
    done(exception, label=words[ai], judge="ai", fallback="", ai_label=words[ai], rules_label=words[rules], **MODEL)
    Analysis.objects.filter(exception=exception).update(rules_label=words[rules])
    KnownCause.objects.create(exception=exception, origin="correction", label="payment_issue", actor="user:ana")


def test_analyst_that_loses_to_the_rules_is_switched_off_once() -> None:
    for number in range(30):
        judged(number, ai=number >= 8, rules=True)
    assert switch.is_on(**MODEL)
    assert switch.switch_off_if_losing(**MODEL) is True
    assert switch.switch_off_if_losing(**MODEL) is False
    word = AnalystSwitch.objects.get()
    assert (word.on, word.actor) == (False, "rules")
    assert word.reason.startswith("Of the last 30 judged analyses it had 22 right, the rules 30;")
    assert not switch.is_on(**MODEL) and switch.is_on(model="other", prompt_version="analyst-1")


def test_analyst_that_is_as_good_stays() -> None:
    for number in range(40):
        judged(number, ai=number != 1, rules=number != 2)
    assert switch.switch_off_if_losing(**MODEL) is False
    assert not AnalystSwitch.objects.exists()


def test_few_cases_decide_nothing() -> None:
    for number in range(29):
        judged(number, ai=False, rules=True)
    assert switch.switch_off_if_losing(**MODEL) is False


def test_manager_brings_it_back_and_it_starts_with_a_clean_sheet() -> None:
    for number in range(30):
        judged(number, ai=False, rules=True)
    switch.switch_off_if_losing(**MODEL)
    Analysis.objects.update(finished_at="2026-01-01T00:00:00Z")
    assert switch.switch(**MODEL, on=True, actor="user:boss", reason="new prompt")
    assert not switch.switch(**MODEL, on=True, actor="user:boss", reason="again")
    assert switch.is_on(**MODEL)
    assert switch.standing_of(**MODEL).pairs == []
    assert switch.switch_off_if_losing(**MODEL) is False


def test_better_word_on_the_truth_outranks_the_lesser() -> None:
    judged(1, ai=True, rules=False)
    feedback.import_truths({"j1": "weather"}, merchant="default", now=present())
    assert switch.standing_of(**MODEL).pairs == [(True, False)]
    KnownCause.objects.filter(origin="correction").delete()
    assert switch.standing_of(**MODEL).pairs == [(False, True)]
