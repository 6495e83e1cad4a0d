"""Examples of the OpenAPI document; a test holds each against its schema."""

from drf_spectacular.utils import OpenApiExample

from orders.api.examples import answered, asked

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
BODIES = {
    "acknowledge": asked("With a note", {"reason": "calling the carrier"}),
    "start": asked("With a note", {"reason": "on it"}),
    "resolve": asked(
        "What was done, and what it was",
        {"resolution": "reshipped", "label": "carrier_lost", "reason": "a second parcel left today"},
    ),
    "reopen": asked("Why", {"reason": "the second parcel is lost too"}),
    "assign": asked("To a member; null takes it from everybody", {"assignee": "anna", "reason": "knows the carrier"}),
    "snooze": asked(
        "Until the next scan; null ends it", {"until": "2026-11-24T09:00:00Z", "reason": "scan due at nine"}
    ),
    "comment": asked("A mention", {"text": "@anna the depot says Thursday."}),
    "tag": asked("One tag", {"tag": "storm-porto"}),
    "untag": asked("One tag", {"tag": "storm-porto"}),
}
ANALYSIS = {
    "id": 5,
    "occurrence": 1,
    "state": "done",
    "source": "ai",
    "source_title": "AI",
    "fallback": "",
    "label": "shipping_delay",
    "confidence": 0.86,
    "blame": "carrier",
    "root_cause": "The parcel has not been scanned for 31 hours since it reached the depot.",
    "evidence": [{"event_id": "evt-7", "source": "carrier", "shows": "The last scan, at the depot."}],
    "ops_note": "Ask the carrier for a trace.",
    "client_note": "Your parcel is on its way, but later than planned.",
    "action": "email_customer",
    "provider": "openrouter",
    "model": "example/model-1",
    "prompt_version": "3",
    "tokens": 812,
    "cost_usd": "0.000410",
    "latency_ms": 1840,
    "created_at": "2026-11-23T10:30:02Z",
    "finished_at": "2026-11-23T10:30:05Z",
}
ANALYSED = answered("By the AI", ANALYSIS)
ASKED_AGAIN = answered("Waiting for a new answer", {**ANALYSIS, "state": "waiting", "finished_at": None}, "202")
FEEDBACK = asked("What it really was", {"really": "carrier_lost", "comment": "the carrier says so today"})
SWITCH = asked("Off", {"on": False, "reason": "the month's budget goes to returns"})
STANDING = answered(
    "Off",
    {"model": "example/model-1", "prompt_version": "3", "on": False, "reason": "the month's budget goes to returns"},
)
SCOREBOARD = answered(
    "Rules only",
    {
        "days": 30,
        "current": None,
        "analysts": [
            {
                "who": "rules",
                "model": "",
                "prompt_version": "",
                "spoke": 320,
                "tried": 320,
                "prevailed": 320,
                "judged": 40,
                "right": 34,
                "accuracy": 0.85,
                "low": 0.71,
                "high": 0.93,
                "calibration_gap": 0.04,
                "bins": [{"low": 0.8, "high": 0.9, "count": 40, "stated": 0.81, "right": 0.85}],
                "confusion": {"shipping_delay": {"shipping_delay": 34, "carrier_lost": 6}},
                "tokens": 0,
                "cost_usd": None,
                "median_ms": 3,
                "slow_ms": 9,
                "thumbs_up": 12,
                "thumbs_down": 2,
            }
        ],
        "rules_answered_because": [{"reason": "no_key", "count": 320}],
    },
)
ATTEMPT = {
    "id": 9,
    "exception_id": 17,
    "kind": "shopify_cancel",
    "title": "Cancel the order in the shop",
    "state": "awaiting",
    "mode": "approve",
    "actor": "playbook",
    "playbook": "payment-failed",
    "playbook_version": 1,
    "step": 2,
    "parameters": {"reason": "DECLINED", "note": "Not paid", "notify_customer": True},
    "idempotency_key": "8c2f7d0e-3a55-4a51-9f0f-2c5a1f8f6b11",
    "irreversible": True,
    "undoable": False,
    "undo": "",
    "cost": "",
    "money_cents": 12990,
    "currency": "EUR",
    "approver": "manager",
    "approvals_needed": 1,
    "approvals": [],
    "tries": 0,
    "due_at": None,
    "request": None,
    "answer": "",
    "outcome": "",
    "expects": ["order_cancelled"],
    "expect_until": None,
    "met_by": "",
    "created_at": "2026-11-23T10:30:06Z",
    "sent_at": None,
    "answered_at": None,
    "ended_at": None,
}
ATTEMPTS = answered("A cancelling that waits for a manager", {"results": [ATTEMPT]})
DRY_RUN = {
    "id": 2,
    "kind": "shopify_tag",
    "parameters": {"tags": ["late"]},
    "possible": True,
    "outcome": "The order would be given the tag “late”.",
    "request": {"tags": ["late"]},
    "cost": "",
    "undo": "Take the tags off again.",
    "money_cents": None,
    "currency": "",
    "asked_at": "2026-11-23T10:31:00Z",
    "answered_at": "2026-11-23T10:31:01Z",
}
LOOKED = answered("What it would do", DRY_RUN)
LOOKING = answered(
    "A worker looks", {**DRY_RUN, "possible": None, "outcome": "", "request": None, "answered_at": None}, "202"
)
PLAYBOOK = {
    "reason_code": "PAYMENT_FAILED",
    "version": 1,
    "name": "payment-failed",
    "enabled": True,
    "steps": [
        {
            "kind": "email_customer",
            "mode": "automatic",
            "parameters": {
                "subject": "Your payment for order {order}",
                "text": "Dear {customer},\n\nplease pay once more.\n",
            },
            "expects": ["payment_confirmed"],
            "within_minutes": 1440,
        }
    ],
    "note": "As a new tenant starts with",
    "created_by": "user:anna",
    "created_at": "2026-11-23T09:00:00Z",
}
ONE_PLAYBOOK = answered("A playbook", PLAYBOOK)
SWITCHED_OFF = answered("Off, as a new version", {**PLAYBOOK, "version": 2, "enabled": False, "note": ""})
PLAYBOOKS = answered("Playbooks", {"results": [PLAYBOOK]})
KINDS = answered(
    "One kind",
    {
        "results": [
            {
                "name": "shopify_tag",
                "title": "Tag the order in the shop",
                "channel": "shopify",
                "does": "Adds tags to the order; those that it has stay.",
                "undo": "Take the tags off again.",
                "irreversible": False,
                "customer_sees": False,
                "moves_money": False,
                "parameters": [
                    {
                        "name": "tags",
                        "title": "Tags",
                        "shape": "tags",
                        "required": True,
                        "at_run": False,
                        "choices": [],
                    }
                ],
            }
        ]
    },
)
OUTCOMES = answered(
    "How e-mails to customers went",
    {
        "results": [
            {
                "kind": "email_customer",
                "title": "Write to the customer",
                "done": 120,
                "fulfilled": 88,
                "missed": 22,
                "failed": 2,
                "uncertain": 1,
                "waiting": 7,
                "success_rate": 0.78,
            }
        ]
    },
)
TARGET = {
    "name": "wms",
    "channel": "webhook",
    "address": "wms.example.com",
    "signed": True,
    "active": True,
    "created_by": "user:anna",
    "created_at": "2026-11-23T09:00:00Z",
}
ONE_TARGET = answered("A webhook", TARGET)
TARGETS = answered("Targets", {"results": [TARGET]})
MADE_TARGET = answered("The secret is shown this once", {**TARGET, "secret": "whsec_…"}, "201")
ROTATED = answered("The new secret, shown this once", {**TARGET, "secret": "whsec_…"})
CHANGE_TARGET = asked("Off", {"active": False})
DELIVERY = {
    "id": 31,
    "key": "6c9d2c1e-5a53-4d0e-9b77-0a4f1f6f2f10",
    "channel": "webhook",
    "target": "wms",
    "exception_id": 17,
    "state": "failed",
    "tries": 8,
    "due_at": None,
    "log": [{"at": "2026-11-23T10:31:00Z", "outcome": "refused", "answer": "HTTP 500", "ms": 120}],
    "created_at": "2026-11-23T10:30:59Z",
    "ended_at": "2026-11-24T10:31:00Z",
}
DELIVERIES = answered("A webhook that failed", {"results": [DELIVERY]})
SENT_AGAIN = answered(
    "It waits to be sent", {**DELIVERY, "state": "waiting", "due_at": "2026-11-24T12:00:00Z", "ended_at": None}
)
MEASURED = {
    "key": "",
    "name": "All",
    "runs": 140,
    "taken": 131,
    "mtta": 412.0,
    "median_tta": 260.0,
    "ended": 118,
    "mttr": 9120.0,
    "median_ttr": 5400.0,
    "in_open": 412.0,
    "in_acknowledged": 1800.0,
    "in_progress": 6900.0,
}
TIMES = answered(
    "In seconds",
    {"all": MEASURED, "groups": [{**MEASURED, "key": "PAYMENT_FAILED", "name": "Payment failed", "runs": 30}]},
)
INBOX = answered(
    "A page",
    {
        "unread": 1,
        "before": None,
        "results": [
            {
                "id": 88,
                "matter": "mentioned",
                "text": "ben: @anna the depot says Thursday.",
                "exception_id": 17,
                "order_id": "1001",
                "created_at": "2026-11-23T10:41:00Z",
                "read_at": None,
            }
        ],
    },
)
READ = asked("All up to this one", {"through": 88})
WERE_READ = answered("How many were unread", {"read": 1})
