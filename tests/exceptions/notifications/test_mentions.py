"""@mentions: members of this team only, told once, in the transaction of the comment."""

import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django_tenants.utils import schema_context

from e2a.errors import Unprocessable
from e2a.pulse import pulse
from exceptions import services
from exceptions.errors import ImpossibleChange
from exceptions.models import ExceptionRecord, Notification, TimelineEntry
from exceptions.notifications.mentions import find_mentioned, names_in
from exceptions.notifications.services import Notice, notify
from tenants.models import Membership, Role, Tenant, User
from tests.exceptions.cast import NOW, kinds, make_exception
from tests.programs import program
from tests.tenants.cast import make_member, signed_in

BEN = {"actor": "user:ben", "now": NOW}


def rows() -> list[tuple[int, str, str]]:
    return list(Notification.objects.order_by("pk").values_list("user_id", "matter", "way"))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@anna look", ["anna"]),
        ("(@anna) @ben.", ["anna", "ben."]),
        ("mail to anna@example.com", []),
        ("see http://x/@anna and a/@b", []),
        ("@ben @ben", ["ben"]),
        ("@anna@example.com", ["anna@example.com"]),
        ("at 5 @ noon", []),
    ],
)
def test_names_are_read_from_text(text: str, names: list[str]) -> None:
    assert names_in(text) == names


def test_the_dot_of_a_sentence_belongs_to_no_name() -> None:
    members = {"anna": 1, "ben.": 2, "ben": 3}
    assert find_mentioned(["Anna.", "ben.", "ben"], members).ids == (1, 2, 3)
    assert find_mentioned(["carl."], members).unknown == ("carl",)


def test_who_is_named_is_told_once_by_each_way(in_acme: Tenant) -> None:
    anna, ben = make_member(in_acme, "anna"), make_member(in_acme, "ben")
    record = make_exception()
    services.comment_on_exception(exception_id=record.pk, text="@Anna, @anna and @ben: look.", **BEN)
    assert rows() == [(anna.pk, "mentioned", "email"), (anna.pk, "mentioned", "page")]
    entry = TimelineEntry.objects.get(kind="commented")
    assert entry.detail == {"mentions": [{"id": anna.pk, "name": "anna"}, {"id": ben.pk, "name": "ben"}]}
    assert set(Notification.objects.values_list("entry_id", "actor")) == {(entry.pk, "user:ben")}


@pytest.mark.parametrize("name", ["gregor", "nobody", "ghost"])
def test_other_names_are_refused_with_a_sentence_and_nothing_is_written(
    in_acme: Tenant, globex: Tenant, name: str
) -> None:
    """gregor is a member of another tenant, ghost's account is off."""
    make_member(globex, "gregor")
    make_member(in_acme, "ghost", is_active=False)
    record = make_exception()
    with pytest.raises(Unprocessable) as refused:
        services.comment_on_exception(exception_id=record.pk, text=f"@{name} look", **BEN)
    assert f"“@{name}” is no member of this team" in refused.value.errors["text"][0]
    assert (kinds(record), rows()) == (["opened"], [])


def test_who_has_left_is_told_nothing(in_acme: Tenant) -> None:
    anna = make_member(in_acme, "anna")
    Membership.objects.filter(user=anna).delete()
    assert notify([Notice(user_id=anna.pk, matter="mentioned", subject="entry:1")], now=NOW) == 0


def test_assigning_tells_the_new_assignee_and_nobody_of_their_own_act(in_acme: Tenant) -> None:
    anna, ben = make_member(in_acme, "anna"), make_member(in_acme, "ben")
    record = make_exception()
    services.take_exception(exception_id=record.pk, assignee_id=ben.pk, name="ben", **BEN)
    assert rows() == []
    services.assign_exception(exception_id=record.pk, assignee_id=anna.pk, name="anna", **BEN)
    assert rows() == [(anna.pk, "assigned", "email"), (anna.pk, "assigned", "page")]
    with pytest.raises(ImpossibleChange):
        services.assign_exception(exception_id=record.pk, assignee_id=anna.pk, name="anna", **BEN)
    services.assign_exception(exception_id=record.pk, assignee_id=None, name="", **BEN)
    assert len(rows()) == 2


def test_a_refused_comment_over_the_api_changes_nothing(acme: Tenant) -> None:
    with schema_context("acme"):
        record = make_exception()
    client = program("acme", "read", "operate")
    for path, body in (
        (f"/api/exceptions/{record.pk}/comment", {"text": "@who"}),
        ("/api/exceptions/bulk", {"action": "comment", "filter": {}, "text": "@who"}),
    ):
        answer = client.generic("POST", path, json.dumps(body), content_type="application/json")
        assert answer.status_code == 422
        assert "“@who”" in answer.json()["errors"]["text"][0]
    with schema_context("acme"):
        assert kinds(record) == ["opened"]


def comment(client: Client, record: ExceptionRecord, text: str, **headers: str) -> Any:
    return client.post(f"/exceptions/{record.pk}/comment/", {"text": text}, headers={"HX-Request": "true", **headers})


def test_page_says_beside_the_field_what_is_wrong(acme: Tenant) -> None:
    with schema_context("acme"):
        record = make_exception()
    desk = signed_in(acme, make_member(acme))
    answer = comment(desk, record, "@who", **{"HX-Target": "comment-trouble"})
    assert answer.status_code == 422
    assert "“@who” is no member" in answer.content.decode()
    assert "<form" not in answer.content.decode()
    assert "<form" in comment(desk, record, "@who").content.decode()


def test_names_offered_are_of_this_team(acme: Tenant, globex: Tenant) -> None:
    desk = signed_in(acme, make_member(acme, "maria"))
    make_member(acme, "ben", first_name="Martin")
    make_member(acme, "carl")
    make_member(globex, "mario")
    people = desk.get("/inbox/people/?q=mar").json()["people"]
    assert [person["name"] for person in people] == ["ben", "maria"]
    assert len(desk.get("/inbox/people/?q=").json()["people"]) == 3
    assert Client(headers={"Host": "acme.localhost"}).get("/inbox/people/").status_code == 302


def test_two_who_tell_the_same_at_once_tell_it_once(committed: None) -> None:
    acme = Tenant.objects.get(slug="acme")
    people: list[User] = [make_member(acme, name) for name in ("anna", "ben", "carl")]
    barrier = threading.Barrier(3)

    def tell(order: int) -> None:
        try:
            with schema_context("acme"):
                notices = [Notice(user_id=user.pk, matter="assigned", subject="entry:7") for user in people]
                barrier.wait(10)
                notify(notices[::order], now=NOW)
        finally:
            connection.close()

    threads = [threading.Thread(target=tell, args=(order,)) for order in (1, -1, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with schema_context("acme"):
        assert len(rows()) == 6


def test_viewer_may_not_comment_but_is_told(acme: Tenant) -> None:
    with schema_context("acme"):
        record = make_exception()
    vera = make_member(acme, "vera", role=Role.VIEWER)
    assert comment(signed_in(acme, vera), record, "@vera").status_code == 403
    assert comment(signed_in(acme, make_member(acme, "ben")), record, "@vera").status_code == 204
    with schema_context("acme"):
        assert rows() == [(vera.pk, "mentioned", "email"), (vera.pk, "mentioned", "page")]


def test_only_this_tenants_pages_get_the_hint(
    in_acme: Tenant, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    touched: list[str] = []
    monkeypatch.setattr(pulse, "touch", touched.append)
    make_member(in_acme, "anna")
    record = make_exception()
    with django_capture_on_commit_callbacks(execute=True):
        services.comment_on_exception(exception_id=record.pk, text="@anna", **BEN)
    assert touched == ["acme"]
