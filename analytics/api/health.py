"""GET /api/admin/system-health."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.totals import last_receipt, letters_waiting, waiting
from e2a.health import health_parts, overall
from tenants.access import Access
from tenants.models import Scope

WORKER_AWAY = OpenApiExample(
    "The worker is away",
    response_only=True,
    value={
        "status": "degraded",
        "parts": {"postgres": "ok", "redis": "ok", "worker": "silent for 90 s", "beat": "ok", "radar": "ok"},
        "waiting": {"analyses to make": 12, "actions to do": 3},
        "dead_letters": 4,
        "last_event_received_at": "2026-11-24T14:59:57Z",
        "as_of": "2026-11-24T15:00:00Z",
    },
)


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["ok", "degraded"], help_text="`degraded`: a part is missing.")
    parts = serializers.DictField(
        child=serializers.CharField(), help_text="Of the installation: `ok`, `down`, or how long it was not heard of."
    )
    waiting = serializers.DictField(
        child=serializers.IntegerField(), help_text="What of this tenant is not processed yet, by kind; empty: nothing."
    )
    dead_letters = serializers.IntegerField(help_text="Of this tenant, neither replayed nor discarded.")
    last_event_received_at = serializers.DateTimeField(allow_null=True, help_text="Null: none ever was.")
    as_of = serializers.DateTimeField()


class SystemHealthView(APIView):
    required_scope = Scope.ADMIN

    @extend_schema(operation_id="system_health", responses=HealthSerializer, examples=[WORKER_AWAY], tags=["analytics"])
    def get(self, request: Request) -> Response:
        """What runs, and what waits for it. Without PostgreSQL the answer is 503, as everywhere."""
        access: Access = request.auth  # type: ignore[assignment]
        parts = health_parts()
        found = {
            "status": overall(parts),
            "parts": parts,
            "waiting": waiting(),
            "dead_letters": letters_waiting(),
            "last_event_received_at": last_receipt(),
            "as_of": access.now,
        }
        return Response(HealthSerializer(found).data)
