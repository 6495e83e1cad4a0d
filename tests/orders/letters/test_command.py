"""`manage.py replay_dlq`."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tenants.models import Tenant
from tests.orders.letters.cast import erp, mend, refused_event, refused_webhook, snapshot, statuses


def run(*args: str) -> str:
    out = StringIO()
    call_command("replay_dlq", *args, stdout=out)
    return out.getvalue()


def result(*args: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(run("acme", "--json", *args).splitlines()[-1])
    return said


def test_dry_run_then_replay_then_nothing(in_acme: Tenant) -> None:
    row = erp(in_acme)
    refused_webhook(1)
    refused_event(occurred_at="soon")
    mend(row)
    before = snapshot()
    dry = result("--dry-run")
    assert snapshot() == before
    assert {key: dry[key] for key in ("dry_run", "matched", "replayed", "stored", "refused", "exceptions_opened")} == {
        "dry_run": True, "matched": 2, "replayed": 1, "stored": 1, "refused": 1, "exceptions_opened": 1,
    }  # fmt: skip
    assert [each["outcome"] for each in dry["letters"]] == ["stored", "refused"]
    text = run("acme", "--dry-run", "--reason", "unmapped")
    assert text.splitlines()[-1] == "1 letters: 1 stored, 1 exceptions opened. Nothing was changed."
    assert result("--reason", "unmapped") | {"tenant": 0} == {
        "tenant": 0, "dry_run": False, "matched": 1, "replayed": 1, "stored": 1, "duplicate": 0, "conflict": 0,
        "refused": 0, "ignored": 0, "met": 0, "released": 0, "exceptions_opened": 1, "exceptions_ended": 0,
        "exceptions_withdrawn": 0, "exceptions_corrected": 0, "exceptions_found_over": 0,
    }  # fmt: skip
    assert statuses() == ["replayed", "waiting"]
    assert run("acme", "--reason", "unmapped").strip() == "0 letters: none waits."


def test_it_shows_how_far_it_is(in_acme: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    refused_event(occurred_at="soon")
    run("acme")
    assert capsys.readouterr().err.splitlines()[-1].startswith("replaying [##############################] 100%")


def test_unknown_tenant(db: None) -> None:
    with pytest.raises(CommandError, match="There is no active tenant “nobody”"):
        run("nobody")
