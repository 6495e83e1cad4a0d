"""The inbox and its bell: a person's own, in this team only; and what each person chooses."""

from datetime import time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from exceptions.models import Notification, Preference
from tenants.models import Membership, Role, Tenant, User
from tests.exceptions.cast import NOW
from tests.exceptions.notifications.cast import make_target, tell
from tests.tenants.cast import make_member, signed_in

HTMX = {"HX-Request": "true"}


@pytest.fixture
def maria(acme: Tenant) -> User:
    return make_member(acme, "maria")


@pytest.fixture
def desk(acme: Tenant, maria: User) -> Client:
    return signed_in(acme, maria)


def unread(client: Client) -> str:
    return str(client.get("/inbox/bell/").content.decode().partition('data-unread="')[2].partition('"')[0])


def test_bell_counts_and_inbox_lists_what_is_unread(desk: Client, maria: User) -> None:
    assert unread(desk) == "0"
    assert "Nothing unread" in desk.get("/inbox/").content.decode()
    tell(maria, "A-1", "A-2")
    assert unread(desk) == "2"
    text = desk.get("/inbox/").content.decode()
    assert text.index("order A-2") < text.index("order A-1")
    assert "Assigned to you" in text


def test_opening_marks_read_and_leads_to_the_exception(desk: Client, maria: User) -> None:
    (pk,) = tell(maria, "A-1")
    answer = desk.post(f"/inbox/{pk}/open/", headers=HTMX)
    assert answer.status_code == 204
    assert answer["HX-Redirect"].startswith("/exceptions/")
    assert unread(desk) == "0"
    assert "A-1" not in desk.get("/inbox/").content.decode()
    assert "A-1" in desk.get("/inbox/?show=all").content.decode()
    assert desk.get(f"/inbox/{pk}/open/").status_code == 405


def test_all_that_was_shown_is_read_and_no_more(desk: Client, maria: User) -> None:
    tell(maria, "A-1", "A-2")
    shown = tell(maria, "A-3")[0]
    tell(maria, "A-4")
    assert desk.post("/inbox/read/", {"through": str(shown)}, headers=HTMX).status_code == 204
    assert unread(desk) == "1"
    assert "A-4" in desk.get("/inbox/").content.decode()
    assert desk.post("/inbox/read/", {"through": "no"}, headers=HTMX).status_code == 204
    assert unread(desk) == "1"


def test_nobody_reads_or_touches_anothers(acme: Tenant, globex: Tenant, desk: Client, maria: User) -> None:
    """ben is of the same team; maria herself is of another team too, whose host shows nothing of this one's."""
    (pk,) = tell(maria, "A-1")
    ben = signed_in(acme, make_member(acme, "ben"))
    Membership.objects.create(tenant=globex, user=maria, role=Role.OPERATOR)
    elsewhere = signed_in(globex, maria)
    for client in (ben, elsewhere):
        assert unread(client) == "0"
        assert "A-1" not in client.get("/inbox/?show=all").content.decode()
        assert client.post(f"/inbox/{pk}/read/", headers=HTMX).status_code == 404
        assert client.post(f"/inbox/{pk}/open/", headers=HTMX).status_code == 404
        assert client.post("/inbox/read/", {"through": "999999"}, headers=HTMX).status_code == 204
    assert unread(desk) == "1"


def test_who_has_left_sees_no_inbox(desk: Client, maria: User) -> None:
    tell(maria, "A-1")
    Membership.objects.all().delete()
    assert desk.get("/inbox/").status_code == 403
    assert desk.get("/inbox/bell/").status_code == 403


def queries_of(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


def test_inbox_asks_as_often_for_many_as_for_one(desk: Client, maria: User) -> None:
    tell(maria, "A-0")
    few, bell = queries_of(desk, "/inbox/"), queries_of(desk, "/inbox/bell/")
    tell(maria, *(f"B-{number:02}" for number in range(60)))
    assert queries_of(desk, "/inbox/") == few <= 10
    assert queries_of(desk, "/inbox/bell/") == bell <= 9
    older = desk.get("/inbox/").content.decode().partition("before=")[2].partition('"')[0]
    text = desk.get(f"/inbox/?before={older}").content.decode()
    assert "order B-09<" in text
    assert "order B-10<" not in text


def form(**changes: Any) -> dict[str, Any]:
    return {
        "chosen": ["mentioned:page", "mentioned:email"],
        "least_severity": "",
        "timezone": "Europe/Lisbon",
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "digest_at": "08:30",
        "slack_target": "",
        "webhook_target": "",
    } | changes


def test_person_chooses_and_it_holds(desk: Client, maria: User) -> None:
    text = desk.get("/inbox/settings/").content.decode()
    assert text.count(" checked") == 9
    assert desk.post("/inbox/settings/", form()).status_code == 302
    assert desk.get("/inbox/settings/").content.decode().count(" checked") == 2
    with schema_context("acme"):
        row = Preference.objects.get(user_id=maria.pk)
    assert (row.quiet_from, row.quiet_until, row.digest_at) == (time(22), time(7), time(8, 30))
    tell(maria, "A-1")
    assert unread(desk) == "0"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"timezone": "Mars/Olympus"}, "is no zone"),
        ({"quiet_until": ""}, "Give both"),
        ({"quiet_until": "22:00"}, "They begin when they end"),
        ({"quiet_from": "25:00"}, "Not a time of day"),
        ({"chosen": ["mentioned:slack"]}, "choose a Slack target"),
        ({"chosen": ["mentioned:webhook"]}, "choose a Webhook target"),
        ({"chosen": ["mentioned:pigeon"]}, "no matter or way"),
        ({"slack_target": "theirs"}, "theirs"),
        ({"least_severity": "PURPLE"}, "PURPLE"),
    ],
)
def test_what_cannot_hold_is_said_and_not_kept(
    desk: Client, globex: Tenant, changes: dict[str, Any], sentence: str
) -> None:
    make_target(globex, "slack", "theirs")
    answer = desk.post("/inbox/settings/", form(**changes))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    with schema_context("acme"):
        assert not Preference.objects.exists()


def test_old_notifications_stay_in_order(desk: Client, maria: User) -> None:
    (pk,) = tell(maria, "A-1")
    with schema_context("acme"):
        Notification.objects.filter(pk=pk).update(created_at=NOW - timedelta(days=3))
    assert "A-1" in desk.get("/inbox/").content.decode()
