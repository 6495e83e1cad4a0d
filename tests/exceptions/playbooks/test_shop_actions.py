"""Each action of the shop through the executor: what is called, what the shop's order is afterwards, what the attempt says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exceptions.playbooks.catalogue import ACTION_KINDS
from exceptions.playbooks.decisions import run_action
from shopify_mock.view import View
from tenants.models import Tenant
from tests.exceptions.playbooks.cast import MAX, Shop, Team, exception_of, only, shop_at, source_of

ADDRESS = {"address1": "Rua Nova 7", "city": "Porto", "zip": "4000-123", "countryCode": "PT"}
Order = dict[str, Any]


def shipped(shop: Shop) -> Order:
    return shop.find(lambda order, routed: bool(order["fulfillments"]) and not order["cancelled_at"])


def elsewhere(shop: Shop, order: Order) -> str:
    """The shop's other location."""
    here = view_of(shop, order).fulfillment_orders[0]["assigned_location_id"]
    return next(place for place in ("70114455601", "70114455602") if place != str(here))


def view_of(shop: Shop, order: Order) -> View:
    moment = shop.graphql.clerk.lives.moment(order["id"], 2**33)
    assert moment is not None
    return moment.found


Find, Given, Holds = Callable[[Shop], Order], Callable[[Shop, Order], dict[str, Any]], Callable[[View], bool]
TABLE: dict[str, tuple[Find, Given, list[str], str, Holds]] = {  # order, parameters, calls, state, what is so then
    "shopify_hold": (
        Shop.open,
        lambda shop, order: {"reason": "OTHER", "note": "checking {order}"},
        ["fulfillmentOrderHold"],
        "done",
        lambda found: [hold["reason"] for hold in found.fulfillment_orders[0]["fulfillment_holds"]] == ["OTHER"],
    ),
    "shopify_release": (
        lambda shop: shop.held("INCORRECT_ADDRESS"),
        lambda shop, order: {"reason": "INCORRECT_ADDRESS"},
        ["fulfillmentOrderReleaseHold"],
        "done",
        lambda found: len(found.fulfillment_orders[0]["released_fulfillment_holds"]) == 1,
    ),
    "shopify_address": (
        lambda shop: shop.held("INCORRECT_ADDRESS"),
        lambda shop, order: {"address": ADDRESS},
        ["orderUpdate"],
        "done",
        lambda found: found.order["shipping_address"]["city"] == "Porto",
    ),
    "shopify_tag": (
        Shop.open,
        lambda shop, order: {"tags": ["late", "e2a"], "note": "We look after it."},
        ["tagsAdd", "orderUpdate"],
        "done",
        lambda found: "late" in found.order["tags"] and found.order["note"].endswith("We look after it."),
    ),
    "shopify_move": (
        Shop.open,
        lambda shop, order: {"location_id": elsewhere(shop, order)},
        ["fulfillmentOrderMove"],
        "done",
        lambda found: bool(found.fulfillment_orders[0]["assigned_location_id"]),
    ),
    "shopify_reschedule": (
        Shop.open,
        lambda shop, order: {"fulfill_at": "2030-01-01T10:00:00Z"},
        [],
        "failed",
        lambda found: True,
    ),
    "shopify_tracking": (
        shipped,
        lambda shop, order: {},
        ["fulfillmentTrackingInfoUpdate"],
        "done",
        lambda found: bool(found.order["fulfillments"][0]["tracking_number"]),
    ),
    "shopify_cancel": (
        Shop.open,
        lambda shop, order: {"reason": "INVENTORY", "note": "no stock"},
        ["orderCancel"],
        "done",
        lambda found: bool(found.order["cancelled_at"]),
    ),
    "shopify_refund": (
        Shop.open,
        lambda shop, order: {"amount_cents": 100},
        ["refundCreate"],
        "done",
        lambda found: found.order["financial_status"] == "partially_refunded",
    ),
}


@pytest.fixture
def team(in_acme: Tenant, tmp_path: Path) -> Team:
    source_of(in_acme)
    return Team(in_acme, shop_at(tmp_path, 80))


def test_every_action_of_the_shop_is_here() -> None:
    assert set(TABLE) == {name for name, kind in ACTION_KINDS.items() if kind.channel == "shopify"}


@pytest.mark.parametrize("kind", TABLE)
def test_it_is_called_once_and_the_shops_order_follows(team: Team, kind: str) -> None:
    find, given, calls, state, holds = TABLE[kind]
    order = find(team.shop)
    before = view_of(team.shop, order)
    record = exception_of(order)
    run_action(exception_id=record.pk, kind=kind, parameters=given(team.shop, order), by=MAX, now=team.clock())
    for _ in range(2):
        team.round()
        team.clock.go(seconds=5)
    attempt = only(record)
    assert (attempt.state, team.shop.mutations()) == (state, calls), attempt.outcome
    after = view_of(team.shop, order)
    assert holds(after) and attempt.outcome.endswith(".")
    if kind == "shopify_move":
        places = [each.fulfillment_orders[0]["assigned_location_id"] for each in (before, after)]
        assert places[0] != places[1]
    if calls:
        assert (
            attempt.request["url"].endswith("/graphql.json")
            and attempt.cost
            and len(attempt.request["calls"]) == len(calls)
        )


@pytest.mark.parametrize("kind", [kind for kind, row in TABLE.items() if row[2]])
def test_what_the_shop_refuses_is_told_in_its_words_and_changes_nothing(team: Team, kind: str) -> None:
    """A refusal comes as `userErrors` with 200."""
    find, given, calls, _, _ = TABLE[kind]
    order = find(team.shop)
    before = view_of(team.shop, order).order
    record = exception_of(order)
    run_action(exception_id=record.pk, kind=kind, parameters=given(team.shop, order), by=MAX, now=team.clock())
    team.shop.desk.change_settings({"act_refuse": 1})
    team.round()
    attempt = only(record)
    assert (attempt.state, team.shop.mutations()) == ("failed", calls[:1])
    assert attempt.outcome.startswith("The shop refuses:") and "was told to refuse this" in attempt.outcome
    assert view_of(team.shop, order).order == before
