"""The dead letters' pages: what each role sees and may do, with and without htmx."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders import letter_pages, letter_runs
from orders.models import DeadLetter, LetterReplay
from tenants.models import Role, Tenant
from tests.orders.door_cast import event, rows
from tests.orders.letters.cast import erp, in_schema, mend, refused_event, refused_webhook, snapshot
from tests.tenants.cast import make_member, signed_in

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def letter(acme: Tenant) -> DeadLetter:
    """A letter whose source has been mended since."""
    row = erp(acme)
    with in_schema():
        found = refused_webhook(1)
    mend(row)
    return found


def client_of(tenant: Tenant, role: str) -> Client:
    return signed_in(tenant, make_member(tenant, role, role=role))


@pytest.fixture
def operator(acme: Tenant) -> Client:
    return client_of(acme, Role.OPERATOR)


@pytest.fixture
def manager(acme: Tenant) -> Client:
    return client_of(acme, Role.MANAGER)


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


def toast(answer: Any) -> str:
    assert answer.status_code == 204, answer.content
    return str(json.loads(answer["HX-Trigger"])["toast"]["text"])


def test_empty_list_says_so(operator: Client) -> None:
    assert "No dead letter waits" in text_of(operator.get("/dead-letters/"))
    assert "None yet" in text_of(operator.get("/dead-letters/?status=discarded"))
    assert "No letter fits this filter" in text_of(operator.get("/dead-letters/?search=x"))


def test_list_filters_and_pages(letter: DeadLetter, operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_schema():
        refused_event(occurred_at="soon", event_id="e<b>")
    page = text_of(operator.get("/dead-letters/"))
    assert "unmapped" in page
    assert "Give an ISO 8601 time" in page
    only = text_of(operator.get("/dead-letters/?reason=unmapped", **HTMX))
    assert "Give an ISO 8601 time" not in only
    assert "<html" not in only
    monkeypatch.setattr(letter_pages, "PAGE_SIZE", 1)
    first = text_of(operator.get("/dead-letters/"))
    assert "Older" in first
    assert f"/dead-letters/{letter.pk}/" not in first
    cursor = first.split("cursor=")[1].split('"')[0]
    assert f"/dead-letters/{letter.pk}/" in text_of(operator.get(f"/dead-letters/?cursor={cursor}"))


@pytest.mark.parametrize("query", ["received_after=soon", "status=lost", "search=" + "x" * 201])
def test_wrong_filter_gets_a_sentence_and_the_list(letter: DeadLetter, operator: Client, query: str) -> None:
    answer = operator.get(f"/dead-letters/?{query}")
    assert answer.status_code == 422
    assert b'role="alert"' in answer.content


def test_queries_do_not_grow_with_the_list(letter: DeadLetter, operator: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            operator.get("/dead-letters/")
        return len(caught)

    one = count()
    with in_schema():
        for number in range(2, 12):
            refused_event(occurred_at="soon", event_id=f"e{number}")
    assert count() == one < 20


def test_one_letter_shows_the_raw_body_escaped(acme: Tenant, operator: Client) -> None:
    with in_schema():
        letter = refused_event(occurred_at="<script>alert(1)</script>")
    page = text_of(operator.get(f"/dead-letters/{letter.pk}/"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    file = operator.get(f"/dead-letters/{letter.pk}/body/")
    assert (file.content, file["Content-Type"]) == (bytes(letter.body), "application/octet-stream")
    assert file["Content-Disposition"] == f'attachment; filename="dead-letter-{letter.pk}.bin"'
    assert operator.get("/dead-letters/999999/").status_code == 404


def test_body_that_is_no_text_is_shown_all_the_same(acme: Tenant, operator: Client) -> None:
    with in_schema():
        letter = refused_event(occurred_at="soon")
        DeadLetter.objects.update(body=b"\xff\x00" + b"x" * 200_000)
    assert "Only the beginning is shown" in text_of(operator.get(f"/dead-letters/{letter.pk}/"))


def test_replay_once_by_button(letter: DeadLetter, operator: Client) -> None:
    path = f"/dead-letters/{letter.pk}"
    rehearsed = text_of(operator.post(f"{path}/rehearse/", **HTMX))
    assert "It would be taken: stored" in rehearsed
    assert "PAYMENT_FAILED of order" in rehearsed
    assert rows("SELECT count(*) FROM {s}.orders_event") == [(0,)]
    assert toast(operator.post(f"{path}/replay/", **HTMX)).startswith("Replayed: stored: payment_failed of o1.")
    again = operator.post(f"{path}/replay/", **HTMX)
    assert (again.status_code, rows("SELECT count(*) FROM {s}.orders_event")) == (409, [(1,)])


def test_replay_that_is_refused_again_says_why(acme: Tenant, operator: Client) -> None:
    with in_schema():
        letter = refused_event(occurred_at="soon")
    answer = operator.post(f"/dead-letters/{letter.pk}/replay/", **HTMX)
    assert answer.status_code == 409
    assert "Give an ISO 8601 time" in answer.json()["errors"]["occurred_at"][0]
    plain = operator.post(f"/dead-letters/{letter.pk}/replay/")
    assert (plain.status_code, b"Give an ISO 8601 time" in plain.content) == (409, True)


def test_discard_and_put_back(letter: DeadLetter, operator: Client) -> None:
    path = f"/dead-letters/{letter.pk}"
    assert toast(operator.post(f"{path}/discard/", **HTMX)).startswith("Discarded")
    assert "Put it back" in text_of(operator.get(f"{path}/"))
    answer = operator.post(f"{path}/restore/", follow=True)
    assert b"it waits again" in answer.content


def test_edited_copy(acme: Tenant, operator: Client) -> None:
    with in_schema():
        letter = refused_event(occurred_at="soon")
    path = f"/dead-letters/{letter.pk}/edit/"
    assert "&quot;soon&quot;" in text_of(operator.get(path))
    wrong = {"body": json.dumps(event(order_id=""))}
    assert "It would be refused again" in text_of(operator.post(f"{path}check/", wrong, **HTMX))
    before = snapshot()
    answer = operator.post(f"{path}replay/", wrong, **HTMX)
    assert (answer.status_code, b"This field is required." in answer.content) == (422, True)
    assert snapshot() == before
    right = {"body": json.dumps(event(), indent=1).replace("\n", "\r\n")}
    assert "It would be taken" in text_of(operator.post(f"{path}check/", right, **HTMX))
    answer = operator.post(f"{path}replay/", right, **HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (204, f"/dead-letters/{letter.pk}/")
    assert "Edited copy" in text_of(operator.get(f"/dead-letters/{letter.pk}/"))


def test_header_of_an_edited_copy_must_be_one(letter: DeadLetter, operator: Client) -> None:
    form = {"body": "{}", "headers": "nonsense"}
    assert "is no header; write name: value." in text_of(
        operator.post(f"/dead-letters/{letter.pk}/edit/check/", form, **HTMX)
    )


def test_filter_is_rehearsed_then_replayed_with_progress(letter: DeadLetter, manager: Client) -> None:
    with in_schema():
        refused_event(occurred_at="soon")
    before = snapshot()
    page = text_of(manager.get("/dead-letters/replay/"))
    assert "Replay 2 letters" in page
    assert "1 of 2 would be taken" in page
    assert snapshot() == before
    answer = manager.post("/dead-letters/replay/start/", {"reason": "unmapped"}, **HTMX)
    with in_schema():
        asked = LetterReplay.objects.get()
    assert answer["HX-Redirect"] == f"/dead-letters/replays/{asked.pk}/"
    page = text_of(manager.get(answer["HX-Redirect"]))
    assert "1 of 1 letters" in page
    assert manager.post("/dead-letters/replay/start/", {"reason": "unmapped"}, **HTMX).status_code == 409
    assert manager.post(f"/dead-letters/replays/{asked.pk}/stop/", **HTMX).status_code == 409
    assert "No letter of this filter waits" in text_of(manager.get("/dead-letters/replay/?reason=unmapped"))


def test_running_replay_can_be_stopped(letter: DeadLetter, manager: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_runs, "CHUNK", 1)
    monkeypatch.setattr(letter_pages, "IN_THE_REQUEST_SECONDS", 0)
    with in_schema():
        refused_event(occurred_at="soon")
    path = manager.post("/dead-letters/replay/start/", **HTMX)["HX-Redirect"]
    assert "Running" in text_of(manager.get(path))
    assert "A replay is running: 1 of 2 letters" in text_of(manager.get("/dead-letters/"))
    assert toast(manager.post(f"{path}stop/", **HTMX)).startswith("Stopped")
    assert "Stopped" in text_of(manager.get(path))


def test_roles(letter: DeadLetter, acme: Tenant, operator: Client) -> None:
    viewer = client_of(acme, Role.VIEWER)
    path = f"/dead-letters/{letter.pk}"
    before = snapshot()
    assert "Replay letter" not in text_of(viewer.get("/dead-letters/"))
    assert "Edit a copy" not in text_of(viewer.get(f"{path}/"))
    for act in ("replay", "rehearse", "discard", "restore", "edit/check", "edit/replay"):
        assert viewer.post(f"{path}/{act}/").status_code == 403
        assert viewer.get(f"{path}/{act}/").status_code == 405
    assert viewer.get(f"{path}/edit/").status_code == 403
    for who in (viewer, operator):
        assert who.get("/dead-letters/replay/").status_code == 403
        assert who.post("/dead-letters/replay/start/").status_code == 403
        assert who.post("/dead-letters/replays/1/stop/").status_code == 403
    assert snapshot() == before


def test_another_tenants_members_see_nothing(letter: DeadLetter, globex: Tenant) -> None:
    spy = client_of(globex, Role.MANAGER)
    before = snapshot()
    assert "No dead letter waits" in text_of(spy.get("/dead-letters/"))
    path = f"/dead-letters/{letter.pk}"
    assert [spy.get(f"{path}/{page}").status_code for page in ("", "body/", "edit/")] == [404] * 3
    for act in ("replay", "rehearse", "discard", "restore", "edit/replay"):
        assert spy.post(f"{path}/{act}/", {"body": "{}"}).status_code == 404
    assert spy.post("/dead-letters/replay/start/").status_code == 409
    assert snapshot() == before
