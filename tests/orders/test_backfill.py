"""`backfill`: all stored first, judged once, nothing twice, whatever the order of the lines."""

import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from e2a import progress
from orders import backfill as backfills
from orders.backfill import backfill
from orders.radar import run_round
from tenants.models import SlaPolicy, Tenant
from tests.orders.door_cast import event, rows, stored_events, stored_letters
from tests.real_data import EVENTS, POLICY, needs_real_data, truth

pytestmark = pytest.mark.django_db


def file_of(*lines: Any) -> io.BytesIO:
    return io.BytesIO(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )


def run(*arguments: Any) -> dict[str, Any]:
    out = io.StringIO()
    call_command("backfill", *map(str, arguments), "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return found


def test_the_command_shows_how_far_it_is(
    acme: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where nobody watches; each chunk a line, since no ten seconds are waited for."""
    monkeypatch.setattr(progress, "LOG_SECONDS", 0)
    monkeypatch.setattr(backfills, "MAX_EVENTS", 4)
    path = tmp_path / "history.ndjson"
    path.write_bytes(file_of(*(event(event_id=f"p{i}", order_id=f"p{i}") for i in range(10))).getvalue())
    assert run("acme", path)["stored"] == 10
    lines = capsys.readouterr().err.splitlines()
    stored = [line for line in lines if line.startswith("storing [")]
    assert len(stored) >= 3 and stored[-1].endswith("100% 10 read, 10 stored, 0 rejected")
    assert lines[-1].startswith("judging [") and lines[-1].endswith("100% 10 orders")


def in_breach() -> dict[str, list[str]]:
    text = """SELECT s.name, json_agg(o.order_id) FROM {s}.orders_stage s JOIN {s}.orders_order o ON o.id = s.order_id
        WHERE s.breached GROUP BY 1"""
    return {name: sorted(orders) for name, orders in rows(text)}


def state() -> list[Any]:
    """Everything that loading again may not touch, row versions included."""
    tables = ("orders_order", "orders_event", "orders_stage", "exceptions_record", "exceptions_timelineentry")
    return [rows(f"SELECT id, xmin::text FROM {{s}}.{table} ORDER BY id") for table in tables]


@pytest.fixture
def olist(acme: Tenant) -> None:
    SlaPolicy.objects.filter(tenant=acme).update(rules=POLICY)


@needs_real_data
@pytest.mark.parametrize("seed", [None, 7])
def test_real_orders_are_found_in_breach_exactly_and_again_nothing_changes(
    olist: None, tmp_path: Path, seed: int | None
) -> None:
    path = EVENTS
    if seed is not None:
        lines = EVENTS.read_bytes().splitlines()
        random.Random(seed).shuffle(lines)
        path = tmp_path / "shuffled.ndjson.gz"
        path.write_bytes(gzip.compress(b"\n".join(lines), 1))
    done = run("acme", path)
    expected = truth()["breaches"]
    assert {**done, "seconds": 0} == {
        "read": 5961,
        "stored": 5961,
        "duplicates": 0,
        "rejected": 0,
        "judged": 1500,
        "breaches": {"delivery": 144, "order_fulfillment": 1180, "payment_processing": 629},
        "seconds": 0,
    }
    assert in_breach() == {stage: sorted(orders) for stage, orders in expected.items()}
    before = state()
    again = run("acme", path)
    assert (again["stored"], again["duplicates"], again["judged"], again["breaches"]) == (0, 5961, 0, done["breaches"])
    assert state() == before
    assert rows("SELECT count(*) FROM {s}.orders_event", "globex") == [(0,)]


def test_bad_lines_are_kept_with_their_number_and_stop_nothing(acme: Tenant) -> None:
    lines = [event(1), b"", b"{", event(2, source=""), b"x" * 300_000, event(3), event(1, order_id="other")]
    done = backfill("acme", file_of(*lines))
    assert (done.read, done.stored, done.duplicates, done.rejected) == (6, 2, 0, 4)
    assert [row[1] for row in stored_events()] == ["evt-1", "evt-3"]
    kept = {letter[4]: (letter[1], len(letter[5]), list(letter[6])) for letter in stored_letters()}
    assert kept.pop(None) == ("conflict", len(json.dumps(lines[-1])), ["event_id"])
    assert kept == {
        3: ("invalid", 1, ["line"]),
        4: ("invalid", len(json.dumps(lines[3])), ["source"]),
        5: ("invalid", 1024, ["line"]),
    }


def test_nothing_opens_that_the_rest_of_the_file_takes_back(acme: Tenant) -> None:
    old = [
        event(1, event_type="order_created", occurred_at="2020-01-01T00:00:00Z"),
        event(2, event_type="payment_confirmed", occurred_at="2020-01-01T00:10:00Z"),
        event(3, event_type="order_fulfilled", occurred_at="2020-01-03T00:00:00Z"),
    ]
    done = backfill("acme", file_of(*old))
    assert done.breaches == {"inventory_check": 1, "order_fulfillment": 1}
    told = rows(
        """SELECT r.reason_code, r.status, r.history, t.kind FROM {s}.exceptions_record r
        JOIN {s}.exceptions_timelineentry t ON t.exception_id = r.id ORDER BY 1"""
    )
    assert told == [(reason, "RESOLVED", True, "resolved") for reason in ("FULFILLMENT_DELAY", "INVENTORY_DELAY")]


@pytest.mark.parametrize("by_radar", [False, True])
def test_cut_off_backfill_is_judged_by_a_rerun_or_by_the_radar(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, by_radar: bool
) -> None:
    late = event(1, event_type="order_created", occurred_at="2020-01-01T00:00:00Z")
    with monkeypatch.context() as patch:
        patch.setattr(backfills, "judge_marked", cut)
        with pytest.raises(InterruptedError):
            backfill("acme", file_of(late))
    assert rows("SELECT count(*) FROM {s}.orders_stage") == [(0,)]
    if by_radar:
        assert run_round().refolded == 1
    else:
        assert backfill("acme", file_of(late)).judged == 1
    assert rows("SELECT count(*) FROM {s}.orders_stage WHERE state = 'RUNNING'") == [(3,)]


def cut(*args: Any) -> None:
    raise InterruptedError


@pytest.mark.parametrize("arguments", [("nobody", "x"), ("acme", "/nowhere/file"), ("acme", "/")])
def test_wrong_arguments_end_in_a_sentence(acme: Tenant, arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=r"no tenant|cannot be read"):
        run(*arguments)


def test_broken_gzip_ends_in_a_sentence_and_keeps_what_was_read(acme: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "cut.ndjson.gz"
    path.write_bytes(gzip.compress(json.dumps(event(1)).encode() * 5000)[:-40])
    with pytest.raises(CommandError, match="run it again"):
        run("acme", path)
