"""Changes to a shop's orders: what is sent, what an answer means, and the real shop of the demo."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from tenants.clients import shop_requests
from tenants.clients.errors import Busy, PrivateAddress, Refused, Unsure
from tenants.clients.shop_requests import ShopRequest
from tenants.clients.shop_writing import Cost, ShopWriter, throttle_wait
from tests.shopify_mock.acting_cast import TOKEN, an_app, held_for, is_open, number, routed

URL = "https://shop.example/admin/api/2026-10"
COST = {"cost": {"requestedQueryCost": 10, "actualQueryCost": 10, "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 1990, "restoreRate": 100.0}}}  # fmt: skip
HELD = shop_requests.hold("gid://shopify/FulfillmentOrder/5", reason="OTHER", note="", handle="h")
NOTED = shop_requests.update_order("7", note="x")


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


def shop(*answers: httpx.Response | Exception) -> tuple[ShopWriter, list[Any]]:
    """Answers in turn, the last again and again; what was asked."""
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers["X-Shopify-Access-Token"], str(request.url), json.loads(request.content)))
        found = answers[min(len(seen), len(answers)) - 1]
        if isinstance(found, Exception):
            raise found
        return found

    return ShopWriter(URL, "tok", transport=httpx.MockTransport(answer), allow_private=True), seen


def said(request: ShopRequest, found: Any, **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": {request.field: found}, "extensions": COST, **more})


THROTTLED = httpx.Response(200, json={"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": COST})  # fmt: skip


def test_a_call_is_sent_with_its_token_and_variables() -> None:
    writer, seen = shop(said(HELD, {"fulfillmentHold": {"id": "x"}, "userErrors": []}))
    reply = writer.send(HELD)
    assert (reply.data, reply.cost) == ({"fulfillmentHold": {"id": "x"}, "userErrors": []}, Cost(10, 1990, 2000))
    ((token, url, body),) = seen
    assert (token, url) == ("tok", f"{URL}/graphql.json")
    assert body["variables"]["hold"] == {"reason": "OTHER", "reasonNotes": "", "handle": "h", "notifyMerchant": False}


def test_user_errors_of_an_answer_of_200_are_a_refusal_in_the_shops_words() -> None:
    wrong = [{"field": ["id"], "message": "The order is gone.", "code": "X"}]
    writer, seen = shop(said(HELD, {"userErrors": wrong}))
    with pytest.raises(Refused, match=r"The shop refuses: id: The order is gone\."):
        writer.send(HELD)
    assert len(seen) == 1


def test_a_throttled_call_is_sent_again_since_nothing_was_done() -> None:
    writer, seen = shop(THROTTLED, said(HELD, {"userErrors": []}))
    writer.send(HELD)
    assert len(seen) == 2


def test_a_shop_that_stays_throttled_asks_to_wait() -> None:
    writer, seen = shop(THROTTLED)
    with pytest.raises(Busy) as busy:
        writer.send(HELD)
    assert (busy.value.wait_seconds, len(seen)) == (0.5, 3)


def test_the_wait_lasts_until_the_points_suffice() -> None:
    status = {"maximumAvailable": 100, "currentlyAvailable": 4, "restoreRate": 2}
    assert throttle_wait({"extensions": {"cost": {"requestedQueryCost": 10, "throttleStatus": status}}}) == 3.0


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"data": None}),
        httpx.Response(200, json={"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}),
        httpx.ReadTimeout("x"),
    ],
)
def test_an_unsure_call_is_not_repeated_unless_it_may_be(answer: Any) -> None:
    writer, seen = shop(answer)
    with pytest.raises(Unsure):
        writer.send(HELD)
    assert len(seen) == 1
    with pytest.raises(Unsure):
        writer.send(NOTED)
    assert len(seen) == 4


def test_a_shop_that_is_not_there_is_tried_again_and_nothing_was_done() -> None:
    writer, seen = shop(httpx.ConnectError("x"), said(HELD, {"userErrors": []}))
    writer.send(HELD)
    assert len(seen) == 2


@pytest.mark.parametrize(
    "answer", [httpx.Response(401), httpx.Response(302), httpx.Response(200, json={"errors": "no"})]
)
def test_a_plain_no_is_final(answer: httpx.Response) -> None:
    writer, seen = shop(answer)
    with pytest.raises(Refused):
        writer.send(HELD)
    assert len(seen) == 1


def test_a_private_shop_is_not_called() -> None:
    with pytest.raises(PrivateAddress):
        ShopWriter("http://127.0.0.1:1/admin/api/2026-10", "tok").send(HELD)


def test_releases_name_their_holds_and_refunds_their_key() -> None:
    assert shop_requests.release("fo", ["h1"]).variables == {"id": "fo", "holdIds": ["h1"]}
    refund = shop_requests.refund("7", [{"amount": "1.00"}], note="n", notify=False, key="k")
    assert "@idempotent(key: $key)" in refund.query and refund.variables["key"] == "k"
    assert (refund.harmless, shop_requests.cancel("7", reason="OTHER", note="", notify=False).harmless) == (True, False)


def test_every_call_is_one_that_the_shop_understands(tmp_path: Path) -> None:
    """Against the shop of the demo, whose schema follows Shopify's: the real way, over a socket."""
    with an_app(tmp_path) as app:
        writer = ShopWriter(
            f"{app.client.base_url}/admin/api/2026-10", TOKEN["X-Shopify-Access-Token"], allow_private=True
        )
        order = app.find(is_open)
        held, key = app.find(held_for("INVENTORY_OUT_OF_STOCK")), str(number(order))
        state = writer.send(shop_requests.read_order(key)).data
        assert state is not None
        (way,) = state["suggestedRefund"]["suggestedTransactions"]
        back = {"orderId": order["id"], "parentId": way["parentTransaction"]["id"], "gateway": way["gateway"], "kind": "REFUND", "amount": "1.00"}  # fmt: skip
        placed = writer.send(shop_requests.hold(routed(order)["id"], reason="OTHER", note="n", handle="h")).data
        assert placed is not None
        works: list[ShopRequest] = [
            shop_requests.release(routed(order)["id"], [placed["fulfillmentHold"]["id"]]),
            shop_requests.update_order(key, note="hello"),
            shop_requests.update_order(
                key, shippingAddress={"address1": "A 1", "city": "B", "zip": "1", "countryCode": "ES"}
            ),
            shop_requests.add_tags(key, ["late"]),
            shop_requests.refund(key, [back], note="n", notify=False, key="k1"),
            shop_requests.cancel(key, reason="CUSTOMER", note="n", notify=False),
        ]
        for request in works:
            assert writer.send(request).data is not None, request.field
        refused: Callable[[ShopRequest], Any] = writer.send
        for request in (
            shop_requests.reschedule(routed(held)["id"], "2026-12-01T10:00:00Z"),
            shop_requests.move(routed(held)["id"], "1"),
            shop_requests.notify_tracking("gid://shopify/Fulfillment/1", {"number": "X"}),
        ):
            with pytest.raises(Refused, match="The shop refuses"):
                refused(request)
        assert writer.send(shop_requests.read_job("gid://shopify/Job/999")).data is None
