"""The simulator's pages: what may be tried, what is refused at which field, results, file, who may what."""

import csv
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import schema_context

from orders.pages.simulation import HEADER
from orders.simulator.models import SimulationRun
from orders.simulator.runs import lease, work_on_run
from tenants.models import PolicyDraft, Role, SlaPolicy, Tenant
from tenants.services.drafts import begin_draft, change_draft
from tenants.services.policies import publish_policy
from tests.orders.simulator.cast import PAYMENT, STRICT, asked_in_acme, past_orders
from tests.tenants.calendar_cast import FORMS
from tests.tenants.cast import make_member, signed_in

HTMX = {"HX-Request": "true"}
HOME = "/policy/simulator/"
WITH_CALENDAR: dict[str, Any] = {
    "calendars": {"lisbon": FORMS["lisbon"]},
    "rules": [{"name": "All", "targets": {"order_fulfillment": {"working_hours": 8}}}],
}


@pytest.fixture
def desk(acme: Tenant) -> Client:
    return signed_in(acme, make_member(acme))


@pytest.fixture
def chief(acme: Tenant) -> Client:
    return signed_in(acme, make_member(acme, "chief", role=Role.MANAGER))


def days(since: int = 9, until: int = 0) -> dict[str, str]:
    today = timezone.now().date()
    return {"since": str(today - timedelta(days=since)), "until": str(today - timedelta(days=until))}


def runs() -> list[SimulationRun]:
    with schema_context("acme"):
        return list(SimulationRun.objects.all())


def worked() -> SimulationRun:
    with schema_context("acme"):
        return work_on_run("acme", SimulationRun.objects.latest("pk").pk)


def start(client: Client, kind: str, **given: Any) -> Any:
    return client.post(f"{HOME}start/{kind}/", {**days(), **given}, headers=HTMX)


def test_one_target_is_tried_and_its_result_read(desk: Client) -> None:
    past_orders(express=0, others=2, slow=0)
    assert "Nothing was tried yet" in desk.get(HOME).content.decode()
    answer = start(desk, "target", stage="order_fulfillment", amount="1.5", unit="hours")
    [run] = runs()
    assert answer["HX-Redirect"] == f"{HOME}{run.pk}/"
    assert run.title == "Handover to the carrier: 1.5 hours, every hour counts, in every rule"
    assert run.asked_by == "user:maria"
    text = desk.get(f"{HOME}{run.pk}/").content.decode()
    assert "It waits for a worker." in text
    assert "Redis or the workers are down" in text
    worked()
    text = desk.get(f"{HOME}{run.pk}/", headers=HTMX).content.decode()
    assert "waits for a worker" not in text
    assert "every 1s" not in text
    assert "2 (+2)" in text
    assert "2 newly late" in text
    assert ">other-0</a>" in text
    assert run.title in desk.get(HOME).content.decode()


def test_progress_is_shown_while_it_runs(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.simulator.simulation.CHUNK", 2)
    past_orders(express=3)
    run = asked_in_acme()
    with schema_context("acme"):
        work_on_run("acme", run.pk, seconds=0)
        lease(run.pk)
    text = desk.get(f"{HOME}{run.pk}/").content.decode()
    assert "2 of 5 orders judged twice." in text
    assert 'max="5" value="2"' in text
    assert "every 1s" in text
    assert "workers are down" not in text
    assert "2 of 5" in desk.get(HOME).content.decode()


def test_draft_is_tried_with_its_revision(desk: Client, acme: Tenant) -> None:
    assert "There is no draft of a policy" in desk.get(f"{HOME}?try=draft").content.decode()
    assert start(desk, "draft").status_code == 422
    begin_draft(tenant=acme, by="maria")
    change_draft(tenant=acme, revision=PolicyDraft.objects.get().revision, rules=STRICT, by="maria")
    assert (
        'action="/policy/simulator/start/draft/"' in desk.get(HOME).content.decode()
    )  # what there is to try comes first
    assert start(desk, "draft").status_code == 204
    [run] = runs()
    assert (run.rules, run.draft_revision) == (STRICT, PolicyDraft.objects.get().revision)


def test_draft_that_cannot_be_used_is_refused_with_its_sentences(desk: Client, acme: Tenant) -> None:
    begin_draft(tenant=acme, by="maria")
    change_draft(tenant=acme, revision=PolicyDraft.objects.get().revision, rules={"rules": []}, by="maria")
    answer = start(desk, "draft")
    assert answer.status_code == 422
    assert "The list is empty" in answer.content.decode()
    assert runs() == []


def test_calendar_is_tried_with_other_hours(desk: Client, acme: Tenant) -> None:
    assert "has no calendar" in desk.get(f"{HOME}?try=calendar").content.decode()
    publish_policy(tenant=acme, rules=WITH_CALENDAR)
    text = desk.get(f"{HOME}?try=calendar").content.decode()
    assert 'value="09:00-13:00, 14:00-18:00"' in text
    given = {
        "calendar": "lisbon",
        "timezone": "Europe/Lisbon",
        "mon": "08:00-20:00",
        "country": "pt",
        "subdivision": "",
    }
    assert start(desk, "calendar", **given).status_code == 204
    [run] = runs()
    calendar = run.rules["calendars"]["lisbon"]
    assert (calendar["weekly"], calendar["holidays"]) == ({"mon": ["08:00-20:00"]}, {"country": "PT"})
    assert run.rules["rules"] == WITH_CALENDAR["rules"]


def test_another_version_and_json_are_tried(desk: Client, acme: Tenant) -> None:
    publish_policy(tenant=acme, rules=STRICT)
    assert start(desk, "version", version="1").status_code == 204
    worked()
    assert start(desk, "json", text=json.dumps(WITH_CALENDAR)).status_code == 204
    assert [run.title for run in runs()] == ["A policy written as JSON", "Version 1"]
    assert runs()[1].rules == SlaPolicy.objects.get(tenant=acme, version=1).rules


@pytest.mark.parametrize(
    ("kind", "given", "sentence"),
    [
        ("target", {"stage": "delivery", "unit": "hours", "amount": "-1"}, "greater than or equal to 0"),
        ("target", {"stage": "delivery", "unit": "hours", "amount": "0"}, "greater than 0"),
        ("target", {"stage": "delivery", "unit": "hours"}, "Say how long"),
        ("target", {"stage": "delivery", "unit": "working_hours", "amount": "3"}, "Which working time?"),
        ("target", {"stage": "lunch", "unit": "hours", "amount": "3"}, "not one of the available choices"),
        ("target", {"stage": "delivery", "unit": "none", "since": "2099-01-01"}, "ends before it begins"),
        ("target", {"stage": "delivery", "unit": "none", "until": "2099-01-01"}, "still to come"),
        ("target", {"stage": "delivery", "unit": "none", "since": "1900-01-01"}, "or later"),
        ("version", {"version": "99"}, "not one of the available choices"),
        ("json", {"text": "{"}, "That is no JSON"),
        ("json", {"text": "[]"}, "A policy is a JSON object"),
        ("json", {"text": '{"rules": [{"name": "\\u0000"}]}'}, "character NUL"),
        ("json", {"text": '{"rules": [{"name": "\\ud800"}]}'}, "That is no JSON"),
        ("json", {"text": '{"order_fulfillment_hours": NaN}'}, "That is no JSON"),
        ("json", {"text": '{"order_fulfillment_hours": -4}'}, "order_fulfillment_hours: It is -4"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_refused_with_a_sentence(desk: Client, kind: str, given: Any, sentence: str) -> None:
    answer = start(desk, kind, **given)
    assert answer.status_code == 422
    assert sentence in answer.content.decode().replace("&#x27;", "'")
    assert runs() == []


def test_bad_hours_are_refused_at_their_day(desk: Client, acme: Tenant) -> None:
    publish_policy(tenant=acme, rules=WITH_CALENDAR)
    given = {"calendar": "lisbon", "timezone": "Mars", "tue": "09:00-12:00, 11:00-13:00", "country": "XX"}
    text = start(desk, "calendar", **given).content.decode()
    for field, words in (("timezone", "is no time zone"), ("tue", "overlap"), ("country", "is no country")):
        assert words in text.partition(f'id="id_{field}_error"')[2].partition("</ul>")[0], field
    assert runs() == []


@pytest.fixture
def done(acme: Tenant) -> SimulationRun:
    past_orders(express=3, others=1, slow=2)
    asked_in_acme()
    return worked()


def listed(client: Client, run: SimulationRun, query: str = "") -> int:
    return client.get(f"{HOME}{run.pk}/{query}").content.decode().count('id="crossing-')


def test_orders_that_change_sides_can_be_filtered_and_paged(
    desk: Client, done: SimulationRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for query, number in (
        ("", 5),
        ("?side=late", 3),
        ("?side=saved", 2),
        ("?rule=Express", 3),
        ("?stage=delivery", 0),
        ("?side=late&rule=Others", 0),
        ("?side=neither", 0),
        ("?rule=%00", 0),
    ):
        assert listed(desk, done, query) == number, query
    monkeypatch.setattr("tenants.pages.listing.PAGE_SIZE", 2)
    assert [listed(desk, done, query) for query in ("", "?cursor=1", "?cursor=2", "?cursor=3")] == [2, 2, 1, 0]


def test_file_holds_the_filtered_orders(desk: Client, done: SimulationRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.pages.simulation.PART", 2)
    answer: Any = desk.get(f"{HOME}{done.pk}/orders.csv?side=late")
    header, *found = csv.reader(b"".join(answer.streaming_content).decode().splitlines())
    assert tuple(header) == HEADER
    assert [row[:5] for row in found] == [
        [f"express-{n}", "default", "order_fulfillment", "false", "true"] for n in range(3)
    ]
    assert {(row[7], row[8]) for row in found} == {("", "Express")}


def test_pages_ask_as_often_for_many_as_for_few(desk: Client, done: SimulationRun) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as found:
            assert desk.get(path).status_code == 200
        return len(found)

    few = queries(f"{HOME}{done.pk}/?side=saved"), queries(HOME)
    asked_in_acme()
    worked()
    assert (queries(f"{HOME}{done.pk}/"), queries(HOME)) == few
    assert max(few) <= 14


def test_manager_puts_in_force_from_a_day(chief: Client, done: SimulationRun, acme: Tenant) -> None:
    address = f"{HOME}{done.pk}/put-in-force/"
    assert "Put in force from…" in chief.get(f"{HOME}{done.pk}/").content.decode()
    past = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    refused = chief.post(address, {"starts_at": past}, headers=HTMX)
    assert refused.status_code == 422
    assert "A policy starts now or later" in refused.content.decode()
    assert SlaPolicy.objects.filter(tenant=acme).count() == 1
    start_day = (timezone.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    given = {"starts_at": start_day.strftime("%Y-%m-%dT%H:%M"), "note": "tried on nine days"}
    assert chief.post(address, given, headers=HTMX).status_code == 204
    policy = SlaPolicy.objects.get(tenant=acme, version=2)
    assert (policy.rules, policy.valid_from, policy.note, policy.created_by) == (
        STRICT,
        start_day,
        given["note"],
        "chief",
    )
    assert chief.post(address, {}, headers=HTMX).status_code == 409
    assert SlaPolicy.objects.filter(tenant=acme).count() == 2
    text = chief.get(f"{HOME}{done.pk}/").content.decode()
    assert "This is version 2 of the policy." in text
    assert "Put in force from…" not in text


def test_run_is_cancelled_once(desk: Client, acme: Tenant) -> None:
    run = asked_in_acme()
    assert desk.post(f"{HOME}{run.pk}/cancel/", headers=HTMX).status_code == 204
    assert "Cancelled." in desk.get(f"{HOME}{run.pk}/").content.decode()
    assert desk.post(f"{HOME}{run.pk}/cancel/", headers=HTMX).status_code == 409


def test_second_run_waits_for_the_first(desk: Client) -> None:
    assert start(desk, "target", stage="delivery", unit="none").status_code == 204
    answer = start(desk, "target", stage="delivery", unit="none")
    assert answer.status_code == 409
    assert len(runs()) == 1


@pytest.fixture
def refused_changes_nothing(acme: Tenant) -> Iterator[None]:
    def state() -> Any:
        with schema_context("acme"):
            found = list(SimulationRun.objects.values_list("pk", "status", "published_version"))
        return found, SlaPolicy.objects.count()

    before = state()
    yield
    assert state() == before


@pytest.mark.parametrize(
    ("role", "action"),
    [
        (Role.VIEWER, "start/target/"),
        (Role.VIEWER, "{run}/cancel/"),
        (Role.VIEWER, "{run}/put-in-force/"),
        (Role.OPERATOR, "{run}/put-in-force/"),
    ],
)
def test_role_that_may_not_changes_nothing(
    acme: Tenant, done: SimulationRun, refused_changes_nothing: None, role: str, action: str
) -> None:
    person = signed_in(acme, make_member(acme, "petra", role=role))
    given = {**days(), "stage": "delivery", "unit": "none"}
    assert person.post(HOME + action.format(run=done.pk), given, headers=HTMX).status_code == 403
    assert person.get(f"{HOME}{done.pk}/").status_code == 200
    assert person.get(HOME).status_code == 200


def test_another_tenant_sees_and_changes_none_of_it(
    globex: Tenant, done: SimulationRun, refused_changes_nothing: None
) -> None:
    other = signed_in(globex, make_member(globex, "gregor", role=Role.MANAGER))
    assert b"Strict" not in other.get(HOME).content
    for path in ("", "orders.csv"):
        assert other.get(f"{HOME}{done.pk}/{path}").status_code == 404
    for path in ("cancel/", "put-in-force/"):
        assert other.post(f"{HOME}{done.pk}/{path}", {}, headers=HTMX).status_code == 404


def test_warning_point_stays_with_a_changed_target(desk: Client, acme: Tenant) -> None:
    publish_policy(tenant=acme, rules=STRICT)
    given = {"stage": "order_fulfillment", "rule": "Express", "unit": "hours", "amount": "3"}
    assert start(desk, "target", **given).status_code == 204
    assert runs()[0].rules["rules"][0]["targets"] == {
        **PAYMENT,
        "order_fulfillment": {"hours": 3, "warn": {"share": 0.5}},
    }
