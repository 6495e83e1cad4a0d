"""Simulations as rows: chunk by chunk, resumed, cancelled, given up; nothing but them written; put in force once."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django_tenants.utils import schema_context

from e2a.errors import Conflict
from orders.models import Order
from orders.simulator import runs
from orders.simulator.models import SimulationCrossing, SimulationRun
from orders.simulator.runs import (
    InForceAlready,
    LostRun,
    NotDone,
    NotRunning,
    StillRunning,
    advance,
    cancel_run,
    lease,
    put_in_force,
    start_run,
    waiting_runs,
    work_on_run,
)
from orders.simulator.tallies import effects_of, rows_of
from orders.tasks import run_one_simulation
from tenants.models import PolicyDraft, SlaPolicy, Tenant
from tenants.policy import PolicyError
from tenants.services.drafts import begin_draft, change_draft
from tests.orders.equal_state import versions
from tests.orders.simulator.cast import STRICT, asked, past_orders, period


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.simulator.simulation.CHUNK", 2)


def found_of(run: SimulationRun) -> Any:
    return run.orders, run.crossed, run.listed, run.tallies, run.by_rule, list(crossings(run))


def crossings(run: SimulationRun) -> list[tuple[str, str, bool, str, str]]:
    return list(run.crossings.values_list("order_ref", "stage", "late_then", "rule_now", "rule_then"))


def test_run_counts_both_sides_and_lists_who_changes(in_acme: Tenant, small_chunks: None) -> None:
    past_orders(express=3, others=1, slow=2)
    run = work_on_run("acme", asked().pk)
    assert (run.status, run.orders, run.total, run.crossed, run.leased_until) == ("done", 6, 6, 5, None)
    [row] = [each for each in rows_of(run.tallies) if each.stage == "order_fulfillment"]
    assert (row.now.breaches, row.then.breaches, row.breaches_more) == (2, 3, 1)
    assert (row.now.warnings, row.then.warnings, row.then.saved) == (0, 3, 0)
    assert sorted(crossings(run)) == [
        *((f"express-{n}", "order_fulfillment", True, "", "Express") for n in range(3)),
        *((f"slow-{n}", "order_fulfillment", False, "", "Others") for n in range(2)),
    ]
    assert effects_of(run.by_rule) == [
        ("order_fulfillment", "Express", 3, 0),
        ("order_fulfillment", "Others", 0, 2),
    ]


def test_nothing_but_the_run_is_written(in_acme: Tenant) -> None:
    past_orders()
    before, published = versions(), list(SlaPolicy.objects.values_list("pk", "rules"))
    other = {table: count(table) for table in tables() if "simulation" not in table}
    work_on_run("acme", asked().pk)
    assert SimulationCrossing.objects.exists()
    assert versions() == before
    assert {table: count(table) for table in other} == other
    assert list(SlaPolicy.objects.values_list("pk", "rules")) == published


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'acme' ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "acme"."{table}"')
        number: int = cursor.fetchone()[0]
        return number


def test_cut_run_goes_on_where_it_was_and_finds_the_same(in_acme: Tenant, small_chunks: None) -> None:
    past_orders(express=3, others=2, slow=2)
    whole = found_of(work_on_run("acme", asked().pk))
    cut = asked()
    seen = []
    while (state := work_on_run("acme", cut.pk, seconds=0)).status == "running":
        seen.append(state.orders)
        assert state.leased_until is None
    assert seen == [2, 4, 6, 7]
    assert found_of(state) == whole


def test_worker_that_dies_leaves_the_run_to_the_next_one(in_acme: Tenant, small_chunks: None) -> None:
    past_orders()
    run = asked()
    held = lease(run.pk)
    assert held is not None
    assert lease(run.pk) is None  # another worker leaves it alone
    assert work_on_run("acme", run.pk).orders == 0
    advance("acme", held)
    assert waiting_runs() == []
    SimulationRun.objects.update(leased_until=held.asked_at - timedelta(seconds=1))
    assert waiting_runs() == [("acme", run.pk)]
    done = work_on_run("acme", run.pk)
    assert (done.status, done.orders) == ("done", 4)
    with pytest.raises(LostRun):
        advance("acme", held)  # the first one wakes up again
    assert found_of(SimulationRun.objects.get()) == found_of(done)


def test_run_that_breaks_off_at_one_place_is_given_up(in_acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    past_orders()
    run = asked()

    def broken(*given: Any, **words: Any) -> Any:
        raise OSError("no more memory")

    with monkeypatch.context() as patched:
        patched.setattr(runs, "next_orders", broken)
        for _ in range(3):
            with pytest.raises(OSError, match="memory"):
                work_on_run("acme", run.pk)
        assert work_on_run("acme", run.pk).status == "failed"
    state = SimulationRun.objects.get()
    assert "broke off 3 times after 0 orders" in state.trouble
    assert waiting_runs() == []
    assert asked().pk != run.pk  # a new one may begin


def test_cancelled_run_stops_and_keeps_what_it_found(in_acme: Tenant, small_chunks: None) -> None:
    past_orders(express=3)
    run = asked()
    work_on_run("acme", run.pk, seconds=0)
    held = lease(run.pk)
    cancel_run(run.pk)
    assert held is not None
    with pytest.raises(LostRun):
        advance("acme", held)
    state = work_on_run("acme", run.pk)
    assert (state.status, state.orders) == ("cancelled", 2)
    with pytest.raises(NotRunning):
        cancel_run(run.pk)


def test_one_at_a_time(in_acme: Tenant) -> None:
    first = asked()
    with pytest.raises(StillRunning):
        asked()
    assert list(SimulationRun.objects.all()) == [first]


def test_bad_policy_begins_nothing(in_acme: Tenant) -> None:
    with pytest.raises(PolicyError, match=r"rules"):
        asked({"rules": []})
    assert not SimulationRun.objects.exists()


def test_last_twenty_are_kept(in_acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "KEPT", 3)
    past_orders()
    made = []
    for _ in range(5):
        made.append(asked().pk)
        work_on_run("acme", made[-1])
    assert sorted(SimulationRun.objects.values_list("pk", flat=True)) == made[-3:]
    assert set(SimulationCrossing.objects.values_list("run", flat=True)) == set(made[-3:])


def test_long_list_is_counted_whole(in_acme: Tenant, monkeypatch: pytest.MonkeyPatch, small_chunks: None) -> None:
    monkeypatch.setattr(runs, "MOST_LISTED", 3)
    past_orders(express=5, others=0, slow=0)
    run = work_on_run("acme", asked().pk)
    assert (run.crossed, run.listed, run.crossings.count()) == (5, 3, 3)


def test_order_that_cannot_be_judged_counts_as_failed(in_acme: Tenant) -> None:
    past_orders(express=1, others=1, slow=0)
    with connection.cursor() as cursor:
        cursor.execute("""UPDATE orders_event SET detail = '{"promise": "no time"}' WHERE event_id = 'c-other-0'""")
    run = work_on_run("acme", asked().pk)
    assert (run.status, run.orders, run.failed, run.crossed) == ("done", 2, 1, 1)


def test_another_tenants_orders_are_not_read(in_acme: Tenant, globex: Tenant) -> None:
    past_orders(express=1, others=0, slow=0)
    with schema_context(globex.schema_name):
        assert work_on_run("globex", asked().pk).orders == 0
        past_orders(express=0, others=3, slow=0, schema="globex")
    assert work_on_run("acme", asked().pk).orders == 1
    assert not SimulationRun.objects.filter(orders=3).exists()


def test_task_works_on_it_and_refuses_an_unknown_schema(in_acme: Tenant) -> None:
    past_orders()
    run = asked()
    assert run_one_simulation("acme", run.pk, later=True) == "done"
    with pytest.raises(ValueError, match="no active tenant"):
        run_one_simulation("nobody", run.pk)


def done_run(**words: Any) -> SimulationRun:
    return work_on_run("acme", asked(**words).pk)


def test_what_was_tried_is_put_in_force_once(in_acme: Tenant) -> None:
    past_orders()
    run, before = done_run(), versions()
    start = run.asked_at + timedelta(days=2)
    policy = put_in_force(tenant=in_acme, pk=run.pk, starts_at=start, note="as tried", by="maria")
    assert (policy.version, policy.rules, policy.valid_from, policy.created_by) == (2, STRICT, start, "maria")
    with pytest.raises(InForceAlready):
        put_in_force(tenant=in_acme, pk=run.pk)
    assert SlaPolicy.objects.filter(tenant=in_acme).count() == 2
    assert versions() == before
    assert Order.objects.filter(policy_id=policy.pk).count() == 0


def test_past_start_and_unfinished_run_are_refused(in_acme: Tenant) -> None:
    past_orders()
    run = done_run()
    with pytest.raises(ValidationError, match="now or later"):
        put_in_force(tenant=in_acme, pk=run.pk, starts_at=run.asked_at - timedelta(hours=1))
    waiting = asked()
    for wrong in (NotDone, Conflict):
        with pytest.raises(wrong):
            put_in_force(tenant=in_acme, pk=waiting.pk)
    assert SlaPolicy.objects.filter(tenant=in_acme).count() == 1
    assert not SimulationRun.objects.exclude(published_version=None).exists()


def test_draft_is_gone_once_it_is_in_force_unless_it_was_changed(in_acme: Tenant) -> None:
    begin_draft(tenant=in_acme, by="maria")
    draft = PolicyDraft.objects.get()
    change_draft(tenant=in_acme, revision=draft.revision, rules=STRICT, by="maria")
    revision = draft.revision + 1
    stale, fresh = done_run(draft_revision=revision - 1), done_run(draft_revision=revision)
    put_in_force(tenant=in_acme, pk=stale.pk)
    assert PolicyDraft.objects.filter(tenant=in_acme).exists()
    put_in_force(tenant=in_acme, pk=fresh.pk)
    assert not PolicyDraft.objects.filter(tenant=in_acme).exists()


def test_period_bounds_the_orders(in_acme: Tenant) -> None:
    past_orders()
    now = period()["end"]
    assert work_on_run("acme", asked(start=now - timedelta(days=2)).pk).orders == 0
    run = start_run(title="x", rules=STRICT, start=now - timedelta(days=4), end=now - timedelta(days=2), by="maria")
    assert work_on_run("acme", run.pk).orders == 4
