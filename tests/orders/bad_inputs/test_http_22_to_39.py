"""Bad inputs 22 to 39: HTTP, as far as WSGI shows it. What needs a real socket stands in test_sockets.py."""

import gzip
import json
import resource

import pytest
from django.test import Client

from tests.orders.bad_inputs.cast import MARK, Trial, refused
from tests.orders.door_cast import event, rows
from tests.programs import program

EVENT = json.dumps(event(payload={"note": MARK}))
BATCH = json.dumps({"events": [event()]})
DOOR = ("/events", "/events/", "/events/batch", "/events/batch/", "/webhooks/acme/shop", "/webhooks/acme/shop/")
NOT_JSON = {
    "24 text/plain": "text/plain",
    "24 none": "",
    "24 spaces": "  ",
    "24 xml": "application/xml",
    "24 nearly json": "application/jsonx",
    "24 json in html": "text/html; x=application/json",
    "25 a form": "application/x-www-form-urlencoded",
    "26 multipart without a boundary": "multipart/form-data",
    "26 multipart": "multipart/form-data; boundary=x",
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("path", DOOR)
def test_22_other_methods_are_405(sender: Client, trial: Trial, path: str, method: str) -> None:
    answered = trial(sender, path, EVENT, method=method)
    assert (answered.status, answered.headers["Allow"], answered.grown) == (405, "POST", {})


@pytest.mark.parametrize("path", ["/events", "/events/", "/events/batch", "/events/batch/"])
def test_23_with_and_without_a_slash_is_the_same_address(sender: Client, trial: Trial, path: str) -> None:
    answered = trial(sender, path, BATCH if "batch" in path else EVENT)
    assert (answered.status, answered.grown["orders_event"]) == (200 if "batch" in path else 201, 1)


@pytest.mark.parametrize("name", NOT_JSON)
@pytest.mark.parametrize("path", ["/events", "/events/batch"])
def test_what_says_it_is_not_json_is_415(sender: Client, trial: Trial, path: str, name: str) -> None:
    refused(trial(sender, path, EVENT, CONTENT_TYPE=NOT_JSON[name]), 415)


@pytest.mark.parametrize("name", NOT_JSON)
def test_the_api_takes_json_only_too(trial: Trial, sender: Client, name: str) -> None:
    admin = program("acme", "admin")
    refused(trial(admin, "/api/admin/replay-dlq", "dry_run=true", CONTENT_TYPE=NOT_JSON[name]), 415)


def test_27_body_over_the_limit_is_413(sender: Client, trial: Trial) -> None:
    refused(trial(sender, "/events", json.dumps(event(payload={"a": "x" * 2_700_000}))), 413)
    refused(trial(sender, "/events/batch", b" " * (8 * 1024 * 1024 + 1)), 413)
    refused(trial(sender, "/webhooks/acme/shop", b" " * (5 * 1024 * 1024 + 1)), 413)
    many = json.dumps({"events": [event(n) for n in range(5_001)]})
    refused(trial(sender, "/events/batch", many), 413)


def test_27_payload_just_over_its_own_limit_is_wrong_content(sender: Client, trial: Trial) -> None:
    refused(trial(sender, "/events", json.dumps(event(payload={"a": "x" * 256 * 1024}))), 422, "payload")


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate", "gzip, gzip", "x"])
def test_31_content_encoding_is_415(sender: Client, trial: Trial, encoding: str) -> None:
    refused(trial(sender, "/events", gzip.compress(EVENT.encode()), HTTP_CONTENT_ENCODING=encoding), 415)


def test_31_gzip_bomb_is_never_unpacked(sender: Client, trial: Trial) -> None:
    bomb = gzip.compress(b"\0" * 100_000_000, compresslevel=9)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(trial(sender, "/events", bomb, HTTP_CONTENT_ENCODING="gzip"), 415)
    refused(trial(sender, "/events", bomb), 400)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.com", 404),
        ("a b", 400),
        ("", 400),
        ("127.0.0.1@evil.com", 400),
        ("nobody.localhost", 404),
        ("acme.localhost.evil.com", 404),
    ],
)
def test_32_strange_hosts_are_refused(acme: object, trial: Trial, host: str, status: int) -> None:
    for path in ("/api/orders", "/login/"):
        answered = trial(Client(), path, method="GET", HTTP_HOST=host)
        assert (answered.status, answered.grown) == (status, {})


def test_33_forwarded_headers_are_ignored(sender: Client, trial: Trial) -> None:
    spoofed = {
        "HTTP_X_FORWARDED_HOST": "globex.localhost",
        "HTTP_X_FORWARDED_FOR": "127.0.0.1",
        "HTTP_FORWARDED": "host=globex",
    }
    answered = trial(sender, "/events", EVENT, **spoofed)
    assert (answered.status, answered.grown["orders_event"]) == (201, 1)
    reader = program("acme", "read")
    answered = trial(reader, "/api/orders?page_size=1", method="GET", **spoofed)
    assert (answered.status, b"globex" in answered.content) == (200, False)
    outside = Client(headers={"Host": "127.0.0.1"})
    assert [outside.get("/metrics", **more).status_code for more in ({}, spoofed)] == [200, 404]


@pytest.mark.parametrize("accept", ["application/xml", "text/html", "*/*;q=0", "nonsense", ""])
def test_38_the_answer_is_json_whatever_is_accepted(sender: Client, trial: Trial, accept: str) -> None:
    answered = trial(sender, "/events", EVENT, HTTP_ACCEPT=accept)
    assert (answered.status, answered.headers["Content-Type"]) == (201, "application/json")
    reader = program("acme", "read")
    for path, status in (("/api/orders", 200), ("/api/orders?page_size=x", 422), ("/api/exceptions/0", 404)):
        answered = trial(reader, path, method="GET", HTTP_ACCEPT=accept)
        assert answered.status == status
        assert isinstance(answered.body, dict)


def test_the_same_event_through_both_addresses_is_one_row(sender: Client, trial: Trial) -> None:
    trial(sender, "/events", EVENT)
    assert trial(sender, "/events/", EVENT).body["status"] == "duplicate"
    assert rows("SELECT count(*) FROM {s}.orders_event") == [(1,)]
