"""The pages of incidents: list, one, what is decided there, acts on all, rules with their preview."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import schema_context

from exceptions.desk.models import BulkRun
from exceptions.desk.next_steps import NO_STEP
from exceptions.incidents import decisions
from exceptions.incidents.models import Incident, IncidentEntry, IncidentMember, IncidentRule
from exceptions.models import ExceptionRecord
from exceptions.playbooks.models import Attempt
from orders.models import Order
from tenants.models import Role, Tenant
from tests.exceptions.cast import NOW, kinds, resolved
from tests.exceptions.incidents.cast import end, fold, late_parcel, members_of, storm, the_incident
from tests.tenants.cast import make_member, signed_in

HTMX = {"HX-Request": "true"}


def staying(client: Client) -> Client:
    """After a request the connection stands in the schema where it stood before, and not in the public one."""
    ask = client.request

    def request(**asked: Any) -> Any:
        with schema_context(connection.schema_name):
            return ask(**asked)

    client.request = request  # type: ignore[method-assign]
    return client


@pytest.fixture
def desk(acme: Tenant) -> Client:
    return staying(signed_in(acme, make_member(acme)))


@pytest.fixture
def boss(acme: Tenant) -> Client:
    return staying(signed_in(acme, make_member(acme, "boss", Role.MANAGER)))


@pytest.fixture
def one(acme: Tenant) -> Iterator[Incident]:
    """The connection stands in acme's schema."""
    with schema_context("acme"):
        storm(6)
        fold()
        yield the_incident()


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def test_the_list_shows_what_they_share_and_what_is_at_stake(desk: Client, one: Incident) -> None:
    for number, (cents, currency) in enumerate([(125_050, "EUR"), (5_000, "JPY")]):
        Order.objects.filter(order_id=f"order-{number}").update(value_cents=cents, currency=currency)
    late_parcel("order-6")
    fold()
    text = text_of(desk, "/incidents/")
    assert "Carrier UPS, destination country DE" in text
    assert "1,250.50 EUR" in text
    assert "5,000 JPY" in text
    assert "5 orders without a value" in text


def test_the_list_is_empty_with_a_way_on(desk: Client) -> None:
    text = text_of(desk, "/incidents/")
    assert "No open incident" in text
    assert 'href="/incidents/rules/"' in text
    assert "None here" in text_of(desk, "/incidents/?tab=closed")
    assert "No incident fits" in text_of(desk, "/incidents/?search=nothing")


def test_the_menu_leads_there(desk: Client, one: Incident) -> None:
    assert 'href="/incidents/"' in text_of(desk, "/exceptions/")


def test_the_overview_shows_open_ones_and_not_the_silenced(desk: Client, one: Incident) -> None:
    Order.objects.filter(order_id="order-1").update(value_cents=125_050, currency="EUR")
    fold()
    text = text_of(desk, "/")
    assert f'href="/incidents/{one.pk}/"' in text
    assert "6 orders with an open exception" in text
    assert "1,250.50 EUR" in text
    decisions.silence_incident(incident_id=one.pk, actor="user:x", now=NOW)
    assert "Open incidents" not in text_of(desk, "/")


def test_what_is_most_at_stake_comes_first(desk: Client, one: Incident) -> None:
    storm(5, first=10, minutes=60, carrier="DHL", destination_country="ES")
    Order.objects.filter(order_id="order-10").update(value_cents=9_000, currency="EUR")
    fold()
    by_stake, newest = text_of(desk, "/incidents/"), text_of(desk, "/incidents/?sort=newest")
    assert by_stake.index("Carrier DHL") < by_stake.index("Carrier UPS")
    assert newest.index("Carrier UPS") < newest.index("Carrier DHL")


def test_tabs_filters_and_search(desk: Client, one: Incident) -> None:
    storm(5, first=10, carrier="DHL", destination_country="ES")
    storm(5, first=20, carrier="GLS", destination_country="FR")
    fold()
    dhl, gls = Incident.objects.get(key__contains="dhl"), Incident.objects.get(key__contains="gls")
    decisions.silence_incident(incident_id=dhl.pk, actor="user:x", now=NOW)
    decisions.dismiss_incident(incident_id=gls.pk, actor="user:x", now=NOW)

    def found(query: str) -> set[str]:
        text = text_of(desk, f"/incidents/?{query}")
        return {name for name in ("UPS", "DHL", "GLS") if f"Carrier {name}" in text}

    assert found("") == {"UPS"}
    assert found("tab=silenced") == {"DHL"}
    assert found("tab=closed") == {"GLS"}
    assert found("tab=confirmed") == set()
    assert found("search=ups") == {"UPS"}
    assert found("search=dhl") == set()
    assert found("rule=carrier-lane") == {"UPS"}
    assert found("rule=warehouse") == set()
    assert desk.get("/incidents/?tab=purple").status_code == 422


def test_pages_follow_the_cursor(desk: Client, one: Incident) -> None:
    rule = IncidentRule.objects.get(name="carrier-lane")
    for number in range(52):
        at = NOW - timedelta(minutes=number)
        Incident.objects.create(
            rule=rule, key=f"k{number}", shared={"carrier": f"C{number:02}"}, first_at=at, last_at=at, found_at=at,
            changed_at=at, stake_rank=100 - number,
        )  # fmt: skip
    first = text_of(desk, "/incidents/")
    assert "Carrier C49" in first
    assert "Carrier C50" not in first
    cursor = first.partition("cursor=")[2].partition('"')[0]
    assert "Carrier C50" in text_of(desk, f"/incidents/?cursor={cursor}")


def test_the_page_of_one_tells_all_of_it(desk: Client, one: Incident) -> None:
    desk.post(f"/incidents/{one.pk}/comment/", {"text": "called the depot"}, headers=HTMX)
    text = text_of(desk, f"/incidents/{one.pk}/")
    for words in (
        "Carrier UPS",
        "Found: 6 exceptions of 6 orders",
        "the rules of incidents",
        "order-3",
        "called the depot",
    ):
        assert words in text
    assert "6 open orders without a known value" in text


def test_queries_do_not_grow_with_the_rows(desk: Client, one: Incident) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as found:
            text_of(desk, path)
        return len(found)

    few, few_inside = queries("/incidents/"), queries(f"/incidents/{one.pk}/")
    storm(20, first=50)
    for number in range(4):
        storm(5, first=100 + 10 * number, carrier=f"C{number}", destination_country="ES")
    fold()
    assert queries("/incidents/") == few <= 12
    assert queries(f"/incidents/{one.pk}/") == few_inside <= 16


@pytest.mark.parametrize(
    ("action", "found"),
    [
        ("confirm", {"state": "confirmed", "confirmed_by": "user:maria"}),
        ("dismiss", {"state": "closed", "closed_how": "dismissed"}),
        ("close", {"state": "closed", "closed_how": "person", "closed_by": "user:maria"}),
        ("silence", {"state": "open", "silenced_by": "user:maria"}),
    ],
)
def test_a_person_decides(desk: Client, one: Incident, action: str, found: dict[str, Any]) -> None:
    assert b"Kept in the timeline" in desk.get(f"/incidents/{one.pk}/{action}/", headers=HTMX).content
    answer = desk.post(f"/incidents/{one.pk}/{action}/", {"reason": "because"}, headers=HTMX)
    assert answer.status_code == 204
    one.refresh_from_db()
    assert {name: getattr(one, name) for name in found} == found
    assert one.timeline.order_by("-pk").values_list("reason", flat=True).first() == "because"
    assert desk.get(f"/incidents/{one.pk}/").status_code == 200


def test_silence_and_closing_are_taken_back(desk: Client, one: Incident) -> None:
    for action in ("silence", "unsilence", "close", "reopen"):
        assert desk.post(f"/incidents/{one.pk}/{action}/", headers=HTMX).status_code == 204
    one.refresh_from_db()
    assert (one.state, one.silenced_at) == ("confirmed", None)


def test_a_second_confirming_is_refused_and_changes_nothing(desk: Client, one: Incident) -> None:
    desk.post(f"/incidents/{one.pk}/confirm/", headers=HTMX)
    was = model_to_dict(Incident.objects.get()), IncidentEntry.objects.count()
    answer = desk.post(f"/incidents/{one.pk}/confirm/", headers=HTMX)
    assert (answer.status_code, "Nothing was changed" in answer.json()["detail"]) == (409, True)
    assert was == (model_to_dict(Incident.objects.get()), IncidentEntry.objects.count())


def test_one_is_taken_out_and_put_back(desk: Client, one: Incident) -> None:
    record = ExceptionRecord.objects.get(order_ref="order-2")
    assert desk.post(f"/incidents/{one.pk}/out/{record.pk}/", headers=HTMX).status_code == 204
    assert "order-2" not in members_of(one)
    assert "Put back" in text_of(desk, f"/incidents/{one.pk}/")
    assert desk.post(f"/incidents/{one.pk}/out/{record.pk}/", headers=HTMX).status_code == 409
    assert desk.post(f"/incidents/{one.pk}/back/{record.pk}/", headers=HTMX).status_code == 204
    assert "order-2" in members_of(one)


def test_an_exceptions_page_and_row_show_its_incident(desk: Client, one: Incident) -> None:
    record = ExceptionRecord.objects.get(order_ref="order-2")
    link = f'href="/incidents/{one.pk}/"'
    assert link in text_of(desk, f"/exceptions/{record.pk}/")
    assert text_of(desk, "/exceptions/").count(link) == 6
    late_parcel("alone", carrier="TNT", destination_country="PT")
    text = text_of(desk, f"/exceptions/?incident={one.pk}")
    assert ">order-2<" in text
    assert ">alone<" not in text
    assert desk.get("/exceptions/?incident=x").status_code == 422


def act_on_all(client: Client, one: Incident, action: str, **data: Any) -> BulkRun:
    """Asks, and confirms what is asked."""
    asked = client.post(f"/incidents/{one.pk}/all/{action}/", headers=HTMX)
    assert asked.status_code == 200, asked.content
    run = BulkRun.objects.latest("pk")
    assert f"{run.total_words}?" in asked.content.decode()
    client.post(f"/exceptions/bulk/{run.pk}/", data, headers=HTMX)
    run.refresh_from_db()
    return run


def test_all_are_acknowledged_at_once(desk: Client, one: Incident) -> None:
    ExceptionRecord.objects.filter(order_ref="order-1").update(**resolved())
    late_parcel("alone", carrier="TNT", destination_country="PT")
    run = act_on_all(desk, one, "acknowledge")
    assert (run.state, run.total, run.changed, run.skips) == ("done", 5, 5, 0)
    acknowledged = set(ExceptionRecord.objects.filter(status="ACKNOWLEDGED").values_list("order_ref", flat=True))
    assert acknowledged == {"order-0", "order-2", "order-3", "order-4", "order-5"}
    assert "Acknowledge 5 exceptions: 5 acknowledged" in text_of(desk, f"/incidents/{one.pk}/")


def test_what_was_taken_out_after_the_question_is_left_alone(desk: Client, one: Incident) -> None:
    desk.post(f"/incidents/{one.pk}/all/acknowledge/", headers=HTMX)
    record = ExceptionRecord.objects.get(order_ref="order-2")
    desk.post(f"/incidents/{one.pk}/out/{record.pk}/", headers=HTMX)
    run = BulkRun.objects.get()
    desk.post(f"/exceptions/bulk/{run.pk}/", headers=HTMX)
    run.refresh_from_db()
    assert (run.changed, run.skips, kinds(record)) == (5, 1, ["opened"])


@pytest.mark.parametrize(
    ("action", "data", "found"),
    [
        ("assign", {"assignee": ""}, None),
        ("snooze", {"hours": "4"}, {"snoozed_until__isnull": False}),
        ("comment", {"text": "waiting for the carrier"}, {"timeline__reason": "waiting for the carrier"}),
        ("resolve", {"resolution": "customer_informed"}, {"resolution": "customer_informed"}),
    ],
)
def test_each_act_reaches_all(
    desk: Client, one: Incident, action: str, data: dict[str, str], found: dict[str, Any] | None
) -> None:
    run = act_on_all(desk, one, action, **data)
    if found is None:
        assert run.skips == 6  # they are nobody's already
    else:
        assert (run.changed, ExceptionRecord.objects.filter(**found).count()) == (6, 6)


def test_the_next_step_runs_where_the_playbook_waits_for_a_person(desk: Client, one: Incident) -> None:
    records = list(ExceptionRecord.objects.select_related("order").order_by("pk"))

    def waits(record: ExceptionRecord, **columns: Any) -> None:
        hold = {"kind": "hold", "mode": "suggest", "state": "suggested", "parameters": {"reason": "storm"}}
        values = hold | columns
        Attempt.objects.create(exception=record, order=record.order, actor="playbook:x", created_at=NOW, **values)

    waits(records[0])
    waits(records[1], kind="shopify_cancel", mode="approve", state="awaiting", irreversible=True, approvals_needed=1)
    waits(records[2], mode="approve", state="awaiting", approver="manager", approvals_needed=1)
    run = act_on_all(desk, one, "next_step")
    assert (run.changed, run.skips, run.skipped[NO_STEP]) == (1, 5, 3)
    states = dict(Attempt.objects.values_list("exception_id", "state"))
    assert states == {records[0].pk: "planned", records[1].pk: "awaiting", records[2].pk: "awaiting"}
    why = dict(run.examples)
    assert "cannot be undone" in why[records[1].pk]
    assert "manager" in why[records[2].pk]


def test_an_incident_without_open_exceptions_has_nothing_to_act_on(desk: Client, one: Incident) -> None:
    end(ExceptionRecord.objects.all())
    assert desk.post(f"/incidents/{one.pk}/all/acknowledge/", headers=HTMX).status_code == 422
    assert desk.post(f"/incidents/{one.pk}/all/explode/", headers=HTMX).status_code == 404
    assert not BulkRun.objects.exists()


def test_who_may_only_read_decides_nothing(acme: Tenant, one: Incident) -> None:
    viewer = staying(signed_in(acme, make_member(acme, "vera", Role.VIEWER)))
    record = ExceptionRecord.objects.get(order_ref="order-2")
    text = text_of(viewer, f"/incidents/{one.pk}/")
    assert "Take out" not in text
    assert "Confirm" not in text
    for path in ("confirm/", "close/", "comment/", f"out/{record.pk}/", "all/acknowledge/"):
        assert viewer.post(f"/incidents/{one.pk}/{path}", {"text": "x"}, headers=HTMX).status_code == 403, path
    for path in ("new/", "sku/", "sku/switch/", "sku/up/", "sku/remove/"):
        assert viewer.post(f"/incidents/rules/{path}", headers=HTMX).status_code == 403, path
    assert IncidentEntry.objects.count() == 1
    assert IncidentMember.objects.filter(taken_out_at=None).count() == 6


def test_another_tenants_incident_is_not_there(globex: Tenant, one: Incident) -> None:
    stranger = staying(signed_in(globex, make_member(globex, "gina", Role.MANAGER)))
    record = ExceptionRecord.objects.get(order_ref="order-2")
    assert "UPS" not in text_of(stranger, "/incidents/")
    assert stranger.get(f"/incidents/{one.pk}/").status_code == 404
    for path in ("confirm/", "silence/", "close/", "comment/", f"out/{record.pk}/", "all/acknowledge/"):
        answer = stranger.post(f"/incidents/{one.pk}/{path}", {"text": "x"}, headers=HTMX)
        assert answer.status_code in (404, 422), path
    assert "order-2" not in text_of(stranger, f"/exceptions/?status=all&incident={one.pk}")
    with schema_context("acme"):
        one.refresh_from_db()
        assert (one.state, IncidentEntry.objects.count(), len(members_of(one))) == ("open", 1, 6)


FORM = {"title": "Any carrier", "dimensions": ["carrier"], "window_minutes": "120", "minimum": "3", "enabled": "on"}


def test_a_rule_is_previewed_before_it_is_saved(boss: Client, acme: Tenant) -> None:
    with schema_context("acme"):
        now = timezone.now()
        for record in storm(4):
            ExceptionRecord.objects.filter(pk=record.pk).update(opened_at=now)
        text = boss.post("/incidents/rules/carrier-lane/", FORM | {"preview": "1"}).content.decode()
        assert "Carrier UPS" in text
        assert "Nothing was saved" in text
        assert not IncidentRule.objects.exists()
        answer = boss.post("/incidents/rules/carrier-lane/", FORM)
        assert answer.status_code == 302
        rule = IncidentRule.objects.get(name="carrier-lane")
        assert (rule.title, rule.dimensions, rule.minimum, rule.updated_by) == (
            "Any carrier",
            ["carrier"],
            3,
            "user:boss",
        )
        assert IncidentRule.objects.count() == 5


def test_of_two_who_edit_a_rule_the_second_is_told(boss: Client, acme: Tenant) -> None:
    path = "/incidents/rules/carrier-lane/"
    assert boss.post(path, FORM).status_code == 302
    seen = text_of(boss, path).partition('name="based_on" value="')[2].partition('"')[0]
    assert boss.post(path, FORM | {"based_on": seen, "minimum": "4"}).status_code == 302
    for stale in (seen, "", "yesterday"):
        answer = boss.post(path, FORM | {"based_on": stale, "minimum": "9"}, headers=HTMX)
        assert (answer.status_code, "Nothing was changed" in answer.json()["detail"]) == (409, True), stale
    with schema_context("acme"):
        assert IncidentRule.objects.get(name="carrier-lane").minimum == 4


def test_rules_are_added_switched_moved_and_removed(boss: Client, acme: Tenant) -> None:
    assert "Carrier in trouble on a lane" in text_of(boss, "/incidents/rules/")
    assert text_of(boss, "/incidents/rules/new/")
    assert boss.post("/incidents/rules/new/", FORM | {"name": "any-carrier"}).status_code == 302
    assert boss.post("/incidents/rules/any-carrier/switch/", {"enabled": "0"}, headers=HTMX).status_code == 204
    assert boss.post("/incidents/rules/any-carrier/up/", headers=HTMX).status_code == 204
    with schema_context("acme"):
        names = list(IncidentRule.objects.values_list("name", "enabled"))
        assert names[-2:] == [("any-carrier", False), ("reason", True)]
    assert "Any carrier" in text_of(boss, "/incidents/rules/")
    assert boss.post("/incidents/rules/any-carrier/remove/", headers=HTMX).status_code == 204
    assert boss.post("/incidents/rules/sku/remove/", headers=HTMX).status_code == 409
    assert boss.post("/incidents/rules/nothing/up/", headers=HTMX).status_code == 404
    with schema_context("acme"):
        assert IncidentRule.objects.count() == 5


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"dimensions": []}, "Choose at least one thing"),
        ({"window_minutes": "0"}, "greater than or equal to 1"),
        ({"minimum": "1"}, "greater than or equal to 2"),
        ({"title": ""}, "This field is required"),
        ({"name": "Not A Slug"}, "Use small letters"),
        ({"name": "sku"}, "There is a rule “sku” already"),
    ],
)
def test_a_wrong_rule_gets_a_sentence_and_changes_nothing(
    boss: Client, acme: Tenant, wrong: dict[str, Any], sentence: str
) -> None:
    answer = boss.post("/incidents/rules/new/", FORM | {"name": "mine"} | wrong)
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
    with schema_context("acme"):
        assert not IncidentRule.objects.exclude(updated_by="incidents").exists()
