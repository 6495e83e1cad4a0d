"""GET /api/dashboard/metrics."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.selectors import metrics_of
from tenants.access import Access
from tenants.models import Scope, Tenant

TODAY = OpenApiExample(
    "An afternoon",
    response_only=True,
    value={
        "active_exceptions": 12,
        "sla_compliance_rate": 0.9541,
        "orders_processed_today": 431,
        "ai_analysis_success_rate": None,
        "why": {"ai_analysis_success_rate": "No analysis was tried with the AI today."},
        "as_of": "2026-11-24T15:00:00Z",
        "day_started_at": "2026-11-24T00:00:00Z",
    },
)


class MetricsSerializer(serializers.Serializer[Any]):
    active_exceptions = serializers.IntegerField(help_text="Not resolved, and not found never to have been.")
    sla_compliance_rate = serializers.FloatField(
        allow_null=True,
        help_text="0 to 1: of the stages with a due time that ended or fell due today, the share not breached.",
    )
    orders_processed_today = serializers.IntegerField(help_text="Orders with an event received today.")
    ai_analysis_success_rate = serializers.FloatField(
        allow_null=True,
        help_text="0 to 1: of today's analyses that were tried with the AI, the share that did not fall back.",
    )
    why = serializers.DictField(child=serializers.CharField(), help_text="For each number that is null, a sentence.")
    as_of = serializers.DateTimeField()
    day_started_at = serializers.DateTimeField(source="day", help_text="Midnight in the tenant's zone.")


class MetricsView(APIView):
    required_scope = Scope.READ

    @extend_schema(operation_id="dashboard_metrics", responses=MetricsSerializer, examples=[TODAY], tags=["analytics"])
    def get(self, request: Request) -> Response:
        """The four numbers of the overview. Counted at each request; null where there is nothing to count."""
        access: Access = request.auth  # type: ignore[assignment]
        zone = Tenant.objects.values_list("timezone", flat=True).get(schema_name=access.schema)
        return Response(MetricsSerializer(metrics_of(zone, access.now)).data)
