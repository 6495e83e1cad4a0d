"""A rule that stops the clocks while an order's address is unclear: from the door to the page, and against naive minutes."""

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from e2a.postgresql.raw import database_now, raw_connection
from orders import radar
from orders.ingest import ingest
from orders.pauses import counting_pauses
from tenants.models import Role, SlaPolicy, Tenant
from tenants.policy_rules import Pausing
from tests.orders.door_cast import event, rows
from tests.orders.sla_cast import T0, at, fact
from tests.orders.test_door_properties import read
from tests.programs import program
from tests.tenants.cast import make_member, signed_in

RULES = {
    "rules": [
        {"name": "All", "targets": {"order_fulfillment": {"minutes": 60}}, "pauses": {"problems": ["ADDRESS_INVALID"]}}
    ]
}
STAGE = "SELECT state, due_at, breached FROM {s}.orders_stage WHERE name = 'order_fulfillment'"
LATE = "SELECT verdict, opened_at FROM {s}.exceptions_record WHERE reason_code = 'FULFILLMENT_DELAY'"


@pytest.fixture
def begun(acme: Tenant) -> datetime:
    """When order 1 is created: now, and what follows is put and looked at in the hours to come."""
    now = database_now(raw_connection()).replace(second=0, microsecond=0)
    SlaPolicy.objects.create(tenant=acme, version=2, valid_from=now - timedelta(days=90), rules=RULES)
    return now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """A round of the radar at that instant."""

    def round_at(moment: datetime) -> None:
        monkeypatch.setattr(radar, "database_now", lambda _: moment)
        radar.run_round()

    return round_at


def put(moment: datetime, kind: str, source: str = "wms") -> None:
    body = event(kind, event_type=kind, order_id="1", source=source, occurred_at=moment.isoformat())
    ingest("acme", read([json.dumps(body).encode()], moment), now=moment)


def page_of(client: Client) -> str:
    (number,) = rows("SELECT id FROM {s}.orders_order")[0]
    return client.get(f"/orders/{number}/").content.decode()


def told(api: Client) -> dict[str, Any]:
    stages = api.get("/api/orders/1/explanation").json()["stages"]
    return next(each for each in stages if each["stage"] == "order_fulfillment")


@pytest.mark.usefixtures("in_acme")
def test_an_unclear_address_stops_the_clock_from_the_door_to_the_page(
    acme: Tenant, begun: datetime, clock: Callable[[datetime], None]
) -> None:
    def minute(number: int) -> datetime:
        return begun + timedelta(minutes=number)

    desk = signed_in(acme, make_member(acme, role=Role.OPERATOR))
    put(minute(0), "order_created", "shop")
    put(minute(20), "address_invalid")
    for number in (59, 61, 120, 139):  # long past the hour, and never late while it is paused
        clock(minute(number))
        assert rows(STAGE) == [("RUNNING", None, False)]
        assert rows(LATE) == []
    api = program("acme", "read")
    paused = told(api)
    assert paused["due_at"] is None
    assert [(each["kind"], each["reason"], each["actor"]) for each in paused["segments"]][-1] == (
        "paused",
        "ADDRESS_INVALID",
        "wms",
    )
    page = page_of(desk)
    assert "Paused by wms: address unclear" in page
    assert "Handover to the carrier: paused (address unclear), so the contract&#x27;s clock stands" in page

    put(minute(140), "address_corrected")
    assert rows(STAGE) == [("RUNNING", minute(180), False)]
    clock(minute(180))
    assert rows(LATE) == []
    clock(minute(181))
    assert (rows(STAGE), rows(LATE)) == ([("RUNNING", minute(180), True)], [("active", minute(180))])
    pieces = [(each["kind"], each["reason"], each["seconds"]) for each in told(api)["segments"]]
    assert pieces == [("counted", "", 1200.0), ("paused", "ADDRESS_INVALID", 7200.0), ("counted", "", 2400.0)]
    assert "moves it by 2 h" in page_of(desk)


KINDS = ["address_invalid", "address_invalid", "address_corrected", "order_delivered", "order_held", "order_released"]
SPAN = 300
Said = tuple[str, int, dict[str, Any]]


def random_course(dice: random.Random) -> list[Said]:
    """Each hold has an id of its own; what is released is one that is open, or none."""
    said: list[Said] = []
    open_holds: list[str] = []
    for minute in sorted(dice.sample(range(SPAN), dice.randrange(1, 9))):
        kind, detail = dice.choice(KINDS), {}
        if kind == "order_held":
            open_holds.append(f"h{minute}")
            detail = {"hold_id": f"h{minute}"}
        if kind == "order_released":
            detail = {"hold_id": open_holds.pop() if open_holds else "none"}
        said.append((kind, minute, detail))
    return said


def marked_minutes(said: list[Said]) -> set[int]:
    """A minute is paused while a hold is open, or the last word on the address is that it is unclear."""
    by_minute = {minute: (kind, detail) for kind, minute, detail in said}
    marked: set[int] = set()
    unclear, held = False, set[str]()
    for minute in range(SPAN):
        match by_minute.get(minute):
            case ("address_invalid", _):
                unclear = True
            case ("address_corrected" | "order_delivered", _):
                unclear = False
            case ("order_held", detail):
                held.add(detail["hold_id"])
            case ("order_released", detail):
                held.discard(detail["hold_id"])
        if unclear or held:
            marked.add(minute)
    return marked


def minutes_of(since: datetime, until: datetime | None) -> range:
    begin, end = ((moment - T0) // timedelta(minutes=1) for moment in (since, until or at(SPAN)))
    return range(begin, end)


def test_pauses_by_rule_and_holds_are_what_marking_minutes_gives() -> None:
    for seed in range(1_500):
        dice = random.Random(seed)
        said = random_course(dice)
        facts = [fact(kind, minute, id=f"e{minute}", **detail) for kind, minute, detail in said]
        dice.shuffle(facts)
        pauses = counting_pauses(facts, Pausing(problems=("ADDRESS_INVALID",)))
        found = {minute for pause in pauses for minute in minutes_of(pause.since, pause.until)}
        assert found == marked_minutes(said), (seed, said)
