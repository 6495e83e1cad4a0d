"""Calls that nobody answered for: looked up, not repeated; and nothing that cannot be undone is ever done twice."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from django.db import IntegrityError, connection, transaction
from django_tenants.utils import schema_context

from exceptions.playbooks.decisions import run_action
from exceptions.playbooks.models import Attempt
from exceptions.playbooks.words import State
from tenants.models import Tenant, WebhookSource
from tests.exceptions.cast import kinds
from tests.exceptions.playbooks.cast import (
    MAX,
    RELEASE,
    TAG,
    Team,
    exception_of,
    only,
    playbook,
    shop_at,
    source_of,
    states,
    step,
)
from tests.shopify_mock.acting_cast import TOKEN
from tests.shopify_mock.receiver import serving

CANCEL = {"reason": "INVENTORY"}


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def team(in_acme: Tenant, tmp_path: Path) -> Team:
    source_of(in_acme)
    return Team(in_acme, shop_at(tmp_path))


def break_line(asked: str) -> None:
    if asked not in ("order", "job"):
        raise httpx.ReadTimeout("no answer")


def cancel(team: Team, order: dict[str, Any]) -> Any:
    return begin(team, order, "shopify_cancel", CANCEL)


def begin(team: Team, order: dict[str, Any], kind: str, parameters: dict[str, Any]) -> Any:
    record = exception_of(order, "INVENTORY_SHORTAGE")
    run_action(exception_id=record.pk, kind=kind, parameters=parameters, by=MAX, now=team.clock())
    return record


def test_a_cancelling_without_an_answer_is_looked_up_and_found_done(team: Team) -> None:
    record = cancel(team, team.shop.open())
    team.shop.after = break_line
    team.round()
    attempt = only(record)
    assert (attempt.state, team.shop.mutations()) == ("unknown", ["orderCancel"])
    assert kinds(record)[-1] == "action_unknown"
    team.shop.after = lambda asked: None
    finish_jobs(team)
    team.clock.go(seconds=11)
    team.round()
    attempt.refresh_from_db()
    assert (attempt.state, attempt.outcome) == ("done", "No answer came, but the order shows that it was done.")
    assert team.shop.mutations() == ["orderCancel"]


def finish_jobs(team: Team) -> None:
    with team.shop.desk.store.writing() as database:
        database.execute("UPDATE happening SET at = unixepoch() WHERE kind IN ('cancelled', 'refunded')")


def test_a_cancelling_that_left_no_trace_is_not_done_again_but_shown_to_a_person(team: Team) -> None:
    record = cancel(team, team.shop.open())
    team.shop.before = break_line
    team.round()
    team.shop.before = lambda asked: None
    for _ in range(15):
        team.clock.go(seconds=11)
        team.round()
    attempt = only(record)
    assert attempt.state == "failed"
    assert attempt.outcome.startswith("No answer came, and the order shows no trace of it. It cannot be undone")
    record.refresh_from_db()
    assert record.resolution_blocked and record.resolution_blocked_reason == attempt.outcome
    assert team.shop.mutations() == ["orderCancel"]


def test_a_look_is_patient_while_the_call_may_still_be_under_way(team: Team) -> None:
    record = cancel(team, team.shop.open())
    team.shop.before = break_line
    team.round()
    team.shop.before = lambda asked: None
    team.clock.go(seconds=60)
    team.round()
    assert only(record).state == "unknown"


def test_a_release_that_left_no_trace_is_done_again_with_the_same_key(team: Team) -> None:
    record = exception_of(team.shop.held("INCORRECT_ADDRESS"))
    playbook(team.tenant, RELEASE)
    team.shop.before = break_line
    team.round()
    key = only(record).key
    team.shop.before = lambda asked: None
    team.clock.go(minutes=3)
    team.round()
    assert (only(record).state, only(record).key) == ("expecting", key)
    record.refresh_from_db()
    assert record.resolution_attempts == 1


def test_a_mail_that_the_shop_may_have_sent_is_not_asked_for_again(team: Team) -> None:
    order = team.shop.find(lambda order, routed: bool(order["fulfillments"]) and not order["cancelled_at"])
    record = exception_of(order, "DELIVERY_FAILED")
    playbook(team.tenant, step("shopify_tracking"), reason="DELIVERY_FAILED")
    team.shop.after = break_line
    team.round()
    calls = len(team.shop.mutations())
    team.shop.after = lambda asked: None
    team.clock.go(minutes=3)
    team.round()
    assert (only(record).state, len(team.shop.mutations())) == ("uncertain", calls)


def test_a_shop_that_cannot_be_read_is_looked_at_again_later(team: Team) -> None:
    record = cancel(team, team.shop.open())
    team.shop.after = break_line
    team.round()
    WebhookSource.objects.update(api_url="")
    team.clock.go(seconds=11)
    team.round()
    assert only(record).state == "unknown"


@pytest.mark.parametrize(("lost", "found"), [(State.CLAIMED, 1), (State.SENT, 0)])
def test_a_worker_that_died_leaves_a_claim_free_and_what_was_sent_unknown(team: Team, lost: State, found: int) -> None:
    record = exception_of(team.shop.open())
    playbook(team.tenant, TAG | {"delay_minutes": 60})
    team.round()
    Attempt.objects.update(state=lost, due_at=team.clock(), tries=1, sent_at=team.clock())
    team.clock.go(seconds=1)
    team.round()
    assert len(team.shop.mutations()) == found
    assert only(record).state == ("done" if found else "unknown")


def test_two_of_the_same_that_cannot_be_undone_cannot_even_be_written_down(team: Team) -> None:
    record = cancel(team, team.shop.open())
    known = only(record)
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(
            exception=record, order=record.order, kind="shopify_cancel", mode="approve", irreversible=True, actor="user:x",
            state="awaiting",
        )  # fmt: skip
    assert only(record) == known


WORKER = """
import os, sys, time, django
django.setup()
from django_tenants.utils import schema_context
from exceptions.playbooks.channels.calls import Tools
from exceptions.playbooks.executor import Desk
from exceptions.playbooks.working import work_round
from tenants.models import Tenant
with schema_context("acme"):
    work_round(Desk(Tenant.objects.get(slug="acme"), Tools(sleep=time.sleep)))
"""


def work_in_a_process(crash_at: str) -> int:
    """The exit of a worker that is killed at this point."""
    name = connection.settings_dict["NAME"]
    base, _, query = os.environ["DATABASE_URL"].partition("?")
    url = base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
    environ = {**os.environ, "CRASH_AT": crash_at, "DATABASE_URL": url}
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(WORKER)], env=environ, check=False, timeout=60)
    return done.returncode


ONCE = {"action_prepared": ("done", 1), "action_noted": ("failed", 0), "action_answered": ("done", 1)}


@pytest.mark.parametrize("crash_at", ["action_prepared", "action_noted", "action_answered"])
@pytest.mark.parametrize(
    ("kind", "parameters", "operation"),
    [("shopify_cancel", CANCEL, "orderCancel"), ("shopify_refund", {"amount_cents": 100}, "refundCreate")],
    ids=["cancel", "refund"],
)
def test_a_worker_killed_around_the_call_does_it_once_or_not_at_all(
    committed: None, tmp_path: Path, kind: str, parameters: dict[str, Any], operation: str, crash_at: str
) -> None:
    tenant = Tenant.objects.get(slug="acme")
    shop = shop_at(tmp_path)
    with serving(shop.desk) as client, schema_context("acme"):
        source = source_of(tenant)
        url = f"http://{client.base_url.host}:{client.base_url.port}/admin/api/2026-10"
        WebhookSource.objects.filter(pk=source.pk).update(api_url=url, api_token=TOKEN["X-Shopify-Access-Token"])
        team = Team(tenant, shop)
        record = begin(team, shop.open(), kind, parameters)
        assert work_in_a_process(crash_at) == -signal.SIGKILL

        def made() -> list[str | None]:
            rows = shop.desk.store.rows(f"SELECT key FROM act WHERE operation = '{operation}'")
            return [row["key"] for row in rows]

        assert len(made()) == (1 if crash_at == "action_answered" else 0)
        finish_jobs(team)
        for _ in range(5):
            team.clock.go(minutes=4)
            team.round()
        state, times = ONCE[crash_at]
        assert (only(record).state, len(made())) == (state, times)
        if kind == "shopify_refund":
            assert made() == [only(record).key.hex] * times
        assert states(record) == [(kind, state)]
