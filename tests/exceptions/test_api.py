"""/api/exceptions: lists, files, acts, and what another tenant sees of it."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django_tenants.utils import schema_context

from exceptions.models import ExceptionRecord
from tenants.models import Tenant
from tests.exceptions.cast import DUE, kinds, make_exception, make_member, resolved
from tests.programs import program


def post(client: Client, path: str, body: Any = None) -> Any:
    text = "" if body is None else json.dumps(body)
    return client.generic("POST", path, text, content_type="application/json")


@pytest.fixture
def one(acme: Tenant) -> ExceptionRecord:
    with schema_context("acme"):
        return make_exception("1001", "north")


@pytest.fixture
def acting(acme: Tenant) -> Client:
    return program("acme", "read", "operate")


def timeline_of(record: ExceptionRecord) -> list[str]:
    with schema_context("acme"):
        return kinds(record)


def test_the_list_says_what_is_wrong(one: ExceptionRecord, acting: Client) -> None:
    answer = acting.get("/api/exceptions")
    assert answer.status_code == 200
    body = answer.json()
    (row,) = body["results"]
    assert body["next"] is None
    assert row.pop("overdue_seconds") >= 0
    assert {key: row[key] for key in list(row)[:12]} == {
        "id": one.pk,
        "order_id": "1001",
        "merchant": "north",
        "reason_code": "FULFILLMENT_DELAY",
        "status": "OPEN",
        "severity": "MEDIUM",
        "verdict": "active",
        "resolution": None,
        "opened_at": "2026-11-23T11:00:00Z",
        "ended_at": None,
        "due_at": "2026-11-23T11:00:00Z",
        "stage": "order_fulfillment",
    }


def test_next_leads_through_the_whole_list(acme: Tenant, acting: Client) -> None:
    with schema_context("acme"):
        for n in range(5):
            make_exception(str(n), opened_at=DUE - timedelta(minutes=n))
    seen: list[str] = []
    address = "/api/exceptions?page_size=2&status=OPEN"
    while address:
        body = acting.get(address).json()
        seen += [row["order_id"] for row in body["results"]]
        address = body["next"]
    assert seen == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("query", "orders"),
    [
        ("status=open", ["1001"]),
        ("status=OPEN,RESOLVED", ["1001", "2002"]),
        ("status=OPEN&status=RESOLVED", ["1001", "2002"]),
        ("merchant=south", ["2002"]),
        ("order_id=2002", ["2002"]),
        ("assignee=nobody", ["1001", "2002"]),
        ("opened_after=2026-11-23T10:30:00%2B00:00", ["1001"]),
        ("opened_after=2026-11-23T10:30:00+00:00", ["1001"]),
        ("opened_after=2026-11-23", ["1001", "2002"]),
        ("verdict=none", []),
        ("search=200", ["2002"]),
        ("status=&severity=&search=", ["1001", "2002"]),
    ],
)
def test_the_filters_of_the_address(one: ExceptionRecord, acting: Client, query: str, orders: list[str]) -> None:
    with schema_context("acme"):
        make_exception("2002", "south", opened_at=DUE - timedelta(hours=1), **resolved())
    answer = acting.get(f"/api/exceptions?{query}")
    assert answer.status_code == 200
    assert [row["order_id"] for row in answer.json()["results"]] == orders


@pytest.mark.parametrize(
    ("query", "field", "text"),
    [
        ("status=LATE", "status", "“LATE” is not known here: use OPEN, ACKNOWLEDGED, IN_PROGRESS, RESOLVED."),
        ("severity=HIGH,URGENT", "severity", "“URGENT” is not known here: use LOW, MEDIUM, HIGH, CRITICAL."),
        ("verdict=maybe", "verdict", "“maybe” is not known here: use active, over, none."),
        ("page_size=0", "page_size", "A whole number from 1 to 1000."),
        ("page_size=1001", "page_size", "A whole number from 1 to 1000."),
        ("page_size=x", "page_size", "A whole number from 1 to 1000."),
        (
            "opened_after=soon",
            "opened_after",
            "Not a time: write it like 2026-11-23T10:00:00Z, or a date like 2026-11-23 (UTC).",
        ),
        ("cursor=zz", "cursor", "Not a cursor of this list: take it from `next`."),
        ("assignee=zed", "assignee", "“zed” is not a member here: use a member's user name or e-mail."),
        ("assignee=me", "assignee", "A key is nobody: name a member."),
        ("search=%00", "search", "Null characters are not allowed."),
    ],
)
def test_a_wrong_value_in_the_address_gets_a_sentence(
    acme: Tenant, acting: Client, query: str, field: str, text: str
) -> None:
    answer = acting.get(f"/api/exceptions?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["errors"] == {field: [text]}


def test_one_exception_with_its_timeline(one: ExceptionRecord, acting: Client) -> None:
    body = acting.get(f"/api/exceptions/{one.pk}").json()
    assert (body["id"], body["occurrence_key"], body["order_status"]) == (one.pk, "stage", "CREATED")
    assert body["timeline"] == [
        {
            "at": "2026-11-23T12:00:00Z",
            "kind": "opened",
            "actor": "fold",
            "reason": "event wms/evt-1",
            "detail": {"severity": "MEDIUM"},
        }
    ]
    assert (body["analysis"], body["actions"]) == (None, [])


def test_each_address_answers_with_and_without_a_slash_and_never_redirects(
    one: ExceptionRecord, acting: Client
) -> None:
    for path in ("/api/exceptions", "/api/exceptions.csv", f"/api/exceptions/{one.pk}"):
        assert (acting.get(path).status_code, acting.get(path + "/").status_code) == (200, 200)
    assert post(acting, f"/api/exceptions/{one.pk}/acknowledge/").status_code == 200


def test_the_acts_change_the_exception_and_tell_who_did_it(one: ExceptionRecord, acting: Client) -> None:
    with schema_context("public"):
        make_member(Tenant.objects.get(slug="acme"), "ben")
    steps = [
        ("acknowledge", {"reason": "seen"}, "status", "ACKNOWLEDGED"),
        ("start", None, "status", "IN_PROGRESS"),
        ("assign", {"assignee": "ben"}, "assignee", "ben"),
        ("comment", {"text": "waiting for the carrier"}, "status", "IN_PROGRESS"),
        ("snooze", {"until": None}, "", 409),
        ("resolve", {"resolution": "refunded", "reason": "gave up"}, "resolution", "refunded"),
        ("reopen", {}, "status", "OPEN"),
        ("resolve", None, "resolution", "manual"),
    ]
    for action, body, field, expected in steps:
        answer = post(acting, f"/api/exceptions/{one.pk}/{action}", body)
        if expected == 409:
            assert answer.status_code == 409
        else:
            assert (answer.status_code, answer.json()[field]) == (200, expected)
    timeline = acting.get(f"/api/exceptions/{one.pk}").json()["timeline"]
    assert [(entry["kind"], entry["reason"]) for entry in timeline[1:]] == [
        ("acknowledged", "seen"),
        ("started", ""),
        ("assigned", ""),
        ("commented", "waiting for the carrier"),
        ("resolved", "gave up"),
        ("reopened", ""),
        ("resolved", ""),
    ]
    assert all(entry["actor"].startswith("key:") for entry in timeline[1:])


def test_an_impossible_change_is_409_and_changes_nothing(one: ExceptionRecord, acting: Client) -> None:
    assert post(acting, f"/api/exceptions/{one.pk}/acknowledge").status_code == 200
    answer = post(acting, f"/api/exceptions/{one.pk}/acknowledge")
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert answer.json()["detail"].startswith(
        "It is ACKNOWLEDGED now; this needs it to be OPEN. Nothing was changed. Its last change: acknowledged by key:"
    )
    assert timeline_of(one) == ["opened", "acknowledged"]


@pytest.mark.parametrize(
    ("action", "body", "status", "field"),
    [
        ("resolve", {"resolution": "magic"}, 422, "resolution"),
        ("resolve", {"resolution": "completed_late"}, 422, "resolution"),
        ("comment", {}, 422, "text"),
        ("comment", {"text": "   "}, 422, "text"),
        ("comment", {"text": "a\0b"}, 422, "text"),
        ("comment", {"text": "a\ud800b"}, 422, "text"),
        ("snooze", {}, 422, "until"),
        ("snooze", {"until": "2020-01-01T00:00:00Z"}, 422, "until"),
        ("assign", {"assignee": "zed"}, 422, "assignee"),
        ("assign", {}, 422, "assignee"),
        ("acknowledge", {"reason": ["x"]}, 422, "reason"),
        ("acknowledge", [1], 422, "non_field_errors"),
    ],
)
def test_a_wrong_body_gets_a_sentence_and_changes_nothing(
    one: ExceptionRecord, acting: Client, action: str, body: Any, status: int, field: str
) -> None:
    answer = post(acting, f"/api/exceptions/{one.pk}/{action}", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (status, [field])
    assert timeline_of(one) == ["opened"]


def test_broken_bodies_are_400_and_forms_415(one: ExceptionRecord, acting: Client) -> None:
    path = f"/api/exceptions/{one.pk}/acknowledge"
    deep = '{"reason":' + "[" * 100_000 + "]" * 100_000 + "}"
    for text in ("{", deep, '{"reason": NaN}'):
        assert acting.generic("POST", path, text, content_type="application/json").status_code == 400
    assert acting.post(path, {"reason": "x"}).status_code == 415
    assert acting.get(path).status_code == 405
    assert timeline_of(one) == ["opened"]


@pytest.mark.parametrize("number", ["0", "7777777", "9" * 40])
def test_an_unknown_id_is_404(acme: Tenant, acting: Client, number: str) -> None:
    assert acting.get(f"/api/exceptions/{number}").status_code == 404
    assert post(acting, f"/api/exceptions/{number}/resolve").status_code == 404


def test_reading_needs_read_and_acting_needs_operate(one: ExceptionRecord) -> None:
    reader, sender = program("acme", "read"), program("acme", "ingest")
    assert reader.get("/api/exceptions").status_code == 200
    assert post(reader, f"/api/exceptions/{one.pk}/acknowledge").status_code == 403
    assert post(reader, "/api/exceptions/bulk", {"action": "acknowledge", "ids": [one.pk]}).status_code == 403
    assert sender.get("/api/exceptions").status_code == 403
    assert Client(headers={"Host": "127.0.0.1"}).get("/api/exceptions").status_code == 401
    assert timeline_of(one) == ["opened"]


def test_bulk_by_ids_and_by_filter(acme: Tenant, acting: Client) -> None:
    with schema_context("acme"):
        high = [make_exception(str(n), severity="HIGH").pk for n in range(3)]
        low = make_exception("low", severity="LOW")
    answer = post(acting, "/api/exceptions/bulk", {"action": "acknowledge", "filter": {"severity": ["HIGH"]}})
    assert answer.json() == {"changed": 3, "refused": 0, "refusals": []}
    answer = post(
        acting, "/api/exceptions/bulk", {"action": "resolve", "ids": [high[0], high[0], low.pk, 999], "reason": "x"}
    )
    assert answer.json() == {
        "changed": 2,
        "refused": 1,
        "refusals": [{"id": 999, "detail": "There is no exception with this id."}],
    }
    assert timeline_of(low) == ["opened", "resolved"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "acknowledge"}, "ids"),
        ({"action": "acknowledge", "ids": [1], "filter": {}}, "ids"),
        ({"action": "acknowledge", "filter": {"sverity": "LOW"}}, "filter"),
        ({"action": "acknowledge", "filter": {"severity": "URGENT"}}, "severity"),
        ({"action": "delete", "ids": [1]}, "action"),
        ({"action": "resolve", "resolution": "magic", "filter": {}}, "resolution"),
        ({"action": "comment", "filter": {}}, "text"),
        ({"action": "acknowledge", "ids": ["x"]}, "ids.0"),
    ],
)
def test_a_wrong_bulk_is_refused_whole(one: ExceptionRecord, acting: Client, body: Any, field: str) -> None:
    answer = post(acting, "/api/exceptions/bulk", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert timeline_of(one) == ["opened"]


def read_csv(client: Client, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert answer["Content-Disposition"] == 'attachment; filename="exceptions.csv"'
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


def test_the_file_is_the_same_list_whole_and_holds_no_formula(acme: Tenant, acting: Client) -> None:
    with schema_context("acme"):
        for n, order_id in enumerate(["=1+1", "@x", "-1", "+1", "plain"]):
            make_exception(order_id, opened_at=DUE - timedelta(minutes=n))
        make_exception("done", **resolved())
    rows = read_csv(acting, "/api/exceptions.csv?status=OPEN&page_size=1")
    assert [row["order_id"] for row in rows] == ["'=1+1", "'@x", "'-1", "'+1", "plain"]
    assert (rows[0]["opened_at"], rows[0]["ended_at"], rows[0]["status"]) == ("2026-11-23T11:00:00Z", "", "OPEN")


def test_another_tenants_program_sees_and_changes_nothing(one: ExceptionRecord, globex: Tenant) -> None:
    spy = program("globex", "read", "operate")
    assert spy.get("/api/exceptions?verdict=active,over,none").json() == {"next": None, "results": []}
    assert read_csv(spy, "/api/exceptions.csv") == []
    assert spy.get(f"/api/exceptions/{one.pk}").status_code == 404
    bodies = {
        "comment": {"text": "x"},
        "snooze": {"until": (datetime.now(UTC) + timedelta(days=1)).isoformat()},
        "assign": {"assignee": None},
    }
    for action in ("acknowledge", "start", "assign", "comment", "snooze", "resolve", "reopen"):
        assert post(spy, f"/api/exceptions/{one.pk}/{action}", bodies.get(action)).status_code == 404
    outcome = post(spy, "/api/exceptions/bulk", {"action": "resolve", "ids": [one.pk]}).json()
    assert (outcome["changed"], outcome["refused"]) == (0, 1)
    assert post(spy, "/api/exceptions/bulk", {"action": "resolve", "filter": {}}).json()["changed"] == 0
    assert timeline_of(one) == ["opened"]


def test_another_tenants_member_cannot_be_named(one: ExceptionRecord, globex: Tenant, acting: Client) -> None:
    make_member(globex, "spy")
    answer = post(acting, f"/api/exceptions/{one.pk}/assign", {"assignee": "spy"})
    assert answer.json()["errors"] == {"assignee": ["“spy” is not a member here: use a member's user name or e-mail."]}
