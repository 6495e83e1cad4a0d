"""A worker killed in the middle of a simulation: nothing half written, and the next one goes on to the same result."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from django.db.models.functions import Now
from django_tenants.utils import schema_context

from orders.simulator.models import SimulationRun
from orders.simulator.runs import waiting_runs, work_on_run
from tests.live import ROOT, database_url
from tests.orders.simulator.cast import asked, past_orders

WORKER = """
import django; django.setup()
from orders.tasks import run_one_simulation
run_one_simulation("acme", {pk})
"""


def worker_dies_at(point: str, pk: int) -> None:
    environ = {
        **os.environ,
        "CRASH_AT": point,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "e2a.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", WORKER.format(pk=pk)],
        cwd=ROOT,
        env=environ,
        timeout=60,
        check=False,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-500:]


def found_of(run: SimulationRun) -> Any:
    listed = run.crossings.order_by("pk").values_list("order_ref", "stage", "late_then")
    return run.status, run.orders, run.crossed, run.listed, run.tallies, list(listed)


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(("point", "orders"), [("simulation_judged", 0), ("simulation_written", 4)])
def test_next_worker_goes_on_to_the_same_result(point: str, orders: int) -> None:
    past_orders()
    with schema_context("acme"):
        whole = found_of(work_on_run("acme", asked().pk))
        run = asked()
        worker_dies_at(point, run.pk)
        left = SimulationRun.objects.get(pk=run.pk)
        assert (left.status, left.orders, left.crossings.count()) == ("running", orders, 3 if orders else 0)
        assert waiting_runs() == []  # until its lease is over
        SimulationRun.objects.filter(pk=run.pk).update(leased_until=Now())
        assert waiting_runs() == [("acme", run.pk)]
        assert found_of(work_on_run("acme", run.pk)) == whole
