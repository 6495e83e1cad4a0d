"""Races at the door, with really committed rows on connections of their own."""

import io
import json

import pytest

from e2a.postgresql.raw import database_now, raw_connection
from orders import backfill as backfills
from orders.backfill import BACKFILL_LOCK, backfill
from orders.radar import run_round
from tests.connections import another_connection
from tests.orders.door_cast import event

pytestmark = pytest.mark.usefixtures("committed")


def test_radar_keeps_off_and_a_second_backfill_is_refused_while_one_runs() -> None:
    file = io.BytesIO(json.dumps(event(event_type="order_created", occurred_at="2020-01-01T00:00:00Z")).encode())
    sent = backfills.event_of(backfills.Line(1, file.getvalue(), False), database_now(raw_connection()))
    with another_connection() as other:
        other.execute("SELECT pg_advisory_lock(%s, hashtext('acme'))", [BACKFILL_LOCK])
        with pytest.raises(backfills.Busy):
            backfill("acme", file)
        backfills.store_unjudged("acme", [sent], now=database_now(raw_connection()), history=True)
        assert run_round().refolded == 0
    assert run_round().refolded == 1
    assert backfill("acme", file).duplicates == 1
