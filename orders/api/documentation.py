"""The door in the OpenAPI document: plain views, for speed, so that nothing describes them but this page (a test compares)."""

from typing import Any

from orders.events import LENGTHS
from orders.ingest import MAX_EVENTS
from tenants.models import Provider

Json = dict[str, Any]
KEY: list[Json] = [{"Bearer": [], "Tenant": []}]
TAGS = ["events"]
KNOWN_TYPES = (
    "order_created, order_updated, order_cancelled, order_held, order_released, order_refunded, payment_confirmed, "
    "payment_failed, inventory_allocated, inventory_shortage, order_packed, order_fulfilled, shipment_in_transit, "
    "shipment_delayed, delivery_attempted, delivery_failed, order_returned, order_delivered, address_invalid, "
    "address_corrected or event_retracted"
)
EXAMPLE = {
    "source": "wms",
    "event_type": "order_packed",
    "event_id": "evt-1",
    "order_id": "1001",
    "occurred_at": "2026-11-23T10:00:00Z",
    "payload": {"shipment_id": "s-1", "carrier": "ups", "tracking_number": "1Z999"},
}


def visible(name: str, description: str) -> Json:
    return {"type": "string", "pattern": f"^[!-~]{{1,{LENGTHS[name]}}}$", "description": description}


EVENT = {
    "type": "object",
    "description": "A fact. Its identity is (tenant, source, event_id); unknown fields are ignored.",
    "required": ["source", "event_type", "event_id", "order_id", "occurred_at", "payload"],
    "properties": {
        "source": visible("source", "The system that tells it; not `e2a`."),
        "event_type": visible(
            "event_type", f"One of {KNOWN_TYPES}; any other is stored and shown, and decides nothing."
        ),
        "event_id": visible("event_id", "Of the sender's making; the same again is ignored. Not beginning with `~`."),
        "order_id": visible("order_id", "As the merchant knows it."),
        "occurred_at": {
            "type": "string",
            "format": "date-time",
            "description": "ISO 8601 with a zone, from 1970 on, at most 24 hours ahead.",
        },
        "payload": {
            "type": "object",
            "additionalProperties": True,
            "description": "At most 256 KiB and 64 levels. Keys that decide something: promised_delivery_at, hold_id, reason, full, "
            "event_id (of a retraction), shipment_id, carrier, tracking_number.",
        },
        "merchant": {
            "type": ["string", "null"],
            "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
            "maxLength": 64,
            "description": "The client of the 3PL whose order it is; default that of the key, else `default`.",
        },
        "correlation_id": {"type": ["string", "null"], "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "example": EXAMPLE,
}
PROCESSED = {
    "type": "object",
    "required": ["status", "event_id", "order_id", "exceptions"],
    "properties": {
        "status": {"const": "processed"},
        "event_id": {"type": "string"},
        "order_id": {"type": "string"},
        "exceptions": {"type": "array", "items": {"type": "integer"}, "description": "Ids opened or reopened by it."},
    },
    "example": {"status": "processed", "event_id": "evt-1", "order_id": "1001", "exceptions": []},
}
DUPLICATE = {
    "type": "object",
    "required": ["status", "ignored", "event_id"],
    "properties": {"status": {"const": "duplicate"}, "ignored": {"const": True}, "event_id": {"type": "string"}},
    "example": {"status": "duplicate", "ignored": True, "event_id": "evt-1"},
}
BATCH = {
    "type": "object",
    "required": ["events"],
    "properties": {
        "events": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_EVENTS,
            "items": {"description": "An Event. What is wrong with one is in `rejected`; it blocks no other."},
        }
    },
    "example": {"events": [EXAMPLE]},
}
BATCH_RESULT = {
    "type": "object",
    "required": ["processed", "duplicates", "rejected"],
    "properties": {
        "processed": {"type": "integer"},
        "duplicates": {"type": "integer"},
        "rejected": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "event_id", "errors"],
                "properties": {
                    "index": {"type": "integer", "description": "From 0, in the order of sending."},
                    "event_id": {"type": "string", "description": "Empty if it cannot be read."},
                    "errors": {
                        "type": "object",
                        "additionalProperties": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        },
    },
    "example": {
        "processed": 1,
        "duplicates": 0,
        "rejected": [{"index": 1, "event_id": "evt-2", "errors": {"order_id": ["This field is required."]}}],
    },
}
RECEIPT = {
    "type": "object",
    "description": "Once the signature holds, the answer is 200 whatever the content.",
    "required": ["status"],
    "properties": {
        "status": {"enum": ["processed", "duplicate", "ignored", "dead_letter"]},
        "reason": {"type": "string", "description": "Why it was ignored or kept as a dead letter."},
    },
    "example": {"status": "processed"},
}
SCHEMAS = {
    "Event": EVENT,
    "EventProcessed": PROCESSED,
    "EventDuplicate": DUPLICATE,
    "EventBatch": BATCH,
    "EventBatchResult": BATCH_RESULT,
    "WebhookReceipt": RECEIPT,
}


def add_door(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """A postprocessing hook of drf-spectacular, before the one that adds the refusals."""
    result.setdefault("components", {}).setdefault("schemas", {}).update(SCHEMAS)
    door = {"/events": {"post": ONE}, "/events/batch": {"post": MANY}, "/webhooks/{tenant}/{source}": {"post": WEBHOOK}}
    result["paths"] = {**copied(door), **result["paths"]}
    return result


def copied(value: Any) -> Any:
    """Later hooks write into the document; these constants stay as they are."""
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}
    return [copied(inner) for inner in value] if isinstance(value, list) else value


def named(name: str, description: str) -> Json:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
    }


def body(name: str, **more: Json) -> Json:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}, **more}
    return {"required": True, "content": content}


def path_parameter(name: str, description: str, pattern: str) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "pattern": pattern},
    }


ONE: Json = {
    "operationId": "send_event",
    "description": "One event through the door. Answered 2xx it is durable. Scope `ingest`.",
    "tags": TAGS,
    "security": KEY,
    "requestBody": body("Event"),
    "responses": {
        "200": named("EventDuplicate", "The same event is stored already."),
        "201": named("EventProcessed", "Stored and judged."),
        "409": {
            "description": "Its identity is taken by an event with other content; the first stands, this one is kept as a dead letter."
        },
    },
}
MANY: Json = {
    "operationId": "send_batch",
    "description": f"At most {MAX_EVENTS} events and 8 MiB at once, as JSON or as lines. One bad event never blocks the good ones. Scope `ingest`.",
    "tags": TAGS,
    "security": KEY,
    "requestBody": body(
        "EventBatch",
        **{
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "One Event a line."},
                "example": '{"source": "wms", …}',
            }
        },
    ),
    "responses": {"200": named("EventBatchResult", "What became of each.")},
}
WEBHOOK: Json = {
    "operationId": "receive_webhook",
    "description": "A provider's delivery, signed by its own scheme over the raw body; unknown address and wrong signature are the "
    f"same 401. Providers: {', '.join(Provider.values)}.",
    "tags": ["webhooks"],
    "security": [],
    "parameters": [
        path_parameter("tenant", "The tenant's slug.", "^[a-z][a-z0-9-]{2,39}$"),
        path_parameter("source", "The source's name.", "^[a-z][a-z0-9-]{0,15}$"),
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"description": "As the provider sends it."}}},
    },
    "responses": {
        "200": named("WebhookReceipt", "Taken: stored, known already, of no meaning here, or kept as a dead letter."),
        "400": {"description": "The signature headers are torn, or the body did not arrive whole."},
        "401": {"description": "No such address, or the signature is not valid."},
        "413": {"description": "Over 5 MiB."},
        "429": {"description": "Far beyond what a provider sends."},
        "503": {"description": "The database cannot be reached; the provider sends again."},
    },
    "x-complete": True,  # it refuses in no other way
}
