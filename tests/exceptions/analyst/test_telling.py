import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exceptions.analyst.telling import Lane, Told, lane_of, tell
from tests.orders.providers.cast import payload


def test_shopify_order_tells_goods_gateway_note_and_that_it_is_paid() -> None:
    told = tell(
        {
            "financial_status": "paid",
            "payment_gateway_names": ["paypal"],
            "note": " Leave it\nwith the neighbour ",
            "line_items": [{"sku": "MUG-1"}, {"sku": "LMP-2"}, {"sku": ""}],
            "fulfillments": [{"tracking_company": "GLS"}, {"tracking_company": "UPS"}],
        }
    )
    assert told == Told("UPS", "", "paypal", ("MUG-1", "LMP-2"), (), ("Leave it with the neighbour",), True)


def test_generic_payload_tells_its_lane() -> None:
    told = tell({"carrier": "SEUR", "warehouse": "Maia", "payment_provider": "adyen", "skus": ["A", 1, "B"]})
    assert told[:4] == ("SEUR", "Maia", "adyen", ("A", "B"))


def test_hold_and_detail_tell_their_reasons() -> None:
    body = {"created_fulfillment_hold": {"reason": "OTHER", "reason_notes": "call first"}}
    told = tell(body, {"reason": "INCORRECT_ADDRESS"})
    assert (told.codes, told.texts) == (("incorrect_address", "other"), ("call first",))


@pytest.mark.parametrize(
    ("path", "carrier", "warehouse"),
    [
        ("easypost/tracker_updated.json", "USPS", ""),
        ("aftership/tracking_update.json", "ups", ""),
        ("karrio/tracker_updated.json", "fedex", ""),
        ("shipbob/order_shipped.json", "USPS", "Moreno Valley (CA)"),
        ("shiphero/shipment_update.json", "UPS", "Primary"),
    ],
)
def test_every_providers_payload_tells_its_lane(path: str, carrier: str, warehouse: str) -> None:
    told = tell(json.loads(payload(path)))
    assert (told.carrier, told.warehouse) == (carrier, warehouse)


def test_last_word_on_the_lane_counts() -> None:
    told = [Told("GLS", "Maia", "paypal", ("A",)), Told("UPS", "", "", ("B", "A"))]
    assert lane_of(told) == Lane("UPS", "Maia", "paypal", ("A", "B"))


def test_redacted_texts_are_no_texts() -> None:
    assert tell({"note": "[redacted]", "message": "ok"}).texts == ("ok",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["note", "sku", "line_items", "data", "x"]), inner),
)


@given(st.dictionaries(st.sampled_from(["note", "sku", "carrier", "line_items", "items", "data", "skus"]), JSON))
def test_any_payload_can_be_read(body: dict[str, object]) -> None:
    told = tell(body)
    assert all(len(text) <= 2000 and text.isprintable() for text in told.texts)
