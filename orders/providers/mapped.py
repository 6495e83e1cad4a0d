"""Reading a body by the mapping of its source, and checking such a mapping before it is saved. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from orders.detail import DetailError, detail_of
from orders.events import LENGTHS, VISIBLE
from orders.providers.delivery import Delivery, Reading, Unusable
from orders.providers.reading import body_of, dig, event, identity, instant, visible
from orders.providers.signatures import ALGORITHMS

REQUIRED = ("order_id", "event_type", "occurred_at")
OPTIONAL = ("event_id", "merchant", "tracking_number")
DETAILS = ("shipment_id", "carrier", "promised_delivery_at", "hold_id", "reason", "full")
PATH = re.compile(r"[A-Za-z0-9_@$-]{1,64}(\.[A-Za-z0-9_@$-]{1,64}){0,15}", re.ASCII)
HEADER = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
SHAPES = {"encoding": ("hex", "base64"), "algorithm": tuple(ALGORITHMS)}


def read_mapped(delivery: Delivery, mapping: Mapping[str, Any], fallback_id: str) -> Reading:
    """One event. Its id is the mapping's `event_id`, else `fallback_id`. Raises: Unusable."""
    body = body_of(delivery)
    found = {name: dig(body, str(mapping[name])) for name in (*REQUIRED, *OPTIONAL, *DETAILS) if mapping.get(name)}
    theirs = visible(found.get("event_type"), "event_type", length=128)
    kind = _type(mapping, theirs)
    if kind is None:
        return Reading(ignored=f"The mapping leaves out “{theirs[:64]}”.")
    number = visible(found.get("tracking_number"), "tracking_number", required=False)
    order = visible(found.get("order_id"), "order_id", required=not number)
    named = visible(found.get("event_id"), "event_id", required=False)
    values = {name: found[name] for name in DETAILS if found.get(name) is not None}
    try:
        detail = detail_of(kind, values)
    except DetailError as error:
        raise Unusable("invalid", {error.key: [error.sentence]}, order_ref=order) from None
    made = event(
        delivery,
        kind,
        identity(named) if named else fallback_id,
        at=instant(found.get("occurred_at"), delivery.timezone, "occurred_at"),
        payload=body,
        order_id=order,
        detail=detail,
        tracking_number="" if order else number,
        parcels=_parcels(kind, values, number) if order else (),
    )
    return Reading([made])


def _type(mapping: Mapping[str, Any], theirs: str) -> str | None:
    """Our word for theirs: as `types` says; null there leaves it out; what `types` does not name is kept as it is."""
    types = mapping.get("types")
    ours = types.get(theirs, theirs) if isinstance(types, dict) else theirs
    if ours is None:
        return None
    if len(ours) > LENGTHS["event_type"]:
        raise Unusable(
            "unmapped", {"event_type": [f"“{ours[:64]}” is longer than 32 characters: name it in the mapping's types."]}
        )
    return str(ours)


def _parcels(kind: str, values: Mapping[str, Any], number: str) -> list[tuple[str, str, str]]:
    if not number or kind not in ("order_packed", "order_fulfilled", "fulfillment_created"):
        return []
    return [(str(values.get("shipment_id", ""))[:128], str(values.get("carrier", ""))[:64], number)]


def mapping_troubles(mapping: object, *, standard: bool = False) -> list[str]:
    """Sentences, for the form that edits a source; none if the mapping can be used."""
    if not isinstance(mapping, dict):
        return ["The mapping must be a JSON object."]
    known = {*REQUIRED, *OPTIONAL, *DETAILS, "types", "signature"}
    troubles = [f"“{key}” is not known; use {', '.join(sorted(known))}." for key in mapping if key not in known]
    if not standard:
        troubles += [
            f"“{name}” is missing: give the path to it, such as data.{name}."
            for name in REQUIRED
            if not mapping.get(name)
        ]
    for name in (*REQUIRED, *OPTIONAL, *DETAILS):
        value = mapping.get(name, "x")
        if not isinstance(value, str) or not PATH.fullmatch(value):
            troubles.append(f"“{name}” must be a path of keys and positions joined by dots, such as data.order.id.")
    return troubles + _type_troubles(mapping.get("types", {})) + _signature_troubles(mapping.get("signature", {}))


def _type_troubles(types: object) -> list[str]:
    if not isinstance(types, dict):
        return ["“types” must be an object: their word for an event on the left, ours on the right."]
    return [
        f"types: “{theirs}” must lead to one of our event types (at most 32 characters), or to null to leave it out."
        for theirs, ours in types.items()
        if ours is not None
        and not (isinstance(ours, str) and len(ours) <= LENGTHS["event_type"] and VISIBLE.fullmatch(ours))
    ]


def _signature_troubles(signature: object) -> list[str]:
    if not isinstance(signature, dict):
        return ["“signature” must be an object with header, prefix, encoding and algorithm."]
    troubles = []
    if not isinstance(signature.get("header", "x"), str) or not HEADER.fullmatch(signature.get("header", "x")):
        troubles.append("signature: “header” must be the name of an HTTP header, such as X-Signature.")
    if not isinstance(signature.get("prefix", ""), str):
        troubles.append("signature: “prefix” must be the text before the signature, such as sha256=.")
    for key, allowed in SHAPES.items():
        if key in signature and signature[key] not in allowed:
            troubles.append(f"signature: “{key}” must be one of {', '.join(allowed)}.")
    return troubles
