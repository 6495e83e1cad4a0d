"""/api/dead-letters and /api/admin/replay-dlq: who may, what is answered, what stays."""

import json
from base64 import b64decode
from typing import Any

import pytest
from django.test import Client

from orders import letter_runs
from orders.api import letters as views
from orders.models import DeadLetter, Event, LetterReplay
from orders.tasks import run_one_replay, run_replays
from tenants.models import Tenant
from tests.orders.door_cast import rows, said
from tests.orders.letters.cast import erp, in_schema, mend, refused_event, refused_webhook, snapshot
from tests.programs import program

ONE = ["replay", "discard", "restore"]


def post(client: Client, path: str, body: Any = None) -> tuple[int, Any]:
    return said(client.post(path, json.dumps(body or {}), content_type="application/json"))


@pytest.fixture
def letter(acme: Tenant) -> DeadLetter:
    """A letter whose source has been mended since."""
    row = erp(acme)
    with in_schema():
        found = refused_webhook(1)
    mend(row)
    return found


def test_list_and_one(letter: DeadLetter) -> None:
    with in_schema():
        refused_event(occurred_at="soon")
    client = program("acme", "read")
    status, page = said(client.get("/api/dead-letters?page_size=1"))
    assert (status, [each["source"] for each in page["results"]]) == (200, ["wms"])
    assert [each["source"] for each in client.get(page["next"]).json()["results"]] == ["erp"]
    [found] = client.get("/api/dead-letters?reason=unmapped&source=erp&search=w1").json()["results"]
    assert (found["id"], found["status"], list(found["errors"])) == (letter.pk, "waiting", ["event_type"])
    assert client.get("/api/dead-letters?status=replayed").json()["results"] == []
    status, one = said(client.get(f"/api/dead-letters/{letter.pk}"))
    assert (status, json.loads(one["body"])["id"], b64decode(one["body_base64"])) == (200, "w1", one["body"].encode())
    assert (one["headers"], one["edits"], one["edited_from"]) == ({}, [], None)


@pytest.mark.parametrize(
    "query", ["status=lost", "received_after=soon", "page_size=0", "cursor=x", "search=" + "x" * 201]
)
def test_wrong_query_gets_a_sentence(acme: Tenant, query: str) -> None:
    status, problem = said(program("acme", "read").get(f"/api/dead-letters?{query}"))
    assert (status, list(problem["errors"])) == (422, [query.partition("=")[0]])


def test_one_letter_is_replayed_once(letter: DeadLetter) -> None:
    client = program("acme", "operate")
    path = f"/api/dead-letters/{letter.pk}/replay"
    status, dry = post(client, path, {"dry_run": True})
    assert (status, dry["outcome"], dry["effects"][0]["effect"]) == (200, "stored", "opened")
    assert rows("SELECT count(*) FROM {s}.orders_event") == [(0,)]
    status, real = post(client, path)
    assert (status, real) == (200, {**dry, "dry_run": False})
    before = snapshot()
    assert post(client, path)[0] == 409
    assert snapshot() == before


def test_edited_copy(letter: DeadLetter) -> None:
    client = program("acme", "operate")
    path = f"/api/dead-letters/{letter.pk}/replay"
    _, still = post(client, path, {"body": "{"})
    assert (still["outcome"], list(still["errors"])) == ("refused", ["body"])
    body = json.dumps({"id": "w1", "kind": "order_packed", "at": "2026-11-23T10:00:00Z", "order": "7"})
    _, taken = post(client, path, {"body": body})
    assert (taken["outcome"], taken["events"]) == ("stored", [{"event_type": "order_packed", "order_id": "7"}])
    one = program("acme", "read").get(f"/api/dead-letters/{letter.pk}").json()
    assert (one["status"], len(one["edits"])) == ("replayed", 1)


def test_discard_and_restore(letter: DeadLetter) -> None:
    client = program("acme", "operate")
    path = f"/api/dead-letters/{letter.pk}"
    assert post(client, f"{path}/discard")[1]["status"] == "discarded"
    assert post(client, f"{path}/discard")[0] == 409
    assert post(client, f"{path}/restore")[1]["status"] == "waiting"
    assert post(client, f"{path}/restore")[0] == 409


def test_filter_is_rehearsed_and_replayed(letter: DeadLetter) -> None:
    with in_schema():
        refused_event(occurred_at="soon")
    client = program("acme", "admin")
    before = snapshot()
    status, dry = post(client, "/api/admin/replay-dlq", {"dry_run": True})
    assert (status, dry["matched"], dry["counts"]) == (200, 2, {"stored": 1, "refused": 1, "exceptions_opened": 1})
    assert [(each["id"], each["outcome"]) for each in dry["letters"]] == [
        (letter.pk, "stored"),
        (letter.pk + 1, "refused"),
    ]
    assert snapshot() == before
    status, real = post(client, "/api/admin/replay-dlq", {"reason": "unmapped"})
    assert (status, real["matched"], real["counts"]) == (200, 1, {"stored": 1, "exceptions_opened": 1})
    progress = program("acme", "read").get(f"/api/dead-letters/replays/{real['replay']['id']}").json()
    assert progress == real["replay"] | {"status": "done", "done": 1, "total": 1}


def test_long_replay_goes_on_in_the_background(letter: DeadLetter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "IN_THE_REQUEST_SECONDS", 0)
    monkeypatch.setattr(letter_runs, "CHUNK", 1)
    with in_schema():
        refused_event(occurred_at="soon")
    status, body = post(program("acme", "admin"), "/api/admin/replay-dlq")
    assert (status, body["replay"]["status"], body["replay"]["done"]) == (202, "running", 1)
    sent: list[Any] = []
    monkeypatch.setattr(run_one_replay, "delay", lambda *args: sent.append(args))
    assert (run_replays(), sent) == (1, [("acme", body["replay"]["id"])])
    assert run_one_replay(*sent[0]) == "done"
    assert run_replays() == 0
    with pytest.raises(ValueError, match="no active tenant"):
        run_one_replay("nobody", 1)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"dryrun": True}, "dryrun"),
        ({"ids": [0]}, "ids.0"),
        ({"dry_run": "maybe"}, "dry_run"),
        ({"received_before": "soon"}, "received_before"),
        ([], "non_field_errors"),
    ],
)
def test_misspelt_replay_does_nothing(letter: DeadLetter, body: Any, field: str) -> None:
    before = snapshot()
    client = program("acme", "admin")
    status, problem = said(client.post("/api/admin/replay-dlq", json.dumps(body), content_type="application/json"))
    assert (status, list(problem["errors"])) == (422, [field])
    assert snapshot() == before


def test_scopes(letter: DeadLetter) -> None:
    path = f"/api/dead-letters/{letter.pk}"
    before = snapshot()
    assert program("acme", "ingest").get("/api/dead-letters").status_code == 403
    assert program("acme", "ingest").get(path).status_code == 403
    for act in ONE:
        assert post(program("acme", "read", "ingest"), f"{path}/{act}")[0] == 403
    assert post(program("acme", "read", "operate"), "/api/admin/replay-dlq")[0] == 403
    assert Client(headers={"Host": "127.0.0.1"}).get("/api/dead-letters").status_code == 401
    assert snapshot() == before


def test_another_tenant_sees_and_changes_nothing(letter: DeadLetter, globex: Tenant) -> None:
    spy = program("globex", "read", "operate", "admin")
    before = snapshot()
    assert spy.get("/api/dead-letters").json()["results"] == []
    assert spy.get(f"/api/dead-letters/{letter.pk}").status_code == 404
    for act in ONE:
        assert post(spy, f"/api/dead-letters/{letter.pk}/{act}")[0] == 404
    assert post(spy, "/api/admin/replay-dlq", {"ids": [letter.pk]})[1]["matched"] == 0
    assert snapshot() == before
    with in_schema():
        assert (Event.objects.count(), LetterReplay.objects.count()) == (0, 0)
