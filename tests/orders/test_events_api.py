"""`POST /events`: who may send, what is answered, what is kept (CONTRACT 2 and 3)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.bodies import read_all
from tenants.models import ApiKey, Tenant
from tenants.services import create_api_key
from tests.orders.door_cast import event, rows, said, send, stored_events, stored_letters
from tests.programs import program

pytestmark = pytest.mark.django_db


def nothing_kept() -> bool:
    return not any([stored_events(), stored_letters(), stored_events("globex"), stored_letters("globex")])


def test_event_is_stored_once_and_again_it_is_a_duplicate() -> None:
    client = program("acme", "ingest")
    answer = send(client, event())
    assert said(answer) == (
        201,
        {"status": "processed", "event_id": "evt-1", "order_id": "1001", "exceptions": []},
    )
    assert answer["Content-Type"] == "application/json"
    assert said(send(client, event())) == (200, {"status": "duplicate", "ignored": True, "event_id": "evt-1"})
    assert [row[:4] for row in stored_events()] == [("wms", "evt-1", "default", "1001")]
    assert stored_events("globex") == []


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_batch_answers_for_each_event_and_keeps_the_good_ones(kind: str) -> None:
    """Stored before, new, the same again, a conflict, and one with wrong content."""
    client = program("acme", "ingest")
    send(client, event(1))
    events = [event(1), event(2), event(2), event(2, order_id="2002"), event(3, occurred_at="yesterday"), event(4)]
    lines = [json.dumps(each).encode() for each in events]
    whole = b"\n".join(lines) + b"\n" if kind.endswith("ndjson") else b'{"events":[' + b",".join(lines) + b"]}"
    status, answer = said(send(client, whole, path="/events/batch", content_type=kind))
    assert (status, answer["processed"], answer["duplicates"]) == (200, 2, 2)
    refused = [(each["index"], each["event_id"], list(each["errors"])) for each in answer["rejected"]]
    assert refused == [(3, "evt-2", ["event_id"]), (4, "evt-3", ["occurred_at"])]
    assert sorted(row[1] for row in stored_events()) == ["evt-1", "evt-2", "evt-4"]
    assert sorted(letter[1:3] for letter in stored_letters()) == [("conflict", "evt-2"), ("invalid", "evt-3")]


def test_same_identity_with_other_content_is_a_conflict_kept_as_a_dead_letter() -> None:
    client = program("acme", "ingest")
    send(client, event())
    status, problem = said(send(client, event(order_id="2002")))
    assert (status, list(problem["errors"])) == (409, ["event_id"])
    assert [row[:4] for row in stored_events()] == [("wms", "evt-1", "default", "1001")]
    assert [letter[:4] for letter in stored_letters()] == [("wms", "conflict", "evt-1", "2002")]


def test_answer_names_the_exceptions_that_the_event_opened() -> None:
    client = program("acme", "ingest")
    _, body = said(send(client, event(event_type="payment_failed")))
    assert [body["exceptions"]] == [[key] for (key,) in rows("SELECT id FROM {s}.exceptions_record")]


def test_wrong_content_is_refused_with_its_fields_and_kept() -> None:
    client = program("acme", "ingest")
    raw = json.dumps(event(occurred_at="yesterday", order_id="")).encode()
    answer = send(client, raw)
    status, problem = said(answer)
    assert (status, sorted(problem["errors"])) == (422, ["occurred_at", "order_id"])
    assert answer["Content-Type"] == "application/problem+json"
    [(source, reason, event_id, order, line, body, errors)] = stored_letters()
    assert (source, reason, event_id, order, line, body) == ("wms", "invalid", "evt-1", "", None, raw)
    assert errors == problem["errors"]
    assert stored_events() == []


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"", 400), (b"[]", 400), (b"5", 400), (b"\xff", 400)])
def test_wrong_syntax_is_refused_and_not_kept(body: bytes, status: int) -> None:
    assert said(send(program("acme", "ingest"), body))[0] == status
    assert nothing_kept()


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"content_type": "text/plain"}, 415),
        ({"content_type": ""}, 415),
        ({"content_type": "application/json; charset=utf-16"}, 415),
        ({"content_type": "application/x-ndjson"}, 415),
        ({"headers": {"Content-Encoding": "gzip"}}, 415),
        ({"content_type": "application/json; charset=UTF-8"}, 201),
        ({"headers": {"Accept": "application/xml"}}, 201),
    ],
)
def test_only_plain_json_in_utf8_is_read(options: dict[str, Any], status: int) -> None:
    answer = send(program("acme", "ingest"), event(), **options)
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("application/")
    assert len(stored_events()) == (status == 201)
    assert stored_letters() == []


def test_body_over_the_limit_is_refused_and_not_kept() -> None:
    assert said(send(program("acme", "ingest"), event(payload={"x": "y" * 300_000})))[0] == 413
    assert nothing_kept()


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/events", "/events/batch", "/webhooks/acme/shopify"])
def test_another_method_is_refused(method: str, path: str) -> None:
    answer = program("acme", "ingest").generic(method, path)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert nothing_kept()


@pytest.mark.parametrize("path", ["/events/", "/events"])
def test_trailing_slash_makes_no_difference(path: str) -> None:
    assert send(program("acme", "ingest"), event(), path=path).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer e2a_000000000000_" + "0" * 48},
        {"Authorization": "Basic YTpi"},
        {"X-Tenant-Id": "nobody"},
        {"X-Tenant-Id": "public"},
        {"X-Tenant-Id": ""},
    ],
)
def test_unknown_sender_is_refused(headers: dict[str, str]) -> None:
    client = program("acme", "ingest") if headers else Client(headers={"Host": "127.0.0.1"})
    answer = send(client, event(), headers=headers)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert nothing_kept()


def test_header_alone_opens_nothing() -> None:
    assert send(Client(headers={"X-Tenant-Id": "acme", "Host": "127.0.0.1"}), event()).status_code == 401


def test_key_of_another_tenant_and_key_without_the_scope_are_refused() -> None:
    assert send(program("acme", "ingest"), event(), headers={"X-Tenant-Id": "globex"}).status_code == 403
    assert send(program("acme", "read", "operate", "admin"), event()).status_code == 403
    assert nothing_kept()


def test_ended_and_revoked_keys_are_refused_at_the_next_request() -> None:
    client = program("acme", "ingest")
    assert send(client, event()).status_code == 201
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert send(client, event(2)).status_code == 401
    ApiKey.objects.update(expires_at=None, revoked_at=timezone.now())
    assert send(client, event(3)).status_code == 401
    assert len(stored_events()) == 1


def bound(**bounds: Any) -> Client:
    made = create_api_key(tenant=Tenant.objects.get(slug="acme"), scopes=["ingest"], **bounds)
    return Client(headers={"Authorization": f"Bearer {made.key}", "X-Tenant-Id": "acme", "Host": "127.0.0.1"})


def test_key_bound_to_sources_sends_for_no_other() -> None:
    client = bound(sources=["wms", "erp"])
    assert send(client, event()).status_code == 201
    status, problem = said(send(client, event(2, source="shop")))
    assert (status, problem["errors"]) == (403, {"source": ["This key may send for erp, wms only."]})
    assert (len(stored_events()), stored_letters()) == (1, [])


def test_key_of_a_merchant_names_it_and_sends_for_no_other() -> None:
    client = bound(merchant="north-shop")
    assert send(client, event()).status_code == 201
    assert send(client, event(2, merchant="north-shop")).status_code == 201
    assert send(client, event(3, merchant="south-shop")).status_code == 403
    assert [row[2] for row in stored_events()] == ["north-shop", "north-shop"]


def test_correlation_id_is_taken_returned_and_stored() -> None:
    client = program("acme", "ingest")
    assert send(client, event(), headers={"X-Correlation-Id": "abc-1"})["X-Correlation-Id"] == "abc-1"
    made = send(client, event(2), headers={"X-Correlation-Id": "not allowed"})["X-Correlation-Id"]
    own = send(client, event(3, correlation_id="of-the-event"))
    assert len(made) == 32 and own["X-Correlation-Id"] != "of-the-event"
    assert [row[4] for row in stored_events()] == ["abc-1", made, "of-the-event"]


@pytest.mark.parametrize("change", [{"source": "e2a"}, {"event_id": "~orders/create:1:ev"}])
def test_own_source_and_adapters_identities_are_refused(change: dict[str, str]) -> None:
    assert said(send(program("acme", "ingest"), event(**change)))[0] == 422
    assert stored_events() == []


class Trickle:
    """A server's stream that gives at most seven bytes a read."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def read(self, size: int) -> bytes:
        part, self.body = self.body[: min(size, 7)], self.body[min(size, 7) :]
        return part


def test_body_that_comes_in_parts_is_read_whole_and_never_past_its_limit() -> None:
    assert read_all(Trickle(b"x" * 100), 200) == b"x" * 100
    assert read_all(Trickle(b"x" * 100), 50) == b"x" * 50
