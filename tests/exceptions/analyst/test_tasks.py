"""The sweeps: what a lost message leaves behind is found again; each tenant by itself."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django_tenants.utils import schema_context

from exceptions import tasks
from exceptions.analyst.models import Analysis, KnownCause
from exceptions.analyst.stored import rerun_stored
from tests.exceptions.analyst.cast import ready
from tests.exceptions.analyst.door import order_sent, present, unpaid

pytestmark = pytest.mark.usefixtures("in_acme")


class Sent:
    """Takes the place of a task's `delay`."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, *args: Any) -> None:
        self.calls.append(args)


@pytest.fixture
def nudges(monkeypatch: pytest.MonkeyPatch) -> dict[str, Sent]:
    sent = {"tenant": Sent(), "ai": Sent()}
    monkeypatch.setattr(tasks.analyse_tenant, "delay", sent["tenant"])
    monkeypatch.setattr(tasks.analyse_with_ai, "delay", sent["ai"])
    return sent


def test_only_tenants_with_work_are_nudged(nudges: dict[str, Sent]) -> None:
    assert tasks.analyse() == 0
    unpaid()
    assert tasks.analyse(unknown="kept") == 1
    assert nudges["tenant"].calls == [("acme",)]


def test_rules_answer_every_exception_of_the_tenant_and_no_other(nudges: dict[str, Sent], settings: Any) -> None:
    settings.AI_API_KEY = ""
    for number in range(3):
        unpaid(str(number))
    with schema_context("globex"):
        unpaid()
    assert tasks.analyse_tenant("acme") == 3
    assert tasks.analyse_tenant("acme") == 0
    assert set(Analysis.objects.values_list("state", "fallback")) == {("done", "no_key")}
    with schema_context("globex"):
        assert not Analysis.objects.exists()
    assert nudges["ai"].calls == []


def test_what_is_worth_the_ai_gets_a_task_of_its_own(nudges: dict[str, Sent], settings: Any) -> None:
    settings.AI_API_KEY, settings.AI_MODEL, settings.AI_MODE = "key", "m", "full"
    unpaid()
    tasks.analyse_tenant("acme")
    assert nudges["ai"].calls == [("acme", Analysis.objects.get().pk)]
    assert Analysis.objects.get().state == "waiting"


def test_task_without_a_key_ends_with_the_rules_and_may_run_twice(settings: Any) -> None:
    settings.AI_API_KEY = ""
    unpaid()
    tasks.analyst.want_analyses(1)
    pk = Analysis.objects.get().pk
    assert [tasks.analyse_with_ai("acme", pk), tasks.analyse_with_ai("acme", pk)] == [True, False]


@pytest.mark.parametrize("task", [tasks.analyse_tenant, tasks.analyse_with_ai])
def test_unknown_schema_is_refused(task: Any) -> None:
    with pytest.raises(ValueError, match="no_such"):
        task("no_such", *([1] if task is tasks.analyse_with_ai else []))


def test_judging_the_analysts_goes_over_all_tenants(settings: Any) -> None:
    settings.AI_MODEL = "some/model"
    assert tasks.judge_analysts() == 0


def test_truths_come_from_a_file_of_the_mock(tmp_path: Path) -> None:
    order_sent("1", ready(), age=5)
    path = tmp_path / "truths.json"
    path.write_text(
        json.dumps(
            {"problems": [{"order_id": 1, "problem": "delayed_fulfillment"}, {"order_id": 2, "problem": "weather"}]}
        )
    )
    out = StringIO()
    call_command("import_truths", "acme", str(path), "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"truths": 2, "exceptions": 1, "orders_without": 1}
    assert KnownCause.objects.get().label == "delayed_fulfillment"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nonsense", "list of objects"),
        ('{"problems": 5}', "list of objects"),
        ('[{"order_id": 1}]', "list of objects"),
        ('[{"order_id": 1, "problem": "the moon"}]', "is not a cause"),
    ],
)
def test_truths_that_cannot_be_used_are_refused_with_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "truths.json"
    path.write_text(text)
    with pytest.raises(CommandError, match=sentence):
        call_command("import_truths", "acme", str(path))
    assert not KnownCause.objects.exists()


def test_missing_file_and_unknown_tenant_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_truths", "acme", str(tmp_path / "none"))
    (tmp_path / "empty").write_text("[]")
    with pytest.raises(CommandError, match="no tenant"):
        call_command("import_truths", "nobody", str(tmp_path / "empty"))


def test_stored_set_is_judged_anew_as_of_then(settings: Any) -> None:
    """What came after the analysis, here the packing, is not known to the rules that are judged."""
    settings.AI_API_KEY = ""
    order_sent("1", ready(), age=5)
    tasks.analyse_tenant("acme")
    KnownCause.objects.create(
        exception=Analysis.objects.get().exception, origin="correction", label="delayed_fulfillment", actor="user:ana"
    )
    order_sent("1", [*ready(), (4.99, "order_packed")][-1:], age=4.98)
    now = present() + timedelta(seconds=1)
    (answer,) = rerun_stored(10, now=now)
    assert answer.right and answer.truth == "delayed_fulfillment"
    out = StringIO()
    call_command("ai_eval", "--tenant", "acme", "--json", stdout=out)
    assert json.loads(out.getvalue())["exceptions"]["right"] == 1


def test_stored_set_of_nobody_gets_a_sentence() -> None:
    with pytest.raises(CommandError, match="Nobody has said"):
        call_command("ai_eval", "--tenant", "acme")
    with pytest.raises(CommandError, match="no tenant"):
        call_command("ai_eval", "--tenant", "nobody")
