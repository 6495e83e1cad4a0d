"""Examples of the OpenAPI document."""

from drf_spectacular.utils import OpenApiExample

ONE = {
    "id": 17,
    "order_id": "1001",
    "merchant": "default",
    "reason_code": "PAYMENT_DELAY",
    "status": "ACKNOWLEDGED",
    "severity": "MEDIUM",
    "priority": 40,
    "verdict": "active",
    "resolution": None,
    "opened_at": "2026-11-23T10:30:00Z",
    "ended_at": None,
    "due_at": "2026-11-23T10:30:00Z",
    "stage": "payment_processing",
    "overdue_seconds": 1260,
    "occurrence_count": 1,
    "assignee": "anna",
    "snoozed_until": None,
    "tags": ["storm-porto"],
    "acknowledged_at": "2026-11-23T10:41:00Z",
    "resolved_at": None,
    "resolved_by": None,
    "history": False,
    "resolution_attempts": 0,
    "max_resolution_attempts": 3,
    "resolution_blocked": False,
    "resolution_blocked_reason": "",
    "first_seen_at": "2026-11-23T10:30:01Z",
    "updated_at": "2026-11-23T10:41:00Z",
}
TIMELINE = [
    {
        "at": "2026-11-23T10:30:01Z",
        "kind": "opened",
        "actor": "radar",
        "reason": "deadline",
        "detail": {"severity": "MEDIUM"},
    },
    {"at": "2026-11-23T10:41:00Z", "kind": "acknowledged", "actor": "user:anna", "reason": "", "detail": {}},
]
PAGE = OpenApiExample(
    "A page",
    response_only=True,
    value={"next": "https://acme.example.com/api/exceptions?cursor=MjAyNi0xMS0yM1QxMDozMDowMHwxNw", "results": [ONE]},
)
DETAIL = OpenApiExample(
    "An exception",
    response_only=True,
    status_codes=["200"],
    value={
        **ONE,
        "priority_parts": {"severity": 40},
        "occurrence_key": "stage",
        "order_status": "CREATED",
        "timeline": TIMELINE,
        "analysis": None,
        "actions": [],
    },
)
BULK = OpenApiExample(
    "Acknowledge all that is critical",
    request_only=True,
    value={
        "action": "acknowledge",
        "filter": {"severity": ["CRITICAL"], "status": ["OPEN"]},
        "reason": "storm in Porto",
    },
)
BULK_OUTCOME = OpenApiExample(
    "What became of it",
    response_only=True,
    value={"changed": 41, "refused": 1, "refusals": [{"id": 17, "detail": "It is RESOLVED now; …"}]},
)
