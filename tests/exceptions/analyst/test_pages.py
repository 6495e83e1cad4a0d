"""The scoreboard's page and the analysis panel, for each role."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django_tenants.utils import schema_context

from exceptions.analyst.models import Analysis, AnalystSwitch, Feedback, KnownCause
from exceptions.models import ExceptionRecord
from tenants.models import Role, Tenant
from tests.exceptions.analyst.test_scoreboard import MODEL, analysed, by_rules, really
from tests.exceptions.cast import make_exception
from tests.tenants.cast import make_member, signed_in

HTMX = {"HX-Request": "true"}
As = Callable[[str], Client]


@pytest.fixture
def member(acme: Tenant) -> As:
    def sign_in(role: str) -> Client:
        return signed_in(acme, make_member(acme, f"the-{role}", role))

    return sign_in


def text(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def one(acme: Tenant) -> Analysis:
    with schema_context("acme"):
        return analysed("1001", root_cause="No money <b>came</b>", ops_note="write", client_note="sorry")


@pytest.fixture
def ai(settings: Any) -> None:
    settings.AI_API_KEY, settings.AI_MODEL = "key", "some/model"


def test_empty_scoreboard_says_why(member: As, settings: Any) -> None:
    settings.AI_API_KEY = ""
    page = text(member(Role.VIEWER).get("/scoreboard/"))
    assert "Nothing was analysed in these days" in page
    assert "no key for an AI provider" in page and "not set up" in page


@pytest.mark.usefixtures("ai")
def test_scoreboard_shows_each_analyst_and_shares_its_part_with_htmx(member: As, one: Analysis) -> None:
    viewer = member(Role.VIEWER)
    assert "Nobody has said yet" in text(viewer.get("/scoreboard/"))
    with schema_context("acme"):
        really(one, "payment_issue")
        really(by_rules("2"), "weather")
    page = text(viewer.get("/scoreboard/?days=7"))
    assert "some/model, analyst-1" in page and "The rules" in page
    assert "100%" in page and "50%" in page and "$0.001000" in page
    assert "No AI provider is set up" in page
    part = text(viewer.get("/scoreboard/", headers=HTMX))
    assert "<html" not in part and "some/model, analyst-1" in part
    assert "Switch off" not in page


@pytest.mark.usefixtures("ai")
def test_scoreboard_costs_the_same_however_much_was_analysed(
    member: As, one: Analysis, django_assert_max_num_queries: Any
) -> None:
    viewer = member(Role.VIEWER)
    with schema_context("acme"):
        for number in range(12):
            really(analysed(f"m{number}", model=f"model-{number}"), "weather")
    with django_assert_max_num_queries(20):
        assert text(viewer.get("/scoreboard/", headers=HTMX)).count("data-row") == 14


@pytest.mark.usefixtures("ai")
def test_manager_switches_the_analyst_with_a_reason_and_it_shows(member: As) -> None:
    boss = member(Role.MANAGER)
    assert "Switch off" in text(boss.get("/scoreboard/"))
    refused = boss.post("/scoreboard/off/", {"reason": ""})
    assert refused.status_code == 422
    with schema_context("acme"):
        assert not AnalystSwitch.objects.exists()
    assert boss.post("/scoreboard/off/", {"reason": "too dear"}).headers["Location"] == "/scoreboard/"
    page = text(boss.get("/scoreboard/"))
    assert "switched off" in page and "by user:the-manager: too dear" in page and "Switch on" in page
    again = boss.post("/scoreboard/off/", {"reason": "again"})
    assert again.status_code == 422 and "It stands so already" in text(again)
    boss.post("/scoreboard/on/", {"reason": "new prompt"})
    with schema_context("acme"):
        assert list(AnalystSwitch.objects.order_by("pk").values_list("on", flat=True)) == [False, True]


@pytest.mark.usefixtures("ai")
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_others_do_not_switch(member: As, role: str) -> None:
    client = member(role)
    assert client.post("/scoreboard/off/", {"reason": "x"}).status_code == 403
    with schema_context("acme"):
        assert not AnalystSwitch.objects.exists()


def test_panel_shows_what_the_ai_says_escaped(member: As, one: Analysis) -> None:
    page = text(member(Role.OPERATOR).get(f"/exceptions/{one.exception_id}/analysis/"))
    assert "Payment trouble" in page and "90% sure" in page and "payment provider to blame" in page
    assert "No money &lt;b&gt;came&lt;/b&gt;" in page and "<b>came" not in page
    assert "wms/evt-1" in page and "nothing came" in page
    assert "Write to the customer" in page and "It is right" in page


def test_panel_says_when_the_rules_answered_and_why(member: As, acme: Tenant) -> None:
    with schema_context("acme"):
        row = by_rules("1", "timeout", note="")
    page = text(member(Role.VIEWER).get(f"/exceptions/{row.exception_id}/analysis/"))
    assert "Rule-based" in page and "The AI did not answer in time." in page
    assert "It is right" not in page


def test_panel_of_an_exception_that_waits(member: As, acme: Tenant) -> None:
    with schema_context("acme"):
        exception: ExceptionRecord = make_exception()
    client = member(Role.OPERATOR)
    page = text(client.get(f"/exceptions/{exception.pk}/analysis/"))
    assert "being analysed" in page and "within seconds" in page
    assert client.get("/exceptions/999999/analysis/").status_code == 404


def test_thumb_and_cause_are_kept_beside_each_other(member: As, one: Analysis) -> None:
    client, path = member(Role.OPERATOR), f"/exceptions/{one.exception_id}/analysis"
    answer = client.post(f"{path}/say/", {"helpful": "no"}, headers=HTMX)
    assert answer.status_code == 204 and "Noted" in answer["HX-Trigger"]
    client.post(f"{path}/say/", {"really": "weather"}, headers=HTMX)
    with schema_context("acme"):
        said = Feedback.objects.get()
        assert (said.helpful, said.really, said.actor) == (False, "weather", "user:the-operator")
        assert KnownCause.objects.get().label == "weather"
    page = text(client.get(f"{path}/"))
    assert 'value="weather" selected' in page and 'aria-pressed="true"' in page
    client.post(f"{path}/say/", {"really": ""}, headers=HTMX)
    with schema_context("acme"):
        assert not KnownCause.objects.exists()


@pytest.mark.parametrize("body", [{}, {"really": "the moon"}, {"helpful": "perhaps"}])
def test_word_that_says_nothing_is_refused(member: As, one: Analysis, body: dict[str, str]) -> None:
    answer = member(Role.OPERATOR).post(f"/exceptions/{one.exception_id}/analysis/say/", body, headers=HTMX)
    assert answer.status_code == 422
    with schema_context("acme"):
        assert not Feedback.objects.exists()


def test_viewer_says_nothing_and_looks_at_nothing_again(member: As, one: Analysis) -> None:
    client, path = member(Role.VIEWER), f"/exceptions/{one.exception_id}/analysis"
    assert client.post(f"{path}/say/", {"helpful": "yes"}, headers=HTMX).status_code == 403
    assert client.post(f"{path}/again/", headers=HTMX).status_code == 403
    with schema_context("acme"):
        assert not Feedback.objects.exists() and Analysis.objects.get().state == "done"


def test_looking_again_shows_that_it_is_under_way(member: As, one: Analysis) -> None:
    client, path = member(Role.OPERATOR), f"/exceptions/{one.exception_id}/analysis"
    assert client.post(f"{path}/again/", headers=HTMX).status_code == 204
    page = text(client.get(f"{path}/"))
    assert "being analysed" in page and "Payment trouble" in page and "It is right" not in page
    assert client.post(f"{path}/again/", headers=HTMX).status_code == 409


def test_closing_on_the_page_may_name_the_cause(member: As, one: Analysis) -> None:
    client, path = member(Role.OPERATOR), f"/exceptions/{one.exception_id}/resolve/"
    assert "What it really was" in text(client.get(path))
    assert client.post(path, {"resolution": "manual", "label": "the moon"}, headers=HTMX).status_code == 422
    with schema_context("acme"):
        assert not KnownCause.objects.exists()
    assert client.post(path, {"resolution": "manual", "label": "weather"}, headers=HTMX).status_code == 204
    with schema_context("acme"):
        assert (KnownCause.objects.get().origin, KnownCause.objects.get().label) == ("close", "weather")


def test_exceptions_page_holds_the_analysis(member: As, one: Analysis) -> None:
    page = text(member(Role.VIEWER).get(f"/exceptions/{one.exception_id}/"))
    assert "90% sure" in page and "wms/evt-1" in page and "It is right" not in page


def test_another_tenants_analysis_is_not_there(globex: Tenant, one: Analysis) -> None:
    other = signed_in(globex, make_member(globex, "gina", Role.MANAGER))
    path = f"/exceptions/{one.exception_id}/analysis"
    assert other.get(f"{path}/").status_code == 404
    assert other.post(f"{path}/say/", {"helpful": "yes"}, headers=HTMX).status_code == 404
    assert MODEL["model"] not in text(other.get("/scoreboard/"))
    with schema_context("acme"):
        assert not Feedback.objects.exists()
