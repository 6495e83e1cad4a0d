"""Handing over: once, together, after quiet hours, to members only; and what the messages say."""

import json
import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any

import httpx
import pytest
from django.core import mail
from django.db import connection
from django_tenants.utils import schema_context

from exceptions.deliveries.sender import Ways, send_due
from exceptions.models import Delivery, ExceptionRecord, Notification, Preference
from exceptions.notifications.handing import hand_over
from exceptions.notifications.services import Notice, notify
from exceptions.notifications.tidying import tidy_notifications
from exceptions.notifications.words import Matter, Way
from exceptions.people_round import people_round, schemas_with_people_waiting
from exceptions.tasks import serve_people
from tenants.models import Membership, Tenant, User
from tests.exceptions.cast import NOW, make_exception
from tests.exceptions.notifications.cast import make_target, tell
from tests.tenants.cast import make_member

NIGHT = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


def prefer(user: User, *chosen: str, **columns: Any) -> None:
    Preference.objects.create(user_id=user.pk, chosen=list(chosen), timezone="UTC", saved_at=NOW, **columns)


@pytest.fixture
def anna(in_acme: Tenant) -> User:
    return make_member(in_acme, "anna")


def test_one_matter_becomes_one_mail_with_a_link_on_the_tenants_host(in_acme: Tenant, anna: User) -> None:
    tell(anna, "A-1")
    assert hand_over(in_acme, now=NOW) == 1
    assert hand_over(in_acme, now=NOW) == 0
    assert send_due("acme", now=lambda: NOW) == 1
    (letter,) = mail.outbox
    record = ExceptionRecord.objects.get()
    assert letter.to == ["anna@example.com"]
    assert letter.subject == "[Acme] Assigned to you: Handover to the carrier late, order A-1"
    assert f"http://acme.localhost:8000/exceptions/{record.pk}/" in letter.body
    assert "http://acme.localhost:8000/inbox/settings/" in letter.body
    row = Delivery.objects.get()
    assert (row.state, row.user_id, row.recipient, row.content) == ("delivered", anna.pk, "", "")
    assert Notification.objects.get(way="email").delivery_id == row.pk


def test_what_is_due_together_is_one_message(in_acme: Tenant, anna: User) -> None:
    tell(anna, *(f"A-{number:02}" for number in range(60)))
    assert hand_over(in_acme, now=NOW) == 1
    send_due("acme", now=lambda: NOW)
    (letter,) = mail.outbox
    assert letter.subject == "[Acme] 60 notifications"
    assert "order A-49" in letter.body
    assert "order A-50" not in letter.body
    assert "and 10 more: http://acme.localhost:8000/inbox/" in letter.body
    assert Notification.objects.filter(way="email", delivery=None).count() == 0


def test_quiet_hours_hold_mails_back_and_not_the_page(in_acme: Tenant, anna: User) -> None:
    prefer(anna, "assigned:page", "assigned:email", quiet_from=time(22), quiet_until=time(7))
    tell(anna, "A-1")
    assert hand_over(in_acme, now=NIGHT) == 0
    tell(anna, "A-2")
    assert hand_over(in_acme, now=NIGHT + timedelta(hours=3)) == 0
    assert Notification.objects.filter(way="page", read_at=None).count() == 2
    assert set(Notification.objects.filter(way="email").values_list("due_at", flat=True)) == {MORNING}
    assert schemas_with_people_waiting(MORNING - timedelta(seconds=1)) == []
    assert schemas_with_people_waiting(MORNING) == ["acme"]
    assert hand_over(in_acme, now=MORNING) == 1
    send_due("acme", now=lambda: MORNING)
    assert [letter.subject for letter in mail.outbox] == ["[Acme] 2 notifications"]


@pytest.mark.parametrize("always", [False, True])
def test_escalations_pass_quiet_hours_for_who_wants_it(in_acme: Tenant, anna: User, always: bool) -> None:
    quiet = {"quiet_from": time(22), "quiet_until": time(7), "escalations_always": always}
    prefer(anna, "assigned:email", "escalated:email", **quiet)
    tell(anna, "A-1")
    notify([Notice(user_id=anna.pk, matter="escalated", subject="entry:1", text="Escalated to you")], now=NOW)
    assert hand_over(in_acme, now=NIGHT) == int(always)
    waiting = Notification.objects.filter(due_at=MORNING).values_list("matter", flat=True)
    assert sorted(waiting) == (["assigned"] if always else ["assigned", "escalated"])
    assert hand_over(in_acme, now=MORNING) == 1


def test_who_leaves_before_it_is_handed_over_gets_nothing(in_acme: Tenant, anna: User) -> None:
    tell(anna, "A-1")
    Membership.objects.filter(user=anna).delete()
    assert hand_over(in_acme, now=NOW) == 0
    row = Notification.objects.get(way="email")
    assert (row.due_at, row.dropped, row.delivery_id) == (None, "Has left the team.", None)


def test_who_leaves_before_it_is_sent_gets_nothing(in_acme: Tenant, anna: User) -> None:
    tell(anna, "A-1")
    hand_over(in_acme, now=NOW)
    User.objects.filter(pk=anna.pk).update(is_active=False)
    send_due("acme", now=lambda: NOW)
    row = Delivery.objects.get()
    assert (mail.outbox, row.state) == ([], "failed")
    assert row.log[0]["answer"] == "The person has left the team."


def test_slack_and_webhook_go_to_the_chosen_targets(in_acme: Tenant, anna: User) -> None:
    make_target(in_acme, "slack", "anna-slack")
    make_target(in_acme, "webhook", "anna-hook")
    prefer(anna, "assigned:slack", "assigned:webhook", slack_target="anna-slack", webhook_target="anna-hook")
    tell(anna, "<A-1>")
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return httpx.Response(200, text="ok")

    assert hand_over(in_acme, now=NOW) == 2
    send_due("acme", ways=Ways(transport=httpx.MockTransport(answer)), now=lambda: NOW)
    slack, hook = sorted(seen, key=lambda body: "data" in body)
    assert slack["text"].startswith("For anna:\nAssigned to you: Handover to the carrier late, order &lt;A-1&gt; http")
    (told,) = hook["data"]["notifications"]
    assert (hook["type"], hook["data"]["member"]) == ("notification", "anna")
    assert (told["matter"], told["order_id"], told["reason_code"]) == ("assigned", "<A-1>", "FULFILLMENT_DELAY")


@pytest.mark.parametrize("matter", Matter.values)
def test_every_matter_reaches_a_person_by_every_way_once(in_acme: Tenant, anna: User, matter: str) -> None:
    """The bell, a mail, a post to Slack and a signed webhook; a second look and a second worker send nothing again."""
    make_target(in_acme, "slack", "anna-slack")
    make_target(in_acme, "webhook", "anna-hook")
    ways = [f"{matter}:{way}" for way in Way.values if way != Way.PAGE]
    prefer(anna, f"{matter}:page", *ways, slack_target="anna-slack", webhook_target="anna-hook")
    record = make_exception("A-1")
    wanted = {"exception_id": record.pk} if matter != Matter.DIGEST else {}
    what = "order A-1" if wanted else "so it is"
    notify([Notice(user_id=anna.pk, matter=matter, subject="once", text="so it is", **wanted)], now=NOW)
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, text="ok")

    for _ in range(2):
        hand_over(in_acme, now=NOW)
        send_due("acme", ways=Ways(transport=httpx.MockTransport(answer)), now=lambda: NOW)
    assert sorted(Notification.objects.values_list("way", flat=True)) == sorted(Way.values)
    (letter,) = mail.outbox
    slack, hook = sorted((json.loads(request.content) for request in sent), key=lambda body: "data" in body)
    assert letter.to == ["anna@example.com"] and what in letter.body
    assert what in slack["text"]
    assert [told["matter"] for told in hook["data"]["notifications"]] == [matter]
    assert sum("webhook-signature" in request.headers for request in sent) == 1
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_way_whose_target_was_taken_away_is_dropped_with_why(in_acme: Tenant, anna: User) -> None:
    prefer(anna, "assigned:slack")
    tell(anna, "A-1")
    assert hand_over(in_acme, now=NOW) == 0
    assert Notification.objects.get().dropped.startswith("No target")


def test_private_addresses_are_not_called(in_acme: Tenant, anna: User, settings: Any) -> None:
    """The guard is the one of all outgoing calls; this only shows that it stands in this way too."""
    settings.E2A_ALLOW_PRIVATE_OUTGOING = False
    target = make_target(in_acme, "slack", "inside")
    target.address = "https://127.0.0.1/x"
    target.save()
    prefer(anna, "assigned:slack", slack_target="inside")
    tell(anna, "A-1")
    hand_over(in_acme, now=NOW)
    send_due("acme", now=lambda: NOW)
    row = Delivery.objects.get()
    assert row.state == "failed"
    assert "private network" in row.log[0]["answer"]


def test_two_workers_hand_over_once(committed: None) -> None:
    acme = Tenant.objects.get(slug="acme")
    anna = make_member(acme, "anna")
    tell(anna, "A-1", "A-2")
    barrier, done = threading.Barrier(2), []

    def work() -> None:
        try:
            with schema_context("acme"):
                barrier.wait(10)
                done.append(people_round(acme, now=NOW).messages)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with schema_context("acme"):
        assert sorted(done) == [0, 1]
        assert Delivery.objects.count() == 1


def test_a_mail_names_no_other_tenants_and_nobody_elses(in_acme: Tenant, globex: Tenant, anna: User) -> None:
    """anna is in both teams: each sends its own mail, with links on its own host."""
    Membership.objects.create(tenant=globex, user=anna)
    tell(anna, "A-1")
    tell(anna, "G-1", schema="globex")
    with schema_context("globex"):
        assert hand_over(globex, now=NOW) == 1
        send_due("globex", now=lambda: NOW)
    (letter,) = mail.outbox
    assert "G-1" in letter.body
    assert "A-1" not in letter.body
    assert "acme" not in letter.body
    assert "http://globex.localhost:8000/exceptions/" in letter.body
    assert Delivery.objects.count() == 0


def test_summary_comes_once_a_day_at_the_persons_hour(in_acme: Tenant, anna: User) -> None:
    eight = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    prefer(anna, "digest:email", digest_due_at=eight)
    tell(anna, "A-1", "A-2")
    assert people_round(in_acme, now=eight - timedelta(seconds=1)).digests == 0
    assert people_round(in_acme, now=eight).digests == 1
    assert people_round(in_acme, now=eight + timedelta(minutes=1)).digests == 0
    row = Notification.objects.get(matter="digest")
    assert row.text.startswith("2 unresolved (0 critical, 2 not acknowledged), 0 of them yours.")
    send_due("acme", now=lambda: eight)
    assert mail.outbox[0].subject.startswith("[Acme] 2 unresolved")
    late = eight + timedelta(days=3, hours=5)  # beat was away for days: one summary, not three
    assert people_round(in_acme, now=late).digests == 1
    assert Preference.objects.get().digest_due_at == datetime(2026, 11, 28, 8, 0, tzinfo=UTC)


def test_task_serves_one_tenant_and_refuses_an_unknown_one(in_acme: Tenant, anna: User) -> None:
    tell(anna, "A-1")
    Notification.objects.filter(way="email").update(due_at=NOW - timedelta(days=400))
    assert serve_people("acme") == 1
    with pytest.raises(ValueError, match="nowhere"):
        serve_people("nowhere")


def test_old_notifications_go_but_for_those_that_wait(in_acme: Tenant, anna: User) -> None:
    tell(anna, "A-1")
    assert tidy_notifications(now=NOW + timedelta(days=89)) == 0
    assert tidy_notifications(now=NOW + timedelta(days=91)) == 1
    assert Notification.objects.get().way == "email"
