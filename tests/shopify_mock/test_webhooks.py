import base64
import hashlib
import hmac
import json
from pathlib import Path

from shopify_mock.batch import make_batch
from shopify_mock.samples import SECRET, samples
from shopify_mock.state import view
from shopify_mock.webhooks import body_of, headers_of

PAYLOADS = Path(__file__).parents[1] / "payloads" / "shopify"


def test_the_signature_is_shopifys() -> None:
    headers = headers_of(
        topic="orders/create", event_id="e", webhook_id="w", triggered_at=1_795_500_000, body=b"{}", secret="key"
    )
    assert headers["X-Shopify-Hmac-Sha256"] == base64.b64encode(hmac.digest(b"key", b"{}", hashlib.sha256)).decode()
    assert headers["X-Shopify-Triggered-At"] == "2026-11-24T06:00:00Z"
    assert {name for name in headers if name.startswith("X-")} == {
        "X-Shopify-Topic", "X-Shopify-Hmac-Sha256", "X-Shopify-Shop-Domain", "X-Shopify-API-Version",
        "X-Shopify-Webhook-Id", "X-Shopify-Event-Id", "X-Shopify-Triggered-At", "X-Shopify-Name",
    }  # fmt: skip


def test_the_payload_files_are_what_the_shop_sends() -> None:
    made = samples()
    names = {path.name.removesuffix(".json") for path in PAYLOADS.glob("*.json") if ".headers." not in path.name}
    assert names == set(made)
    for name, (body, headers) in made.items():
        assert (PAYLOADS / f"{name}.json").read_bytes() == body
        assert json.loads((PAYLOADS / f"{name}.headers.json").read_text()) == headers
        assert (
            headers["X-Shopify-Hmac-Sha256"] == base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()
        )


def test_an_order_reads_as_shopify_writes_it() -> None:
    order = json.loads(samples()["orders_create"][0])
    assert (type(order["id"]), order["name"], order["number"]) == (int, "#1001", 1)
    assert order["total_price"].count(".") == 1 and isinstance(order["tags"], str)
    assert order["created_at"].endswith("+01:00")
    assert (order["financial_status"], order["fulfillment_status"], order["fulfillments"]) == ("pending", None, [])


def test_the_test_delivery_has_nulls_for_times() -> None:
    order = json.loads(samples()["test_delivery"][0])
    assert (order["test"], order["created_at"], order["updated_at"], order["processed_at"]) == (True, None, None, None)


def test_what_webhooks_said_stands_in_the_api_with_the_same_ids_and_times() -> None:
    for order in make_batch(seed=1, base=1_795_500_000, count=60, first_number=1001, problem_share=0.5):
        final = view(order.goods, order.happenings)
        steps = {step["id"]: step for found in final.events.values() for step in found}
        for index, happening in enumerate(order.happenings):
            past = order.happenings[: index + 1]
            if happening.kind == "moved":
                told = json.loads(body_of("fulfillment_events/create", order.goods, past))
                assert told == steps[told["id"]]
            if happening.kind in ("paid", "payment_failed", "payment_pending"):
                assert json.loads(body_of("order_transactions/create", order.goods, past)) in final.transactions
            if happening.kind == "held":
                held = json.loads(body_of("fulfillment_orders/placed_on_hold", order.goods, past))
                routed = final.fulfillment_orders[0]
                holds = routed["fulfillment_holds"] + routed["released_fulfillment_holds"]
                assert [(h["id"], h["created_at"]) for h in holds] == [
                    (held["created_fulfillment_hold"]["id"], held["created_fulfillment_hold"]["created_at"])
                ]


def test_two_parcels_are_fulfilled_with_the_second() -> None:
    orders = make_batch(seed=1, base=1_795_500_000, count=100, first_number=1001, problem_share=0)
    order = next(o for o in orders if o.goods["parcels"] == 2)
    ends = [index + 1 for index, h in enumerate(order.happenings) if h.kind == "shipped"]
    told = [view(order.goods, order.happenings[:end]).order for end in ends]
    assert [t["fulfillment_status"] for t in told] == ["partial", "fulfilled"]
    assert [len(t["fulfillments"]) for t in told] == [1, 2]
