"""`python -m shopify_mock.samples FOLDER`: one real webhook for each topic, from a fixed seed, for others' tests."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shopify_mock.batch import PlannedOrder, make_batch
from shopify_mock.shop import CURRENCY, DOMAIN, HOME, NAME, SHOP_ID, local_iso
from shopify_mock.webhooks import body_of, event_id_of, headers_of, topics_of, webhook_id_of

SEED, BASE, SECRET = 7, 1_795_200_000, "shpss_sample_secret"
Json = dict[str, Any]


def samples() -> dict[str, tuple[bytes, dict[str, str]]]:
    """File name (topic with `_`) → (raw body, headers). `test_delivery` is an orders/create of Shopify's own button."""
    found: dict[str, tuple[bytes, dict[str, str]]] = {}
    orders = make_batch(seed=SEED, base=BASE, count=200, first_number=1001, problem_share=0.3)
    for order in orders:
        for topic, sequence, at in _raised(order):
            if topic.replace("/", "_") not in found:
                body = body_of(topic, order.goods, order.happenings[: sequence + 1])
                found[topic.replace("/", "_")] = _signed(topic, body, event_id_of(order.id, sequence), at)
    for name, topic, content in _others(json.loads(found["orders_create"][0])):
        found[name] = _signed(topic, json.dumps(content, ensure_ascii=False).encode(), event_id_of(0, len(found)), BASE)
    return found


def _raised(order: PlannedOrder) -> Iterator[tuple[str, int, int]]:
    for sequence, happening in enumerate(order.happenings):
        for topic in topics_of(happening, order.goods["parcels"]):
            yield topic, sequence, happening.at


def _signed(topic: str, body: bytes, event_id: str, at: int) -> tuple[bytes, dict[str, str]]:
    webhook_id = webhook_id_of(event_id, topic, 0)
    headers = headers_of(
        topic=topic, event_id=event_id, webhook_id=webhook_id, triggered_at=at, body=body, secret=SECRET
    )
    return body, headers


def _others(order: Json) -> Iterator[tuple[str, str, Json]]:
    """What no order's life raises: an edited order, a stock level, the test delivery, the compliance topics, the end of the
    installation.
    """
    nulls = ("processed_at", "updated_at", "created_at", "closed_at", "cancelled_at", "customer_locale")
    yield "test_delivery", "orders/create", {**order, **dict.fromkeys(nulls), "id": 820982911946154508, "test": True}
    person = {key: order["customer"][key] for key in ("id", "email", "phone")}
    shop = {"shop_id": SHOP_ID, "shop_domain": DOMAIN}
    asked = {**shop, "orders_requested": [order["id"]], "customer": person, "data_request": {"id": 9999}}
    yield "customers_data_request", "customers/data_request", asked
    yield "customers_redact", "customers/redact", {**shop, "customer": person, "orders_to_redact": [order["id"]]}
    yield "shop_redact", "shop/redact", shop
    about = {"id": SHOP_ID, "name": NAME, "domain": DOMAIN, "myshopify_domain": DOMAIN, "currency": CURRENCY, **HOME}
    yield "app_uninstalled", "app/uninstalled", {**about, "updated_at": local_iso(BASE)}
    yield "orders_edited", "orders/edited", {"order_edit": _edit_of(order)}
    item, place = 15_900_000_000_017, 84_100_000_001
    level = f"gid://shopify/InventoryLevel/{place}?inventory_item_id={item}"
    stock = {"inventory_item_id": item, "location_id": place, "available": 4, "updated_at": local_iso(BASE)}
    yield "inventory_levels_update", "inventory_levels/update", {**stock, "admin_graphql_api_id": level}


def _edit_of(order: Json) -> Json:
    """One more of the first line. Source: Shopify, “Webhooks”, orders/edited."""
    none: Json = {"additions": [], "removals": []}
    return {
        "id": 78_912_328_793,
        "app_id": None,
        "created_at": local_iso(BASE),
        "notify_customer": False,
        "order_id": order["id"],
        "staff_note": "",
        "user_id": 548_380_009,
        "line_items": {"additions": [{"id": order["line_items"][0]["id"], "delta": 1}], "removals": []},
        "discounts": {"line_item": none},
        "shipping_lines": none,
        "committed_at": local_iso(BASE + 40),
    }


def write_samples(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (body, headers) in samples().items():
        (folder / f"{name}.json").write_bytes(body)
        (folder / f"{name}.headers.json").write_text(json.dumps(headers, indent=2) + "\n")


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]))
