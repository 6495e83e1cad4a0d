"""Prometheus metrics, named as CONTRACT 6 says. Several processes share one multiprocess directory."""

from prometheus_client import Counter, Histogram

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
REQUEST_SECONDS = Histogram("e2a_request_seconds", "Time to answer.", ["method", "route", "status"], buckets=SECONDS)
INGEST_SUCCESS = Counter("octup_ingest_success_total", "Events stored.", ["tenant", "event_type", "source"])
INGEST_ERRORS = Counter("octup_ingest_errors_total", "Events refused.", ["tenant", "source", "reason"])
INGEST_SECONDS = Histogram("octup_ingest_latency_seconds", "Time in the door, a call.", ["tenant"], buckets=SECONDS)
SLA_BREACHES = Counter("octup_sla_breach_total", "Exceptions opened.", ["tenant", "reason_code", "severity"])
SLA_SECONDS = Histogram(
    "octup_sla_evaluation_duration_seconds", "Time in the fold, a call.", ["tenant"], buckets=SECONDS
)
AI_REQUESTS = Counter(
    "octup_ai_requests_total", "Calls to the AI provider.", ["provider", "model", "operation", "status"]
)
AI_FAILURES = Counter(
    "octup_ai_failures_total", "Analyses that were tried with the AI and fell back.", ["provider", "model", "reason"]
)
AI_TOKENS = Counter("octup_ai_tokens_used_total", "Tokens charged.", ["provider", "model"])


class Words:
    """Keeps a metric's labels few where a sender chooses them: a tenant's first words are kept, the rest are `other`."""

    def __init__(self, most: int = 50) -> None:
        self.most = most
        self.known: dict[str, set[str]] = {}

    def of(self, tenant: str, word: str) -> str:
        known = self.known.setdefault(tenant, set())
        if word not in known:
            if len(known) >= self.most:
                return "other"
            known.add(word)
        return word


EVENT_TYPES, SOURCES = Words(), Words()
