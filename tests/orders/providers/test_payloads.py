"""Carriers and warehouses: each payload file gives exactly these events."""

import json
from typing import Any

import pytest

from orders.providers.delivery import Unusable
from orders.providers.registry import ADAPTERS
from tenants.models import Provider
from tests.orders.providers.cast import PAYLOADS, delivery, payload, told

ORDER = "5823471902915"
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
TABLE: list[tuple[str, str, dict[str, Any], list[tuple[Any, ...]], list[str]]] = [
    (
        "easypost/tracker_updated.json",
        "easypost",
        {},
        [("order_delivered", "9400110898825022579493", "11-23T15:33:00Z", {"reason": "arrived_at_destination"})],
        ["~evt_dd2a5c8e8f0a4b0cbe0d1b2f1c7f9a10"],
    ),
    (
        "aftership/tracking_update.json",
        "aftership",
        {"timezone": "America/Chicago"},
        [("shipment_delayed", "1Z999AA10123456784", "11-23T16:15:00Z", {"reason": "Delayed"})],
        ["~fd1f4a5e-3f6d-4a06-9a8b-7f6d2b1d0c11"],
    ),
    (
        "karrio/tracker_updated.json",
        "karrio",
        {},
        [("delivery_failed", "794644790138", "11-23T14:05:00Z", {"reason": "consignee_address_incorrect"})],
        ["~794644790138:delivery_failed:"],
    ),
    (
        "shipbob/order_shipped.json",
        "shipbob",
        {"headers": {"x-webhook-topic": "order.shipped", "webhook-id": "msg_1"}},
        [
            ("order_fulfilled", ORDER, "11-23T13:22:05Z", {"shipment": "220011"}),
            ("order_fulfilled", ORDER, "11-23T18:01:30Z", {"shipment": "220012"}),
        ],
        ["~order.shipped:220011:msg_1", "~order.shipped:220012:msg_1"],
    ),
    (
        "shipbob/shipment_on_hold.json",
        "shipbob",
        {"headers": {"x-webhook-topic": "order.shipment.on_hold", "webhook-id": "msg_2"}},
        [
            (
                "order_held",
                "5823471902999",
                "11-23T09:04:30Z",
                {"hold_id": "220013", "reason": "Address could not be validated"},
            ),
            ("address_invalid", "5823471902999", "11-23T09:04:30Z", None),
        ],
        ["~order.shipment.on_hold:220013:msg_2", "~order.shipment.on_hold:220013:msg_2:address"],
    ),
    (
        "shiphero/shipment_update.json",
        "shiphero",
        {"timezone": "America/New_York", "headers": {"x-shiphero-message-id": "m-1"}},
        [("order_fulfilled", ORDER, "03-08T07:30:00Z", {"shipment": "315518042"})],
        ["~shipment_update:315518042:m-1"],
    ),
    (
        "shiphero/order_canceled.json",
        "shiphero",
        {"timezone": "America/New_York", "headers": {"x-shiphero-message-id": "m-2"}},
        [("order_cancelled", "5823471902916", "11-23T15:15:30Z", None)],
        ["~order_canceled:5823471902916:m-2"],
    ),
    (
        "standard/order_packed.json",
        "standard",
        {"headers": {"webhook-id": "msg_9"}},
        [("order_packed", ORDER, "11-23T10:00:00Z", None)],
        ["~msg_9"],
    ),
    (
        "json/despatched.json",
        "json",
        {"timezone": "Europe/Berlin", "mapping": MAPPING},
        [("order_fulfilled", "W-1001", "11-23T10:30:00Z", {"shipment": "P1"})],
        ["~9f0c-77"],
    ),
]


@pytest.mark.parametrize(("path", "provider", "more", "expected", "ids"), TABLE)
def test_payload_gives_exactly_these_events(
    path: str, provider: str, more: dict[str, Any], expected: list[tuple[Any, ...]], ids: list[str]
) -> None:
    events = ADAPTERS[provider].read(delivery(payload(path), **more)).events
    assert [told(event) for event in events] == expected
    assert [event.event_id[: len(start)] for event, start in zip(events, ids, strict=True)] == ids
    assert json.loads(events[0].payload) == json.loads(payload(path))


def test_every_payload_file_of_these_providers_is_tested() -> None:
    tested = {path for path, *_ in TABLE}
    folders = [
        folder
        for folder in PAYLOADS.iterdir()
        if folder.is_dir() and folder.name in ADAPTERS and folder.name != "shopify"
    ]
    assert {f"{folder.name}/{file.name}" for folder in folders for file in folder.iterdir()} == tested


def test_every_provider_of_the_form_has_an_adapter() -> None:
    assert set(ADAPTERS) == set(Provider.values)


def test_parcels_of_a_fulfilment_are_registered() -> None:
    [hero] = ADAPTERS["shiphero"].read(delivery(payload("shiphero/shipment_update.json"))).events
    assert sorted(hero.parcels) == [("315518042", "UPS", "15619819718"), ("315518042", "UPS", "15619819719")]
    first, second = (
        ADAPTERS["shipbob"]
        .read(delivery(payload("shipbob/order_shipped.json"), {"x-webhook-topic": "order.shipped", "webhook-id": "m"}))
        .events
    )
    assert first.parcels == [("220011", "USPS", "9261290306529427911297")]
    assert second.parcels == [("220012", "UPS", "1Z999AA10123456785")]
    [plain] = ADAPTERS["json"].read(delivery(payload("json/despatched.json"), mapping=MAPPING)).events
    assert plain.parcels == [("P1", "DHL", "JD0002213")]


EASYPOST = json.loads(payload("easypost/tracker_updated.json"))
AFTERSHIP = json.loads(payload("aftership/tracking_update.json"))
KARRIO = json.loads(payload("karrio/tracker_updated.json"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("unknown", "shipment_unknown"),
        ("pre_transit", "order_packed"),
        ("in_transit", "shipment_in_transit"),
        ("out_for_delivery", "shipment_in_transit"),
        ("delivered", "order_delivered"),
        ("available_for_pickup", "shipment_available_for_pickup"),
        ("return_to_sender", "order_returned"),
        ("failure", "delivery_failed"),
        ("cancelled", "shipment_cancelled"),
        ("error", "delivery_failed"),
    ],
)
def test_easypost_statuses(status: str, kind: str) -> None:
    body = {**EASYPOST, "result": {**EASYPOST["result"], "status": status}}
    assert ADAPTERS["easypost"].read(delivery(body)).events[0].event_type == kind


@pytest.mark.parametrize(
    ("tag", "subtag", "kind"),
    [
        ("Pending", "", "shipment_pending"),
        ("InfoReceived", "", "order_packed"),
        ("InTransit", "", "shipment_in_transit"),
        ("OutForDelivery", "", "shipment_in_transit"),
        ("AttemptFail", "", "delivery_attempted"),
        ("Delivered", "", "order_delivered"),
        ("AvailableForPickup", "", "shipment_availableforpickup"),
        ("Exception", "Exception_001", "delivery_failed"),
        ("Exception", "Exception_004", "shipment_delayed"),
        ("Exception", "Exception_007", "address_invalid"),
        ("Exception", "Exception_011", "order_returned"),
        ("Expired", "", "shipment_expired"),
    ],
)
def test_aftership_tags(tag: str, subtag: str, kind: str) -> None:
    body = {**AFTERSHIP, "msg": {**AFTERSHIP["msg"], "tag": tag, "subtag": subtag}}
    assert ADAPTERS["aftership"].read(delivery(body)).events[0].event_type == kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("pending", "order_packed"),
        ("picked_up", "shipment_in_transit"),
        ("in_transit", "shipment_in_transit"),
        ("out_for_delivery", "shipment_in_transit"),
        ("ready_for_pickup", "shipment_ready_for_pickup"),
        ("on_hold", "shipment_on_hold"),
        ("delivery_delayed", "shipment_delayed"),
        ("delivery_failed", "delivery_failed"),
        ("return_to_sender", "order_returned"),
        ("cancelled", "shipment_cancelled"),
        ("delivered", "order_delivered"),
        ("unknown", "shipment_unknown"),
    ],
)
def test_karrio_statuses(status: str, kind: str) -> None:
    body = {**KARRIO, "data": {**KARRIO["data"], "status": status}}
    assert ADAPTERS["karrio"].read(delivery(body)).events[0].event_type == kind


def test_hour_that_daylight_saving_skips_gives_one_result() -> None:
    times = {
        event.occurred_at
        for _ in range(3)
        for event in ADAPTERS["shiphero"]
        .read(delivery(payload("shiphero/shipment_update.json"), timezone="America/New_York"))
        .events
    }
    assert [f"{when:%H:%M%z}" for when in times] == ["07:30+0000"]


@pytest.mark.parametrize("provider", sorted(ADAPTERS))
@pytest.mark.parametrize(
    "body", [b"", b"5", b"null", b"[]", b"{", b'{"a":"\\u0000"}', b"\xff", b"[" * 2000, b'{"a":1e400}']
)
def test_no_adapter_makes_events_of_rubbish(provider: str, body: bytes) -> None:
    headers = {"x-shopify-topic": "orders/create", "x-webhook-topic": "order.shipped", "webhook-id": "m"}
    with pytest.raises(Unusable) as refused:
        ADAPTERS[provider].read(delivery(body, headers, mapping=MAPPING))
    assert refused.value.reason == "invalid"


def test_type_that_the_mapping_leaves_out_is_ignored() -> None:
    body = {"msg": {"id": "1", "kind": "PING", "when": "2026-11-23T11:30:00Z"}}
    assert ADAPTERS["json"].read(delivery(body, mapping=MAPPING)).ignored == "The mapping leaves out “PING”."


def test_plain_json_without_an_id_is_known_by_its_content() -> None:
    mapping = {key: value for key, value in MAPPING.items() if key != "event_id"}
    one, two = (
        ADAPTERS["json"].read(delivery(payload("json/despatched.json"), mapping=mapping)).events[0] for _ in "12"
    )
    assert one.event_id == two.event_id
    assert one.event_id.startswith("~body:")


def test_their_words_may_hold_spaces_but_ours_may_not() -> None:
    body = {
        "msg": {"id": "1", "kind": "Order Shipped", "when": "2026-11-23T11:30:00Z"},
        "consignment": {"order": {"number": "5"}},
    }
    mapping = {**MAPPING, "types": {"Order Shipped": "order_fulfilled"}}
    assert ADAPTERS["json"].read(delivery(body, mapping=mapping)).events[0].event_type == "order_fulfilled"
    with pytest.raises(Unusable) as refused:
        ADAPTERS["json"].read(delivery(body, mapping=MAPPING))
    assert refused.value.reason == "unmapped"
