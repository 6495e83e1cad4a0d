"""Calls that change an order, and what then becomes of it."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.shopify_mock.acting_cast import (
    CANCEL,
    HOLD,
    ORDER,
    REFUND,
    RELEASE,
    TOKEN,
    UPDATE,
    URL,
    an_app,
    held_for,
    is_open,
    number,
    routed,
)
from tests.shopify_mock.receiver import receiving, shop_process, wait_until

BAD_ADDRESS, NO_STOCK = "INCORRECT_ADDRESS", "INVENTORY_OUT_OF_STOCK"
ADDRESS = {"address1": "Rua Nova 7", "city": "Porto", "zip": "4000-001", "countryCode": "PT"}


def holds_of(order: Any) -> list[str]:
    return [hold["id"] for hold in routed(order)["fulfillmentHolds"]]


def test_a_corrected_address_and_a_release_lead_to_the_shipping(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        order = app.find(held_for(BAD_ADDRESS))
        app.call(UPDATE, input={"id": order["id"], "shippingAddress": ADDRESS, "note": "called"})
        answer = app.call(RELEASE, id=routed(order)["id"], holds=holds_of(order))
        assert answer == {"fulfillmentOrder": {"status": "OPEN"}, "userErrors": []}
        after = app.order(number(order))
        written = {key: after["shippingAddress"][key] for key in ("address1", "city", "zip")}
        assert written.items() <= ADDRESS.items()
        life = app.life(order)
        assert life[life.index("released") :][:3] == ["released", "shipped", "moved"]
        assert app.topics(order)[:3] == ["orders/updated", "orders/updated", "fulfillment_orders/hold_released"]
        assert "orders/fulfilled" in app.topics(order)
        assert {p["order_id"]: p["until"] for p in app.desk.problems()}[number(order)] is not None


def test_a_release_without_the_address_ends_in_the_same_hold_again(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        order = app.find(held_for(BAD_ADDRESS))
        app.call(RELEASE, id=routed(order)["id"], holds=holds_of(order))
        assert app.life(order)[-2:] == ["released", "held"]
        assert app.topics(order) == ["fulfillment_orders/hold_released", "fulfillment_orders/placed_on_hold"]


def test_goods_moved_to_another_location_are_shipped_from_there(tmp_path: Path) -> None:
    move = (
        "mutation ($id: ID!, $to: ID!) { fulfillmentOrderMove(id: $id, newLocationId: $to) { userErrors { message } } }"
    )
    with an_app(tmp_path) as app:
        order = app.find(held_for(NO_STOCK))
        places = [f"gid://shopify/Location/{place}" for place in (70114455601, 70114455602)]
        said = [app.call(move, id=routed(order)["id"], to=place)["userErrors"] for place in places]
        assert [] in said
        app.call(RELEASE, id=routed(order)["id"], holds=holds_of(order))
        assert "shipped" in app.life(order)


def test_holds_of_other_apps_stay(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        order = app.find(held_for(NO_STOCK))
        hold = {"reason": "OTHER", "reasonNotes": "checking", "handle": "e2a-1"}
        placed = app.call(HOLD, id=routed(order)["id"], hold=hold)["fulfillmentHold"]
        again = app.call(HOLD, id=routed(order)["id"], hold=hold)["userErrors"]
        assert [error["code"] for error in again] == ["DUPLICATE_FULFILLMENT_HOLD_HANDLE"]
        assert (
            app.call(RELEASE, id=routed(order)["id"], holds=[placed["id"]])["fulfillmentOrder"]["status"] == "ON_HOLD"
        )
        after = routed(app.order(number(order)))["fulfillmentHolds"]
        assert [(one["reason"], one["heldByRequestingApp"]) for one in after] == [(NO_STOCK, False)]
        assert app.topics(order) == ["fulfillment_orders/placed_on_hold"]


def test_a_hold_keeps_the_order_from_being_shipped(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        order = app.find(is_open)
        app.call(HOLD, id=routed(order)["id"], hold={"reason": "AWAITING_PAYMENT", "handle": "e2a"})
        assert app.life(order)[-1] == "held"
        refused = app.call(RELEASE, id=routed(order)["id"], holds=["gid://shopify/FulfillmentHold/1"])["userErrors"]
        assert [(error["field"], error["code"]) for error in refused] == [(["holdIds"], "NOT_FOUND")]


def test_tags_are_added_and_a_note_overwrites(tmp_path: Path) -> None:
    add = "mutation ($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) { userErrors { message } } }"
    with an_app(tmp_path) as app:
        order = app.find(is_open)
        before = len(app.life(order))
        app.call(add, id=order["id"], tags=["late", " e2a "])
        app.call(UPDATE, input={"id": order["id"], "note": "second"})
        after = app.order(number(order))
        assert set(after["tags"]) == {*order["tags"], "late", "e2a"}
        assert after["note"] == "second"
        assert len(app.life(order)) == before + 2
        assert app.topics(order)[:2] == ["orders/updated", "orders/updated"]


def test_what_lay_ahead_still_comes_after_a_note(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        order = app.find(lambda order: is_open(order) and len(app.topics(order)) > 3)
        ahead, ids = app.topics(order), app.desk.store.rows("SELECT count(DISTINCT webhook_id) AS n FROM delivery")
        app.call(UPDATE, input={"id": order["id"], "note": "x"})
        assert app.topics(order) == ["orders/updated", *ahead]
        assert app.desk.store.rows("SELECT count(DISTINCT webhook_id) AS n FROM delivery")[0]["n"] == ids[0]["n"] + 1
        rows = app.desk.store.rows(
            "SELECT d.triggered_at, h.at FROM delivery d JOIN happening h USING (order_id, sequence)"
            " WHERE d.order_id = ?",
            (number(order),),
        )
        assert rows and all(row["triggered_at"] == row["at"] for row in rows)


def test_cancelling_is_a_job_and_for_good(tmp_path: Path) -> None:
    job = "query ($id: ID!) { job(id: $id) { done } }"
    with an_app(tmp_path) as app:
        order = app.find(lambda order: is_open(order) and order["displayFinancialStatus"] == "PAID")
        started = app.call(CANCEL, id=order["id"], back=True)["job"]
        assert started["done"] is False and app.call(job, id=started["id"]) == {"done": False}
        again = app.call(CANCEL, id=order["id"], back=True)["orderCancelUserErrors"]
        assert [error["message"] for error in again] == ["The order has been cancelled."]
        wait_until(lambda: app.call(job, id=started["id"])["done"])
        time.sleep(1.05)  # the refund follows a second later
        after = app.order(number(order))
        assert (after["cancelReason"], after["displayFinancialStatus"]) == ("INVENTORY", "REFUNDED")
        assert app.life(order)[-2:] == ["cancelled", "refunded"]
        assert {"orders/cancelled", "refunds/create"} <= set(app.topics(order))
        mail = app.client.get("/mail.json").json()["received"][0]
        assert mail["subject"].endswith("was cancelled")


def test_what_was_shipped_cannot_be_cancelled(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        order = app.find(lambda order: order["displayFulfillmentStatus"] == "FULFILLED")
        life = app.life(order)
        assert app.call(CANCEL, id=order["id"], back=False)["orderCancelUserErrors"][0]["code"] == "INVALID"
        assert app.life(order) == life


def refund(order: Any, amount: str) -> dict[str, Any]:
    ways = [{"orderId": order["id"], "gateway": "x", "kind": "REFUND", "amount": amount}]
    return {"orderId": order["id"], "note": "sorry", "transactions": ways}


def test_a_refund_is_made_once_for_each_key(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        order = app.find(lambda order: order["displayFinancialStatus"] == "PAID")
        first = app.call(REFUND, input=refund(order, "5.00"), key="k1")["refund"]
        assert app.call(REFUND, input=refund(order, "5.00"), key="k1")["refund"] == first
        after = app.order(number(order))
        assert (len(after["refunds"]), after["displayFinancialStatus"]) == (1, "PARTIALLY_REFUNDED")
        assert after["totalRefundedSet"]["shopMoney"]["amount"] == "5.00"
        more = order["totalReceivedSet"]["shopMoney"]["amount"]
        refused = app.call(REFUND, input=refund(order, more), key="k2")["userErrors"]
        assert [error["field"] for error in refused] == [["transactions"]]
        assert "refunds/create" in app.topics(order)


def test_a_refund_without_a_key_is_refused(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        order = app.find(lambda order: order["displayFinancialStatus"] == "PAID")
        bare = REFUND.replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
        (error,) = app.post(bare, input=refund(order, "5.00")).json()["errors"]
        assert error["message"].startswith("The @idempotent directive is required")
        assert app.order(number(order))["refunds"] == []


def test_a_tracking_notice_reaches_the_customer(tmp_path: Path) -> None:
    update = """mutation ($id: ID!) { fulfillmentTrackingInfoUpdate(fulfillmentId: $id,
      trackingInfoInput: {number: "X1"}, notifyCustomer: true) { fulfillment { trackingInfo { number } } userErrors { message } } }"""
    with an_app(tmp_path) as app:
        order = app.find(lambda order: bool(order["fulfillments"]))
        found = app.call(update, id=order["fulfillments"][0]["id"])
        assert found["fulfillment"]["trackingInfo"] == [{"number": "X1"}]
        assert app.client.get("/mail.json").json()["count"] == 1
        assert app.topics(order)[0] == "fulfillments/update"


def test_nothing_of_this_shop_can_be_rescheduled(tmp_path: Path) -> None:
    ask = """mutation ($id: ID!) { fulfillmentOrderReschedule(id: $id, fulfillAt: "2026-12-01T10:00:00Z") {
      userErrors { message } } }"""
    with an_app(tmp_path) as app:
        order = app.find(is_open)
        assert app.call(ask, id=routed(order)["id"])["userErrors"] == [
            {"message": "Fulfillment order must be scheduled."}
        ]


@pytest.mark.parametrize("given", [{"address1": " "}, {"zip": None}, {"city": ""}])
def test_a_part_of_an_address_is_refused(tmp_path: Path, given: dict[str, Any]) -> None:
    with an_app(tmp_path) as app:
        order = app.find(is_open)
        (error,) = app.call(UPDATE, input={"id": order["id"], "shippingAddress": {**ADDRESS, **given}})["userErrors"]
        assert error["field"] == ["input", "shippingAddress", *given]
        assert app.order(number(order))["shippingAddress"] == order["shippingAddress"]


def test_points_run_out_and_come_back(tmp_path: Path) -> None:
    with an_app(tmp_path, graphql_points=30, graphql_restore_per_second=0.001) as app:
        ask = 'query { job(id: "gid://shopify/Job/1") { done } }'
        bodies = [app.post(ask).json() for _ in range(31)]
        assert bodies[0]["extensions"]["cost"]["throttleStatus"] == {
            "maximumAvailable": 30, "currentlyAvailable": 29, "restoreRate": 0.001,
        }  # fmt: skip
        assert bodies[-1]["errors"] == [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
        app.desk.change_settings({"graphql_restore_per_second": 1000})
        time.sleep(0.05)
        assert "errors" not in app.post(ask).json()


def test_failures_are_had_on_demand(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        order = app.find(is_open)
        asked = {"input": {"id": order["id"], "note": "x"}}
        app.desk.change_settings({"act_fail": 1})
        assert app.post(UPDATE, **asked).status_code == 500
        app.desk.change_settings({"act_fail": 0, "act_refuse": 1})
        assert app.call(UPDATE, **asked)["userErrors"][0]["message"] == "The shop was told to refuse this."
        assert app.order(number(order))["note"] == order["note"]
        app.desk.change_settings({"act_refuse": 0, "act_silent": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            app.post(UPDATE, **asked)
        assert app.order(number(order))["note"] == "x"


def test_wrong_requests_are_answered_as_graphql_does(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        assert app.client.post(URL, json={"query": "{ job(id: 1) { done } }"}).status_code == 401
        assert app.client.post(URL, content=b"{", headers=TOKEN).status_code == 400
        assert app.post("query { nonsense }").json()["errors"][0]["message"].startswith("Cannot query field")
        assert app.post("query {").json()["errors"][0]["message"].startswith("Syntax Error")
        assert app.call(ORDER, id="gid://shopify/Order/1") is None
        assert app.call('query { node(id: "gid://shopify/Customer/1") { id } }') is None


def test_the_same_acts_on_the_same_shop_have_the_same_outcome(tmp_path: Path) -> None:
    def lives(home: Path) -> list[list[str]]:
        with an_app(home) as app:
            found = []
            for reason in (BAD_ADDRESS, NO_STOCK):
                order = app.find(held_for(reason))
                app.call(RELEASE, id=routed(order)["id"], holds=holds_of(order))
                found.append(app.life(order))
            return found

    assert lives(tmp_path / "one") == lives(tmp_path / "two")


def test_a_release_reaches_the_receiver_as_webhooks_of_the_real_process(tmp_path: Path) -> None:
    environ = {"WEBHOOK_DELAY_SECONDS": "0", "SHOPIFY_MOCK_PROBLEM_SHARE": "0.6"}
    with (
        receiving() as receiver,
        shop_process(tmp_path, {**environ, "SHOPIFY_MOCK_WEBHOOK_URL": receiver.url}) as (_, url),
        httpx.Client(base_url=url, trust_env=False, headers=TOKEN) as client,
    ):
        client.post("/admin/settings", json={"pace_seconds": 0})
        client.post("/admin/orders/generate", json={"count": 40})
        order = first_held(client)
        mended = {"input": {"id": order["id"], "shippingAddress": ADDRESS}}
        client.post(URL, json={"query": UPDATE, "variables": mended})
        told = {"id": routed(order)["id"], "holds": holds_of(order)}
        assert client.post(URL, json={"query": RELEASE, "variables": told}).json()["data"]
        wait_until(lambda: "orders/fulfilled" in topics_of(receiver.got, number(order)), 10)


def first_held(client: httpx.Client) -> Any:
    for listed in client.get("/admin/orders.json?limit=250").json()["orders"]:
        asked = {"query": ORDER, "variables": {"id": listed["admin_graphql_api_id"]}}
        order = client.post(URL, json=asked).json()["data"]["order"]
        if held_for(BAD_ADDRESS)(order):
            return order
    raise AssertionError("no order is held")


def topics_of(got: list[tuple[dict[str, str], bytes]], order: int) -> set[str]:
    return {headers["X-Shopify-Topic"] for headers, body in got if str(order).encode() in body}
