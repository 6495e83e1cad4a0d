"""GET /api/orders/ORDER_ID/explanation: how each due time came about."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from e2a.errors import Unprocessable
from orders.api import examples
from orders.api.orders import candidates, order_by, order_json
from orders.explaining import Explained, explain_order
from orders.explanation import Explanation
from orders.models import StageState
from orders.selectors import STAGE_NAMES, NoSuchOrder
from orders.wording import difference, pause_words, roll_words, target_words
from tenants.access import Access
from tenants.models import Scope

SEGMENT_KINDS = [
    ("counted", "Counted"),
    ("closed", "Closed"),
    ("day_off", "Day off"),
    ("paused", "Paused"),
    ("rest", "The rest, in one piece"),
]


class SegmentSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(SEGMENT_KINDS)
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True, help_text="Null while the pause is open.")
    seconds = serializers.SerializerMethodField(
        help_text="What it adds to the target; of a pause, by how much it moved the due time."
    )
    reason = serializers.CharField(help_text="The day off's name, or what paused the clock.")
    actor = serializers.CharField(help_text="Who paused it.")

    def get_seconds(self, segment: Any) -> float:
        length: float = segment.length.total_seconds()
        return length


class IgnoredPauseSerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    actor = serializers.CharField()
    sentence = serializers.SerializerMethodField()

    def get_sentence(self, pause: Any) -> str:
        return f"It moved nothing: {pause_words(pause)}."


class ExplanationSerializer(serializers.Serializer[Any]):
    """Context: `timezone` of the tenant."""

    stage = serializers.CharField()
    state = serializers.ChoiceField(StageState.choices)
    rule = serializers.CharField()
    excluded = serializers.CharField(help_text="Why the rule sets no deadline; else empty.")
    target = serializers.SerializerMethodField(help_text="The target in words.")
    calendar = serializers.CharField(help_text="By which it counts; empty where every hour does.")
    timezone = serializers.SerializerMethodField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    target_seconds = serializers.IntegerField(allow_null=True)
    cutoff = serializers.SerializerMethodField(help_text="What a cut-off made of it, in words; else empty.")
    segments = SegmentSerializer(many=True)
    ignored = IgnoredPauseSerializer(many=True)
    at_risk_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    unpaused_due_at = serializers.DateTimeField(allow_null=True, help_text="By the wall clock, without any pause.")
    difference = serializers.SerializerMethodField(help_text="Why the two differ, in words; else empty.")

    def get_timezone(self, explained: Explanation) -> str:
        return explained.timezone or str(self.context["timezone"])

    def get_target(self, explained: Explanation) -> str:
        return target_words(explained.target, explained.calendar)

    def get_cutoff(self, explained: Explanation) -> str:
        return roll_words(explained.roll, self.get_timezone(explained)) if explained.roll else ""

    def get_difference(self, explained: Explanation) -> str:
        return difference(explained, self.get_timezone(explained))


class OrderExplanationSerializer(serializers.Serializer[Any]):
    order_id = serializers.CharField()
    merchant = serializers.CharField()
    stages = ExplanationSerializer(many=True, help_text="Those that are not pending.")


class ExplanationView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="orders_explanation",
        parameters=[
            OpenApiParameter(
                "order_id", str, OpenApiParameter.PATH, description="As its merchant knows it, URL-encoded."
            ),
            OpenApiParameter("merchant", str, description="Needed when several merchants have an order with this id."),
            OpenApiParameter("stage", str, enum=STAGE_NAMES, description="One stage only."),
        ],
        responses=OrderExplanationSerializer,
        examples=[examples.EXPLANATION],
        tags=["orders"],
    )
    def get(self, request: Request, order_id: str) -> Response:
        """For each due time the pieces that make it: counted, closed, days off, pauses with who and why, the cut-off.

        Of an order whose id itself ends in `/explanation` this address gives the order, unless there is one of the id before it.
        """
        stage = request.query_params.get("stage", "")
        if stage and stage not in STAGE_NAMES:
            raise Unprocessable(errors={"stage": [f"“{stage[:40]}” is no stage: use {', '.join(STAGE_NAMES)}."]})
        try:
            order = order_by(candidates(order_id), request.query_params.get("merchant", ""))
        except NoSuchOrder:
            return Response(order_json(request, order_id + request.path[request.path.rindex("/explanation") :]))
        explained = explain_order(cast(Access, request.auth).schema, order, stage=stage)
        return Response(explanation_json(order.order_id, order.merchant, explained))


def explanation_json(order_id: str, merchant: str, explained: Explained) -> dict[str, Any]:
    stages = ExplanationSerializer(explained.stages, many=True, context={"timezone": explained.timezone}).data
    return {"order_id": order_id, "merchant": merchant, "stages": stages}
