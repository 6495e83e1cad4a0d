"""Reading a body by the mapping of its source (tenants/mapping.py). Pure."""

from collections.abc import Mapping
from typing import Any

from orders.detail import DetailError, detail_of
from orders.events import LENGTHS, VISIBLE
from orders.providers.delivery import Delivery, Reading, Unusable
from orders.providers.reading import body_of, dig, event, identity, instant, visible
from tenants.mapping import DETAILS, OPTIONAL, REQUIRED


def read_mapped(delivery: Delivery, mapping: Mapping[str, Any], fallback_id: str) -> Reading:
    """One event. Its id is the mapping's `event_id`, else `fallback_id`. Raises: Unusable."""
    body = body_of(delivery)
    found = {name: dig(body, str(mapping[name])) for name in (*REQUIRED, *OPTIONAL, *DETAILS) if mapping.get(name)}
    theirs = found.get("event_type")
    if not isinstance(theirs, str) or not theirs:
        raise Unusable("invalid", {"event_type": ["It is missing or no text."]})
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
    if len(ours) > LENGTHS["event_type"] or not VISIBLE.fullmatch(ours):
        raise Unusable(
            "unmapped", {"event_type": [f"“{ours[:64]}” is no type of ours: name it in the mapping's types."]}
        )
    return str(ours)


def _parcels(kind: str, values: Mapping[str, Any], number: str) -> list[tuple[str, str, str]]:
    if not number or kind not in ("order_packed", "order_fulfilled", "fulfillment_created"):
        return []
    return [(str(values.get("shipment_id", ""))[:128], str(values.get("carrier", ""))[:64], number)]
