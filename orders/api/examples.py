"""Examples of the OpenAPI document; a test holds each against its schema."""

from typing import Any

from drf_spectacular.utils import OpenApiExample


def answered(name: str, value: Any, *statuses: str) -> OpenApiExample:
    return OpenApiExample(name, response_only=True, status_codes=statuses or ("200",), value=value)


def asked(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, request_only=True, value=value)


EVENT = '{"source": "wms", "event_type": "payment_failed", "event_id": "evt-9", "order_id": "1001", "occurred_at": "soon", "payload": {}}'
LETTER = {
    "id": 4,
    "status": "waiting",
    "source": "wms",
    "reason": "invalid",
    "errors": {"occurred_at": ["Give an ISO 8601 time with a zone, such as 2026-11-23T10:00:00Z."]},
    "entrance": "events",
    "topic": "",
    "event_id": "evt-9",
    "order_id": "1001",
    "received_at": "2026-11-23T10:00:02.431Z",
    "occurrences": 1,
    "tries": 0,
    "tried_at": None,
    "status_at": None,
    "status_by": "",
    "edited_from": None,
    "line_number": None,
    "correlation_id": "order-import-2026-11-23",
}
LETTERS = answered(
    "A page", {"next": "https://acme.example.com/api/dead-letters?cursor=MjAyNi0xMS0yM3w0", "results": [LETTER]}
)
ONE_LETTER = answered(
    "With its raw body",
    {**LETTER, "body": EVENT, "body_base64": "eyJzb3VyY2UiOiAid21zIn0=", "headers": {}, "edits": []},
)
SET_ASIDE = answered(
    "Set aside",
    {**LETTER, "status": "discarded", "status_at": "2026-11-23T11:00:00Z", "status_by": "user:anna"},
)
RESTORED = answered("Waiting again", LETTER)
EDITED = asked("An edited copy, tried dry", {"dry_run": True, "body": EVENT.replace("soon", "2026-11-23T10:00:00Z")})
REPLAYED_ONE = answered(
    "What would change",
    {
        "dry_run": True,
        "id": 4,
        "outcome": "stored",
        "events": [{"event_type": "payment_failed", "order_id": "1001"}],
        "errors": {},
        "note": "",
        "effects": [{"order_id": "1001", "merchant": "default", "reason": "PAYMENT_FAILED", "effect": "opened"}],
    },
)
RUN = {
    "id": 3,
    "status": "running",
    "asked_at": "2026-11-23T11:00:00Z",
    "asked_by": "user:anna",
    "total": 12000,
    "done": 8000,
    "counts": {"stored": 7990, "refused": 10},
    "finished_at": None,
}
PROGRESS = answered("Under way", RUN)
REPLAY_ALL = asked(
    "All that a source's wrong clock refused", {"source": ["wms"], "reason": ["invalid"], "dry_run": True}
)
UNDER_WAY = answered(
    "It goes on in the background",
    {"dry_run": False, "matched": 12000, "counts": RUN["counts"], "replay": RUN, "letters": [], "effects": []},
    "202",
)
EXPLANATION = answered(
    "Why it is due then",
    {
        "order_id": "1001",
        "merchant": "default",
        "stages": [
            {
                "stage": "shipping_preparation",
                "state": "RUNNING",
                "rule": "Express",
                "excluded": "",
                "target": "4 working hours",
                "calendar": "Lisbon",
                "timezone": "Europe/Lisbon",
                "started_at": "2026-11-23T16:00:00Z",
                "ended_at": None,
                "target_seconds": 14400,
                "cutoff": "",
                "segments": [
                    {
                        "kind": "counted",
                        "since": "2026-11-23T16:00:00Z",
                        "until": "2026-11-23T18:00:00Z",
                        "seconds": 7200.0,
                        "reason": "",
                        "actor": "",
                    },
                    {
                        "kind": "counted",
                        "since": "2026-11-24T09:00:00Z",
                        "until": "2026-11-24T11:00:00Z",
                        "seconds": 7200.0,
                        "reason": "",
                        "actor": "",
                    },
                ],
                "ignored": [],
                "at_risk_at": "2026-11-24T10:00:00Z",
                "due_at": "2026-11-24T11:00:00Z",
                "unpaused_due_at": "2026-11-23T20:00:00Z",
                "difference": "15 hours later, for the hours in which nobody works.",
            }
        ],
    },
)
