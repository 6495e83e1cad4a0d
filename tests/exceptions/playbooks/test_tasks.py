"""The worker's side: sweeps find what is due, unknown tenants are refused, and what is over forgets the person."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django_tenants.utils import schema_context

from exceptions.playbooks import tasks
from exceptions.playbooks.models import Attempt, Playbook
from exceptions.playbooks.tidying import tidy_actions
from exceptions.playbooks.working import work_round
from tenants.models import Tenant
from tenants.outgoing.models import OutgoingTarget
from tests.connections import another_connection
from tests.exceptions.playbooks.cast import TAG, Team, exception_of, only, playbook, shop_at, source_of, step, tell

WAIT = step("wait", expects=["order_packed"], within_minutes=60)


def test_a_sweep_nudges_the_tenants_with_work_and_the_work_is_done(
    in_acme: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudged: list[str] = []
    monkeypatch.setattr(tasks.work_actions, "delay", nudged.append)
    assert tasks.sweep_actions() == 0
    record = exception_of(shop_at(tmp_path, 10).orders()[0])
    playbook(in_acme, WAIT)
    assert (tasks.sweep_actions(future="argument"), nudged) == (1, ["acme"])
    assert tasks.work_actions("acme", future="argument") == 2
    assert only(record).state == "expecting"


@pytest.mark.parametrize("schema", ["nowhere", "public", 'acme"; DROP'])
def test_an_unknown_tenant_is_refused(db: None, schema: str) -> None:
    with pytest.raises(ValueError, match="no active tenant"):
        tasks.work_actions(schema)


def test_one_worker_at_a_time_serves_a_tenant(committed: None, tmp_path: Path) -> None:
    tenant = Tenant.objects.get(slug="acme")
    with schema_context("acme"), another_connection() as other:
        record = exception_of(shop_at(tmp_path, 10).orders()[0])
        playbook(tenant, WAIT)
        team = Team(tenant, shop_at(tmp_path / "b", 10))
        other.execute("SELECT pg_advisory_lock(2071, hashtext('acme'))")
        assert work_round(team.desk()) is None
        assert not Attempt.objects.exists()
        other.execute("SELECT pg_advisory_unlock(2071, hashtext('acme'))")
        team.round()
        assert only(record).state == "expecting"


def test_what_is_long_over_or_erased_keeps_no_address(in_acme: Tenant, tmp_path: Path) -> None:
    source_of(in_acme)
    team = Team(in_acme, shop_at(tmp_path))
    given = {"address": {"address1": "Rua 1", "city": "Porto", "zip": "4", "countryCode": "PT"}}
    records = [exception_of(order) for order in team.shop.orders()[:2]]
    for record in records:
        Attempt.objects.create(
            exception=record, order=record.order, kind="shopify_address", mode="suggest", parameters=given, request=given,
            actor="user:anna", state="done", ended_at=team.clock(),
        )  # fmt: skip
    tell(records[0], "personal_data_redacted")
    assert tidy_actions(now=team.clock()) == 1
    assert (only(records[0]).request, only(records[1]).request) == ({"redacted": True}, given)
    team.clock.go(days=31)
    assert tidy_actions(now=team.clock()) == 1
    assert "Porto" not in str([only(record).parameters for record in records])
    assert tidy_actions(now=team.clock()) == 0


def installed(*more: str) -> None:
    call_command("install_playbooks", "acme", *more)


def test_the_command_installs_playbooks_and_targets_once(acme: Tenant, capsys: Any) -> None:
    shop = "http://127.0.0.1:9"
    given = ("--slack", f"{shop}/slack/x", "--webhook", f"{shop}/hooks/x", "--email", "ops@acme.example")
    installed(*given)
    assert "10 playbooks installed. The webhook is signed with whsec_" in capsys.readouterr().out
    installed(*given)
    assert "0 playbooks installed." in capsys.readouterr().out
    assert sorted(OutgoingTarget.objects.values_list("name", flat=True)) == ["ops-mail", "ops-slack", "ops-webhook"]
    with schema_context("acme"):
        assert Playbook.objects.filter(enabled=True).count() == 10


@pytest.mark.parametrize(
    ("arguments", "sentence"), [(["nowhere"], "no tenant “nowhere”"), (["acme", "--slack", "x"], "begins with https")]
)
def test_the_command_says_what_is_wrong(acme: Tenant, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("install_playbooks", *arguments)


def test_steps_of_a_playbook_that_cannot_be_read_hold_nobody_else_up(in_acme: Tenant, tmp_path: Path) -> None:
    source_of(in_acme)
    team = Team(in_acme, shop_at(tmp_path))
    broken, fine = exception_of(team.shop.open()), exception_of(team.shop.open(), "PAYMENT_DELAY")
    Playbook.objects.create(
        reason_code="ADDRESS_INVALID", version=1, name="old", enabled=True, steps=[{"kind": "dance", "mode": "automatic"}],
        created_by="x",
    )  # fmt: skip
    playbook(in_acme, TAG, reason="PAYMENT_DELAY")
    team.round()
    broken.refresh_from_db()
    assert (broken.resolution_blocked, broken.planned_occurrence) == (True, 1)
    assert only(fine).state == "done"
