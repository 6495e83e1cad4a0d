"""An order's JSON at its creation, in Shopify's shape. Pure."""

from typing import Any

from shopify_mock.goods import money
from shopify_mock.shop import CURRENCY, gid, local_iso

Json = dict[str, Any]


def address_json(goods: Json, address: Json) -> Json:
    person = goods["person"]
    return {
        "first_name": person["first_name"],
        "last_name": person["last_name"],
        "name": f"{person['first_name']} {person['last_name']}",
        "company": None,
        "phone": person["phone"],
        **address,
        "province": None,
        "province_code": None,
        "country": person["country"],
        "country_code": person["code"],
    }


def line_json(line: Json, status: str | None) -> Json:
    return {
        "id": line["id"],
        "admin_graphql_api_id": gid("LineItem", line["id"]),
        "product_id": line["product_id"],
        "variant_id": line["variant_id"],
        "sku": line["sku"],
        "title": line["title"],
        "variant_title": line["variant_title"],
        "name": f"{line['title']} - {line['variant_title']}",
        "vendor": "Casa Llum",
        "quantity": line["quantity"],
        "current_quantity": line["quantity"],
        "fulfillable_quantity": 0 if status == "fulfilled" else line["quantity"],
        "fulfillment_service": "manual",
        "fulfillment_status": status,
        "requires_shipping": True,
        "taxable": True,
        "gift_card": False,
        "grams": line["grams"],
        "price": money(line["cents"]),
        "total_discount": "0.00",
        "tax_lines": [],
        "properties": [],
    }


def order_json(goods: Json, created: int) -> Json:
    subtotal, shipping, at = goods["subtotal"], goods["shipping"], local_iso(created)
    total = money(subtotal + shipping)
    return {
        "id": goods["id"],
        "admin_graphql_api_id": gid("Order", goods["id"]),
        "name": f"#{goods['number']}",
        "number": goods["number"] - 1000,
        "order_number": goods["number"],
        "created_at": at,
        "processed_at": at,
        "updated_at": at,
        "closed_at": None,
        "cancelled_at": None,
        "cancel_reason": None,
        "confirmed": True,
        "test": False,
        "currency": CURRENCY,
        "presentment_currency": CURRENCY,
        "financial_status": "pending",
        "fulfillment_status": None,
        "subtotal_price": money(subtotal),
        "total_line_items_price": money(subtotal),
        "total_discounts": "0.00",
        "total_tax": money((subtotal + shipping) * 21 // 121),
        "taxes_included": True,
        "total_price": total,
        "current_total_price": total,
        "total_outstanding": total,
        "total_weight": sum(line["grams"] * line["quantity"] for line in goods["lines"]),
        "payment_gateway_names": [goods["card"][0]],
        "source_name": goods["source"],
        "tags": goods["tags"],
        "note": goods["note"],
        "note_attributes": [],
        "email": goods["person"]["email"],
        "phone": goods["person"]["phone"],
        "customer_locale": f"{goods['person']['code'].lower()}",
        "location_id": None,
        "customer": _customer(goods),
        "billing_address": address_json(goods, goods["address"]),
        "shipping_address": address_json(goods, goods["address"]),
        "line_items": [line_json(line, None) for line in goods["lines"]],
        "shipping_lines": [_shipping_line(goods)],
        "discount_codes": [],
        "tax_lines": [],
        "fulfillments": [],
        "refunds": [],
    }


def _customer(goods: Json) -> Json:
    person = goods["person"]
    return {
        "id": person["id"],
        "admin_graphql_api_id": gid("Customer", person["id"]),
        "email": person["email"],
        "first_name": person["first_name"],
        "last_name": person["last_name"],
        "phone": person["phone"],
        "verified_email": True,
        "tags": "",
        "currency": CURRENCY,
    }


def _shipping_line(goods: Json) -> Json:
    return {
        "id": goods["id"] + 500,
        "title": "Express" if goods["promise"] < 50 * 3600 else "Standard",
        "code": "express" if goods["promise"] < 50 * 3600 else "standard",
        "price": money(goods["shipping"]),
        "discounted_price": money(goods["shipping"]),
        "source": "shopify",
        "carrier_identifier": None,
        "phone": None,
        "tax_lines": [],
    }
