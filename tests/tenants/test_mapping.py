"""What is wrong with a source's mapping, in sentences."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tenants.mapping import mapping_troubles
from tenants.models import WebhookSource

MAPPING = {
    "event_id": "msg.id",
    "event_type": "msg.kind",
    "occurred_at": "msg.when",
    "order_id": "consignment.order.number",
    "tracking_number": "consignment.parcels.0.no",
    "carrier": "consignment.parcels.0.carrier",
    "shipment_id": "consignment.parcels.0.ref",
    "types": {"DESPATCHED": "order_fulfilled", "PING": None},
}


def test_sound_mapping_has_no_troubles() -> None:
    assert mapping_troubles(MAPPING) == []
    assert mapping_troubles({}, standard=True) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"order_id": ""}, "“order_id” is missing: give the path to it, such as data.order_id."),
        ({"order_id": "a b"}, "“order_id” must be a path of keys and positions joined by dots, such as data.order.id."),
        ({"ordre": "x"}, "“ordre” is not known;"),
        ({"types": []}, "“types” must be an object"),
        ({"types": {"A": 5}}, "types: “A” must lead to one of our event types"),
        ({"signature": {"header": "X Sig"}}, "signature: “header” must be the name of an HTTP header"),
        ({"signature": {"encoding": "rot13"}}, "signature: “encoding” must be one of hex, base64."),
        ({"signature": {"algorithm": "md5"}}, "signature: “algorithm” must be one of sha256, sha512, sha1."),
    ],
)
def test_wrong_mapping_gets_a_sentence(change: dict[str, Any], sentence: str) -> None:
    assert any(text.startswith(sentence) for text in mapping_troubles({**MAPPING, **change}))


def test_source_with_a_wrong_mapping_is_not_clean() -> None:
    with pytest.raises(ValidationError) as refused:
        WebhookSource(name="erp", provider="json", mapping={}).clean()
    assert [*refused.value.message_dict] == ["mapping"]
    WebhookSource(name="erp", provider="json", mapping=MAPPING).clean()
    WebhookSource(name="std", provider="standard", mapping={}).clean()
    WebhookSource(name="shop", provider="shopify", mapping={}).clean()


def test_source_in_an_unknown_zone_is_not_clean() -> None:
    with pytest.raises(ValidationError) as refused:
        WebhookSource(name="hero", provider="shiphero", timezone="Mars/Base").clean()
    assert refused.value.message_dict == {
        "timezone": ["“Mars/Base” is no zone; use an IANA name such as Europe/Lisbon."]
    }
