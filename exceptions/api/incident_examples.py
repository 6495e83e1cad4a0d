"""Examples of incidents in the OpenAPI document."""

from drf_spectacular.utils import OpenApiExample

ONE = {
    "id": 4,
    "rule": "carrier-lane",
    "title": "Carrier in trouble on a lane",
    "shared": {"carrier": "UPS", "destination": "DE"},
    "state": "confirmed",
    "silenced": False,
    "closed_how": "",
    "exceptions": 41,
    "exceptions_open": 38,
    "orders": 40,
    "orders_open": 37,
    "merchants": 6,
    "stake": [{"currency": "EUR", "cents": 412050}],
    "stake_unpriced": 3,
    "value": [{"currency": "EUR", "cents": 441900}],
    "value_unpriced": 3,
    "first_at": "2026-11-23T08:12:00Z",
    "last_at": "2026-11-23T10:30:00Z",
    "found_at": "2026-11-23T08:40:12Z",
    "confirmed_at": "2026-11-23T08:55:00Z",
    "confirmed_by": "user:anna",
    "silenced_at": None,
    "silenced_by": "",
    "closed_at": None,
    "closed_by": "",
    "quiet_until": None,
    "merged_into": None,
}
TIMELINE = [
    {
        "at": "2026-11-23T08:40:12Z",
        "kind": "opened",
        "actor": "incidents",
        "reason": "",
        "detail": {"orders": 5, "exceptions": 5},
    },
    {"at": "2026-11-23T08:55:00Z", "kind": "confirmed", "actor": "user:anna", "reason": "strike", "detail": {}},
]
PAGE = OpenApiExample("A page", response_only=True, value={"next": None, "results": [ONE]})
DETAIL = OpenApiExample(
    "An incident", response_only=True, status_codes=["200"], value={**ONE, "timeline": TIMELINE, "taken_out": [17]}
)
NOTE = OpenApiExample("With a note", request_only=True, value={"reason": "the carrier's depot is on strike"})
TAKE_OUT = OpenApiExample("Another cause", request_only=True, value={"exception": 17, "reason": "lost by ourselves"})
