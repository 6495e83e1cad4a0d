"""The mapping of a source of plain JSON or Standard Webhooks: its keys, and what is wrong with one. Pure.

`order_id`, `event_type`, `occurred_at` and the optional keys are paths (`data.order.id`, `items.0.sku`); `types` leads from
their word for an event to ours, or to null to leave it out; `signature` has header, prefix, encoding and algorithm.
"""

import re

REQUIRED = ("order_id", "event_type", "occurred_at")
OPTIONAL = ("event_id", "tracking_number")
DETAILS = ("shipment_id", "carrier", "promised_delivery_at", "hold_id", "reason", "full")
TYPE_LENGTH = 32
PATH = re.compile(r"[A-Za-z0-9_@$-]{1,64}(\.[A-Za-z0-9_@$-]{1,64}){0,15}", re.ASCII)
HEADER = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
VISIBLE = re.compile(r"[\x21-\x7e]+")
SHAPES = {"encoding": ("hex", "base64"), "algorithm": ("sha256", "sha512", "sha1")}


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
        if ours is not None and not (isinstance(ours, str) and len(ours) <= TYPE_LENGTH and VISIBLE.fullmatch(ours))
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
