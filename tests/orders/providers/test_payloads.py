"""Carriers and warehouses: each payload file gives exactly these events."""

import json
from typing import Any

import pytest

from orders.providers import shipbob, shiphero
from orders.providers.delivery import Unusable
from orders.providers.registry import ADAPTERS
from tenants.models import Provider
from tests.orders.providers.cast import NOW, PAYLOADS, delivery, payload, told

ORDER, HERO = "5823471902915", "5823471902916"
USPS, UPS = "9261290306529427911297", "1Z999AA10123456785"
CHANGES = ("address_corrected", "order_updated")  # of a shipment that is not on hold: so its hold is over
UNTIMED = f"{NOW:%m-%dT%H:%M:%SZ}"  # such a delivery says no time: when it came
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
            ("order_fulfilled", ORDER, "11-23T13:22:05Z", {"shipment": USPS}),
            ("order_fulfilled", ORDER, "11-23T18:01:30Z", {"shipment": UPS}),
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
        ["~order.shipment.on_hold:220013:msg_2", "~order.shipment.on_hold:220013:msg_2:address_invalid"],
    ),
    (
        "shiphero/shipment_update.json",
        "shiphero",
        {"timezone": "America/New_York", "headers": {"x-shiphero-message-id": "m-1"}},
        [("order_fulfilled", ORDER, "03-08T07:30:00Z", {"shipment": "315518042"})],
        ["~shipment_update:315518042:m-1"],
    ),
    *(
        (
            f"shiphero/{file}.json",
            "shiphero",
            {"timezone": "America/New_York", "headers": {"x-shiphero-message-id": "m-2"}},
            [told],
            [f"~{name}:m-2"],
        )
        for file, told, name in (
            ("order_allocated", ("inventory_allocated", HERO, "11-23T14:03:01Z", None), f"order_allocated:{HERO}"),
            ("order_deallocated", ("inventory_shortage", HERO, "11-23T14:40:56Z", None), f"order_deallocated:{HERO}"),
            ("package_added", ("order_packed", HERO, "11-23T15:50:56Z", None), "package_added:168700093"),
            ("order_canceled", ("order_cancelled", HERO, UNTIMED, None), f"order_canceled:{HERO}"),
            ("capture_payment", ("payment_requested", HERO, UNTIMED, None), f"capture_payment:{HERO}"),
            ("return_update", ("return_updated", HERO, "11-23T23:34:33Z", None), f"return_update:{HERO}"),
            (
                "shipment_update_pickup",
                ("order_fulfilled", "Order_#243", "11-23T23:20:15Z", {"shipment": "263653409"}),
                "shipment_update:263653409",
            ),
        )
    ),
    ("shiphero/order_packed_out.json", "shiphero", {}, [], []),
    *(
        (
            f"shipbob/{file}.json",
            "shipbob",
            {"headers": {"x-webhook-topic": topic, "webhook-id": "msg_3"}},
            [
                (kind, ORDER, when, {"shipment": parcel} if parcel else None),
                *([("order_released", ORDER, when, {"hold_id": name})] if kind in CHANGES else []),
            ],
            [f"~{topic}:{name}:msg_3", *([f"~{topic}:{name}:msg_3:order_released"] if kind in CHANGES else [])],
        )
        for file, topic, kind, when, parcel, name in (
            ("shipment_delivered", "order.shipment.delivered", "order_delivered", "11-23T19:55:00Z", USPS, "220011"),
            ("shipment_exception", "order.shipment.exception", "inventory_shortage", "11-23T06:05:00Z", "", "220011"),
            ("shipment_cancelled", "order.shipment.cancelled", "shipment_cancelled", "11-23T07:12:00Z", "", "220012"),
            (
                "tracking_received",
                "order.shipment.tracking_received",
                "fulfillment_created",
                "11-23T12:55:09Z",
                "",
                "100104562",
            ),
            (
                "tracking_updated",
                "order.shipment.tracking.updated",
                "order_delivered",
                "11-23T21:40:00Z",
                USPS,
                "100104562",
            ),
            (
                "shipment_address_updated",
                "order.shipment.address.updated",
                "address_corrected",
                "11-23T08:01:00Z",
                "",
                "220011",
            ),
            *(
                (f"shipment_{what}", f"order.shipment.{topic}", "order_updated", "11-23T08:15:00Z", "", "220011")
                for what, topic in (
                    ("line_item_added", "line_item.added"),
                    ("line_item_removed", "line_item.removed"),
                    ("line_item_updated", "line_item.updated"),
                    ("shipping_service_updated", "shipping_service.updated"),
                )
            ),
        )
    ),
    (
        "shipbob/order_delivered.json",
        "shipbob",
        {"headers": {"x-webhook-topic": "order.delivered", "webhook-id": "msg_4"}},
        [
            ("order_delivered", ORDER, "11-23T19:55:00Z", {"shipment": USPS}),
            ("order_delivered", ORDER, "11-23T20:20:00Z", {"shipment": UPS}),
        ],
        ["~order.delivered:220011:msg_4", "~order.delivered:220012:msg_4"],
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
    assert [json.loads(event.payload) for event in events[:1]] == [json.loads(payload(path))] * bool(expected)


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
    assert first.parcels == [(USPS, "USPS", USPS)]
    assert second.parcels == [(UPS, "UPS", UPS)]
    [picked_up] = ADAPTERS["shiphero"].read(delivery(payload("shiphero/shipment_update_pickup.json"))).events
    assert picked_up.parcels == []  # “Pickup” is no tracking number: all such orders would be one parcel's
    [plain] = ADAPTERS["json"].read(delivery(payload("json/despatched.json"), mapping=MAPPING)).events
    assert plain.parcels == [("P1", "DHL", "JD0002213")]


def test_every_word_of_shipbob_and_shiphero_has_a_payload_file() -> None:
    topics = {more["headers"]["x-webhook-topic"] for _, provider, more, *_ in TABLE if provider == "shipbob"}
    assert topics == set(shipbob.TYPES)
    bodies = [json.loads(payload(path)) for path, provider, *_ in TABLE if provider == "shiphero"]
    words = {str(body.get("webhook_type") or body["fulfillment"]["webhook_type"]).lower() for body in bodies}
    assert words == set(shiphero.TYPES)


def test_wrong_time_of_shiphero_is_told_at_its_field() -> None:
    body = {**json.loads(payload("shiphero/order_allocated.json")), "allocated_at": "yesterday"}
    with pytest.raises(Unusable) as refused:
        ADAPTERS["shiphero"].read(delivery(body))
    assert list(refused.value.errors) == ["allocated_at"]


@pytest.mark.parametrize("word", shiphero.IGNORED)
def test_what_shiphero_tells_of_no_order_is_ignored(word: str) -> None:
    reading = ADAPTERS["shiphero"].read(delivery({"webhook_type": word.title(), "account_id": 1}))
    assert (reading.events, reading.ignored) == ((), "It says nothing about an order.")


def test_what_shiphero_packed_out_without_the_shops_number_says_why_it_is_ignored() -> None:
    reading = ADAPTERS["shiphero"].read(delivery(payload("shiphero/order_packed_out.json")))
    assert reading.ignored == "It names the order only by ShipHero's own number, which no shop knows."
    named = {**json.loads(payload("shiphero/order_packed_out.json")), "partner_order_id": ORDER}
    [packed] = ADAPTERS["shiphero"].read(delivery(named)).events
    assert (packed.event_type, packed.order_id) == ("order_packed", ORDER)


def test_change_of_a_shipment_that_is_still_on_hold_ends_no_hold() -> None:
    body = {**json.loads(payload("shipbob/shipment_address_updated.json")), "status": "OnHold"}
    headers = {"x-webhook-topic": "order.shipment.address.updated", "webhook-id": "m"}
    [event] = ADAPTERS["shipbob"].read(delivery(body, headers)).events
    assert event.event_type == "address_corrected"


TRACKED = json.loads(payload("shipbob/tracking_updated.json"))
TRACKING = {
    "LabelCreated": ("order_packed", None),
    "InTransit": ("shipment_in_transit", USPS),
    "OutForDelivery": ("shipment_in_transit", USPS),
    "DeliveryAttempted": ("delivery_attempted", None),
    "Delivered": ("order_delivered", USPS),
    "Delayed": ("shipment_delayed", USPS),
    "Exception": ("delivery_failed", USPS),
    "ReturnToSender": ("order_returned", USPS),
    "Levitating": ("shipment_tracking", None),
}


@pytest.mark.parametrize("status", TRACKING)
def test_shipbob_tracking_statuses(status: str) -> None:
    headers = {"x-webhook-topic": "order.shipment.tracking.updated", "webhook-id": "m"}
    [event] = ADAPTERS["shipbob"].read(delivery({**TRACKED, "status": status}, headers)).events
    assert (event.event_type, (event.detail or {}).get("shipment")) == TRACKING[status]
    assert bool(event.parcels) == (event.event_type == "order_packed")


def test_every_shipbob_tracking_status_is_tested() -> None:
    assert set(TRACKING) == {*shipbob.TRACKING, "Levitating"}


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
