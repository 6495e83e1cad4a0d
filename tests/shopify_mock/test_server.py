from pathlib import Path
from typing import Any

import httpx
import pytest

from shopify_mock.config import access_token_of, read_config
from shopify_mock.errors import WrongSetting
from tests.shopify_mock.receiver import SECRET, desk_of, serving, shop_process

TOKEN = {"X-Shopify-Access-Token": access_token_of(SECRET)}
API = "/admin/api/2026-10"


def all_orders(client: httpx.Client, query: str) -> list[list[dict[str, Any]]]:
    pages, url = [], f"{API}/orders.json?{query}"
    while url:
        answer = client.get(url, headers=TOKEN)
        assert answer.status_code == 200
        pages.append(answer.json()["orders"])
        url = answer.links.get("next", {}).get("url", "")
    return pages


def test_a_batch_has_the_asked_count_or_one_within_the_bounds(tmp_path: Path) -> None:
    bounds = {"SHOPIFY_DEMO_API_PRODUCE_MIN_ORDERS": "20", "SHOPIFY_DEMO_API_PRODUCE_MAX_ORDERS": "30"}
    with serving(desk_of(tmp_path, **bounds)) as client:
        answer = client.post("/admin/orders/generate", json={"count": 12})
        assert (answer.status_code, answer.json()["first"], answer.json()["last"]) == (202, "#1001", "#1012")
        second = client.post("/admin/orders/generate").json()
        assert second["first"] == "#1013" and 20 <= second["count"] <= 30
        assert client.get("/stats").json()["generated"] == 12 + second["count"]
        assert client.get("/admin/stats").json()["deliveries"]["sent"] == 0


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('{"count": 0}', "count must be a whole number from 1 to 50000."),
        ('{"count": "9"}', "count must be a whole number from 1 to 50000."),
        ('{"count": true}', "count must be a whole number from 1 to 50000."),
        ('{"size": 9}', "“size” is not known; a batch takes count, seed and struck."),
        ("[1]", "The body must be a JSON object."),
        ("{", "The body is no JSON."),
    ],
)
def test_a_wrong_batch_is_refused_with_a_sentence(tmp_path: Path, body: str, sentence: str) -> None:
    with serving(desk_of(tmp_path)) as client:
        answer = client.post("/admin/orders/generate", content=body)
        assert (answer.status_code, answer.json()) == (400, {"errors": sentence})
        assert client.get("/stats").json()["generated"] == 0


def test_settings_are_read_changed_and_kept(tmp_path: Path) -> None:
    with serving(desk_of(tmp_path)) as client:
        assert client.post("/admin/settings", json={"drop": 0.05, "reorder": 1}).json()["drop"] == 0.05
        refused = client.post("/admin/settings", json={"drop": 1.5})
        assert refused.json() == {"errors": "drop must lie between 0 and 1; it is 1.5."}
        assert refused.status_code == 400
    with serving(desk_of(tmp_path)) as client:
        assert client.get("/admin/settings").json() == {
            "problem_share": 0.15, "drop": 0.05, "delay": 0.0, "double": 0.0, "reorder": 1.0, "delay_seconds": 60.0,
            "api_bucket": 400.0, "api_leak_per_second": 20.0, "graphql_points": 2000.0,
            "graphql_restore_per_second": 100.0, "act_fail": 0.0, "act_refuse": 0.0, "act_silent": 0.0,
            "act_slow_seconds": 0.0, "inbox_fail": 0.0, "pace_seconds": 60.0,
        }  # fmt: skip


def test_truth_orders_page_and_health_are_shown(tmp_path: Path) -> None:
    with serving(desk_of(tmp_path)) as client:
        client.post("/admin/orders/generate", json={"count": 100})
        truth = client.get("/admin/problems").json()["problems"]
        assert len(truth) == 15
        assert set(truth[0]) == {"order_id", "name", "problem", "since", "until", "deadline"}
        listed = client.get("/admin/orders.json?limit=10&page=2").json()
        assert (len(listed["orders"]), listed["page"], listed["pages"]) == (10, 2, -(-listed["total"] // 10))
        assert client.get("/healthz").json() == {"status": "ok"}
        assert listed["orders"][0]["name"].startswith("#1") and "Casa Llum" in client.get("/").text
        assert (client.get("/nothing").status_code, client.get("/admin/orders/generate").status_code) == (404, 405)


def test_the_admin_api_asks_for_its_token(tmp_path: Path) -> None:
    with serving(desk_of(tmp_path)) as client:
        assert client.get(f"{API}/orders.json").status_code == 401
        assert client.get(f"{API}/orders.json", headers={"X-Shopify-Access-Token": "x"}).status_code == 401
        assert client.get(f"{API}/orders.json", headers=TOKEN).json() == {"orders": []}


@pytest.mark.parametrize("query", ["order=updated_at+asc&updated_at_min=2020-01-01T00:00:00Z", "since_id=0"])
def test_pages_of_orders_hold_each_order_once(tmp_path: Path, query: str) -> None:
    with serving(desk_of(tmp_path)) as client:
        client.post("/admin/orders/generate", json={"count": 60})
        total = client.get("/admin/orders.json").json()["total"]
        pages = all_orders(client, f"status=any&limit=25&{query}")
        ids = [order["id"] for page in pages for order in page]
        assert len(ids) == len(set(ids)) == total
        key = "id" if "since_id" in query else "updated_at"
        assert [o[key] for page in pages for o in page] == sorted(o[key] for page in pages for o in page)


def test_only_orders_changed_since_then_are_given(tmp_path: Path) -> None:
    with serving(desk_of(tmp_path)) as client:
        client.post("/admin/orders/generate", json={"count": 60})
        everything = [o for page in all_orders(client, "status=any&limit=250") for o in page]
        middle = everything[len(everything) // 2]["updated_at"]
        since = middle.replace("+", "%2B")
        found = [o for page in all_orders(client, f"status=any&limit=7&updated_at_min={since}") for o in page]
        assert [o["id"] for o in found] == [o["id"] for o in everything if o["updated_at"] >= middle]


def test_what_hangs_on_an_order_can_be_read(tmp_path: Path) -> None:
    with serving(desk_of(tmp_path)) as client:
        client.post("/admin/orders/generate", json={"count": 40})
        orders = [o for page in all_orders(client, "status=any&limit=250") for o in page]
        order = next(o for o in orders if o["fulfillments"] and o["fulfillments"][0]["shipment_status"] == "delivered")
        at, part = f"{API}/orders/{order['id']}", order["fulfillments"][0]

        def read(path: str) -> Any:
            return client.get(path, headers=TOKEN).json()

        assert read(f"{at}.json") == {"order": order}
        assert read(f"{at}/fulfillments.json") == {"fulfillments": order["fulfillments"]}
        assert read(f"{at}/transactions.json")["transactions"][-1]["status"] == "success"
        routed = read(f"{at}/fulfillment_orders.json")["fulfillment_orders"][0]
        assert (routed["status"], routed["fulfillment_holds"]) == ("closed", [])
        steps = read(f"{at}/fulfillments/{part['id']}/events.json")
        assert steps == read(f"{API}/fulfillments/{part['id']}/events.json")
        assert steps["fulfillment_events"][-1]["status"] == "delivered"
        assert client.get(f"{API}/orders/1/transactions.json", headers=TOKEN).status_code == 404


def test_too_many_calls_are_asked_to_wait(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.change_settings({"api_bucket": 2, "api_leak_per_second": 0.01})
    with serving(desk) as client:
        answers = [client.get(f"{API}/shop.json", headers=TOKEN) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[1].headers["X-Shopify-Shop-Api-Call-Limit"] == "2/2"
        assert answers[2].headers["Retry-After"] == "2.0"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHOPIFY_MOCK_PORT", "eighty"),
        ("SHOPIFY_MOCK_PROBLEM_SHARE", "1.5"),
        ("WEBHOOK_DELAY_SECONDS", "-1"),
        ("SHOPIFY_DEMO_API_PRODUCE_MIN_ORDERS", "3000"),
        ("SHOPIFY_MOCK_WEBHOOK_URL", "ftp://x"),
        ("SHOPIFY_MOCK_SEED", "x"),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=name):
        read_config({"SHOPIFY_MOCK_HOME": str(tmp_path), name: value})


def test_the_process_ends_with_the_sentence(tmp_path: Path) -> None:
    with shop_process(tmp_path, {"WEBHOOK_DELAY_SECONDS": "soon"}) as (process, word):
        assert process.wait(5) == 2
        assert word == "“soon”."


def test_a_page_of_another_site_can_tell_the_shop_nothing(tmp_path: Path) -> None:
    with serving(desk_of(tmp_path)) as client:
        answer = client.post("/admin/orders/generate", json={"count": 1}, headers={"Origin": "http://evil.example"})
        assert answer.status_code == 403
        assert client.get("/stats").json()["generated"] == 0
