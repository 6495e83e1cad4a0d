"""Bad inputs 55 to 64: characters. Ids are visible ASCII (422 and a dead letter otherwise); what is text is kept and shown escaped."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from exceptions.models import ExceptionRecord
from tenants.models import Role, Tenant
from tests.orders.bad_inputs.cast import KEPT, Trial, refused
from tests.orders.door_cast import event, rows
from tests.orders.letters.cast import in_schema, refused_event
from tests.programs import program
from tests.tenants.cast import make_member, signed_in

IDS = ("source", "event_type", "event_id", "order_id")
NOT_VISIBLE = {
    "58 NUL": "a\x00b",
    "58 lone surrogate": "a\ud800",
    "59 CR LF": "a\r\nSet-Cookie: x=1",
    "59 LF": "a\nb",
    "59 LF at the end": "ab\n",
    "59 escape": "a\x1b[31m",
    "59 a space": "a b",
    "59 a tab": "a\tb",
    "60 right to left": "a\u202eb",
    "60 zero width": "a\u200bb",
    "60 a byte order mark": "\ufeffa",
    "60 fullwidth": "ＡＢ",
    "60 a combining mark": "e\u0301",
    "60 DEL": "a\x7f",
    "empty": "",
    "a number": 7,
    "null": None,
    "a list": ["a"],
    "an object": {"a": 1},
    "true": True,
}
PAYLOADS: dict[str, str] = {
    "55 NUL in a value": '{"a": "x\\u0000y"}',
    "55 NUL deep inside": '{"a": [{"b": ["\\u0000"]}]}',
    "56 NUL in a key": '{"a\\u0000b": 1}',
    "57 lone high surrogate": '{"a": "\\ud800"}',
    "57 lone low surrogate": '{"a": "\\udc00"}',
    "57 surrogate in a key": '{"\\ud800": 1}',
    "57 swapped surrogates": '{"a": "\\udc00\\ud800"}',
}
HTML = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "{% debug %}", "javascript:alert(1)")
INERT = (
    "'; DROP SCHEMA acme CASCADE; --",
    'public";',
    "acme.orders_order",
    "%s%(x)s{s}",
    "\\'; --",
    "../../etc/passwd",
    "$$;",
)


def raw_with(payload: str) -> str:
    return json.dumps(event(payload=0)).replace('"payload": 0', f'"payload": {payload}')


@pytest.mark.parametrize("name", PAYLOADS)
def test_what_postgresql_cannot_hold_is_422(sender: Client, trial: Trial, name: str) -> None:
    refused(trial(sender, "/events", raw_with(PAYLOADS[name])), 422, "payload")


@pytest.mark.parametrize("name", NOT_VISIBLE)
@pytest.mark.parametrize("field", IDS)
def test_id_that_is_not_visible_ascii_is_422(sender: Client, trial: Trial, field: str, name: str) -> None:
    answered = trial(sender, "/events", json.dumps(event(**{field: NOT_VISIBLE[name]})))
    if name == "58 lone surrogate":
        assert (answered.status, answered.grown) == (422, {KEPT: 1})
    else:
        refused(answered, 422, field)


@pytest.mark.parametrize("field", ["merchant", "correlation_id"])
@pytest.mark.parametrize("value", ["a\x00b", "a\nb", "A B", "<b>", "x" * 65, 7, "\u202e"])
def test_optional_fields_are_checked_as_well(sender: Client, trial: Trial, field: str, value: Any) -> None:
    refused(trial(sender, "/events", json.dumps(event(**{field: value}))), 422, field)


@pytest.mark.parametrize("value", ["a\r\nb", "a b", "<x>", "a" * 65, "é", "a;b"])
def test_59_a_correlation_id_of_another_form_is_replaced(sender: Client, value: str) -> None:
    headers = {"HTTP_X_CORRELATION_ID": value}
    answer = sender.generic("POST", "/events", json.dumps(event()), content_type="application/json", **headers)
    assert (answer.status_code, len(answer["X-Correlation-Id"])) == (201, 32)


def test_valid_unicode_is_stored_as_it_came(sender: Client, trial: Trial) -> None:
    text = "Åsa \U0001f600 \u202e אבג e\u0301 \x7f \x1b"
    assert trial(sender, "/events", json.dumps(event(payload={"name": text}))).status == 201
    assert rows("SELECT payload->>'name' FROM {s}.orders_event") == [(text,)]


@pytest.mark.parametrize("text", HTML)
def test_61_html_is_stored_and_never_becomes_html(acme: Tenant, sender: Client, trial: Trial, text: str) -> None:
    visible = text.replace(" ", "_")
    body = event(order_id=visible, event_type="payment_failed", payload={"name": text, "reason": text})
    assert trial(sender, "/events", json.dumps(body)).status == 201
    with in_schema():
        refused_event(order_id=visible, payload={"name": text}, occurred_at=text)
        found = ExceptionRecord.objects.get()
    assert found.order_ref == visible
    pages = signed_in(acme, make_member(acme, role=Role.MANAGER))
    for path in (
        "/dead-letters/",
        f"/dead-letters/?search={visible}",
        "/dead-letters/1/",
        "/exceptions/",
        "/orders/",
        "/",
    ):
        shown = pages.get(path).content.decode()
        for raw in ("<script>alert", "<img src=x", "<img_src=x", 'href="javascript:alert'):
            assert raw not in shown
    assert escape(text.replace(" ", "_")) in pages.get("/dead-letters/").content.decode()
    answer = program("acme", "read").get("/api/orders")
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/json", "nosniff")


@pytest.mark.parametrize("text", ["=HYPERLINK(0)", "+cmd|x", "-2+3", "@SUM(1)", "\t=1"])
def test_62_csv_cells_begin_with_no_formula(sender: Client, trial: Trial, text: str) -> None:
    if not text.isprintable():
        refused(trial(sender, "/events", json.dumps(event(order_id=text))), 422, "order_id")
        return
    trial(sender, "/events", json.dumps(event(order_id=text, event_type="payment_failed")))
    answer = program("acme", "read").get("/api/exceptions.csv")
    cells = b"".join(answer.streaming_content).decode()
    assert f"'{text}" in cells
    assert f",{text}" not in cells


@pytest.mark.parametrize("text", INERT)
def test_63_and_64_sql_and_paths_are_mere_text(sender: Client, trial: Trial, text: str) -> None:
    """Nothing takes a file's name from outside (64): it is a text like any other."""
    visible = text.replace(" ", "_")
    body = event(order_id=visible, event_id=visible, event_type="payment_failed", payload={"a": text, text: text})
    assert trial(sender, "/events", json.dumps(body)).status == 201
    assert rows("SELECT order_ref, payload->>'a' FROM {s}.orders_event") == [(visible, text)]
    reader = program("acme", "read")
    for path in ("/api/orders", "/api/exceptions", "/api/dead-letters"):
        answered = trial(
            reader, path, method="GET", QUERY_STRING=f"search={visible}&merchant={visible}&source={visible}"
        )
        assert answered.status in (200, 422)
    assert trial(reader, f"/webhooks/acme/{visible[:16]}", "{}").status in (400, 401, 404)
    for tenant in (visible, f'acme"{visible}'):
        assert trial(reader, "/api/orders", method="GET", HTTP_X_TENANT_ID=tenant).status == 401


@pytest.mark.parametrize(
    "path", ["/static/../e2a/settings.py", "/static/..%2f..%2fetc/passwd", "/static/%2e%2e/manage.py", "/../manage.py"]
)
def test_64_static_files_are_those_of_the_folder_only(acme: Tenant, path: str) -> None:
    answer = Client(headers={"Host": "acme.localhost"}).get(path)
    assert answer.status_code == 404
