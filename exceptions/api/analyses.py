"""/api/exceptions/ID/analysis…, /api/exceptions/analyses…: what people say of an analysis, and how well the analysts do."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from e2a.errors import Conflict
from exceptions.analyst.feedback import say
from exceptions.analyst.models import Analysis
from exceptions.analyst.scoreboard import Analyst, board_since
from exceptions.analyst.services import analyse_again
from exceptions.analyst.standing import current_analyst, latest_of, switch_current
from exceptions.analyst.words import CAUSE_CHOICES, Action, Blame, Fallback, Judge, Label
from exceptions.api import examples
from exceptions.api.asking import asking_of
from tenants.models import Scope

TAGS = ["analyses"]
DEFAULT_DAYS, MOST_DAYS = 30, 366


class EvidenceSerializer(serializers.Serializer[Any]):
    event_id = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    shows = serializers.CharField()


class AnalysisSerializer(serializers.ModelSerializer[Analysis]):
    """`source` says who answered; `fallback` why it was the rules. While `state` is not `done`, the rest is empty or old."""

    state = serializers.CharField(help_text="waiting, running or done.")
    source = serializers.ChoiceField(Judge.choices, source="judge", allow_blank=True)  # type: ignore[assignment]
    source_title = serializers.CharField(source="get_judge_display", help_text="“AI” or “Rule-based”.")
    fallback = serializers.ChoiceField(Fallback.choices, allow_blank=True)
    label = serializers.ChoiceField(Label.choices, allow_blank=True)  # type: ignore[assignment]
    blame = serializers.ChoiceField(Blame.choices, allow_blank=True)
    action = serializers.ChoiceField(Action.choices, allow_blank=True)
    confidence = serializers.FloatField(allow_null=True, min_value=0, max_value=1)
    evidence = EvidenceSerializer(many=True)

    class Meta:
        model = Analysis
        fields = (
            "id",
            "occurrence",
            "state",
            "source",
            "source_title",
            "fallback",
            "label",
            "confidence",
            "blame",
            "root_cause",
            "evidence",
            "ops_note",
            "client_note",
            "action",
            "provider",
            "model",
            "prompt_version",
            "tokens",
            "cost_usd",
            "latency_ms",
            "created_at",
            "finished_at",
        )


class FeedbackSerializer(serializers.Serializer[Any]):
    """At least one of the two."""

    helpful = serializers.BooleanField(required=False, allow_null=True, default=None, help_text="The thumb.")
    really = serializers.ChoiceField(
        CAUSE_CHOICES, required=False, allow_blank=True, default="", help_text="What it really was."
    )
    comment = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)


class SwitchSerializer(serializers.Serializer[Any]):
    on = serializers.BooleanField()
    reason = serializers.CharField(max_length=500, error_messages={"required": "Say why: `reason` is missing."})


class StandingSerializer(serializers.Serializer[Any]):
    model = serializers.CharField()
    prompt_version = serializers.CharField()
    on = serializers.BooleanField()
    reason = serializers.CharField()


class BinSerializer(serializers.Serializer[Any]):
    low = serializers.FloatField()
    high = serializers.FloatField()
    count = serializers.IntegerField()
    stated = serializers.FloatField()
    right = serializers.FloatField()


class AnalystSerializer(serializers.Serializer[Any]):
    """`accuracy` with its 95% bounds is over the `judged` answers: those of which somebody said what it really was."""

    who = serializers.CharField(help_text="rules or ai.")
    model = serializers.CharField()
    prompt_version = serializers.CharField()
    spoke = serializers.IntegerField()
    tried = serializers.IntegerField()
    prevailed = serializers.IntegerField()
    judged = serializers.IntegerField(source="score.count")
    right = serializers.IntegerField(source="score.right")
    accuracy = serializers.FloatField(source="score.accuracy", allow_null=True)
    low = serializers.FloatField(source="score.low", allow_null=True)
    high = serializers.FloatField(source="score.high", allow_null=True)
    calibration_gap = serializers.FloatField(source="score.gap", allow_null=True)
    bins = BinSerializer(source="score.bins", many=True)
    confusion = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))
    tokens = serializers.IntegerField()
    cost_usd = serializers.DecimalField(max_digits=18, decimal_places=6, allow_null=True)
    median_ms = serializers.IntegerField(
        allow_null=True, help_text="Of its calls; of the rules, of reading and judging."
    )
    slow_ms = serializers.IntegerField(allow_null=True, help_text="95th percentile.")
    thumbs_up = serializers.IntegerField()
    thumbs_down = serializers.IntegerField()


class ReasonCountSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    count = serializers.IntegerField()


class ScoreboardSerializer(serializers.Serializer[Any]):
    days = serializers.IntegerField()
    current = StandingSerializer(allow_null=True, help_text="The AI analyst of now; null where none is set up.")
    analysts = AnalystSerializer(many=True)
    rules_answered_because = ReasonCountSerializer(many=True)


class DaysSerializer(serializers.Serializer[Any]):
    days = serializers.IntegerField(required=False, default=DEFAULT_DAYS, min_value=1, max_value=MOST_DAYS)


class ScoreboardView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="analyses_scoreboard",
        parameters=[OpenApiParameter("days", int, description=f"1 to {MOST_DAYS}; {DEFAULT_DAYS} if left out.")],
        responses=ScoreboardSerializer,
        examples=[examples.SCOREBOARD],
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """Accuracy, calibration, cost and latency of the rules and of the AI by model and prompt."""
        query = DaysSerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        days = query.validated_data["days"]
        board = board_since(asking_of(request).now - timedelta(days=days))
        analysts: list[Analyst] = list(board.analysts)
        body = {
            "days": days,
            "current": current_analyst(),
            "analysts": analysts,
            "rules_answered_because": [{"reason": reason, "count": count} for reason, count in board.reasons],
        }
        return Response(ScoreboardSerializer(body).data)


class FeedbackView(APIView):
    required_scope = Scope.OPERATE

    @extend_schema(
        operation_id="exceptions_analysis_feedback",
        request=FeedbackSerializer,
        responses=AnalysisSerializer,
        examples=[examples.FEEDBACK, examples.ANALYSED],
        tags=TAGS,
    )
    def post(self, request: Request, exception_id: int) -> Response:
        """A thumb, or what it really was; in place of what the same person said before."""
        asking = asking_of(request)
        body = FeedbackSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        analysis = latest_of(exception_id)
        say(analysis_id=analysis.pk, actor=asking.actor, now=asking.now, **body.validated_data)
        return Response(AnalysisSerializer(analysis).data)


class AgainView(APIView):
    required_scope = Scope.OPERATE

    @extend_schema(
        operation_id="exceptions_analysis_again",
        request=None,
        responses={202: AnalysisSerializer, 409: OpenApiResponse(description="It is being analysed just now.")},
        examples=[examples.ASKED_AGAIN],
        tags=TAGS,
    )
    def post(self, request: Request, exception_id: int) -> Response:
        """Has the exception analysed anew, with what has happened since."""
        latest_of(exception_id)
        if not analyse_again(exception_id):
            raise Conflict("It is being analysed just now. Nothing was changed.")
        return Response(AnalysisSerializer(latest_of(exception_id)).data, status=202)


class SwitchView(APIView):
    required_scope = Scope.ADMIN

    @extend_schema(
        operation_id="analyses_switch",
        request=SwitchSerializer,
        responses={200: StandingSerializer, 409: OpenApiResponse(description="It stands so already.")},
        examples=[examples.SWITCH, examples.STANDING],
        tags=TAGS,
    )
    def post(self, request: Request) -> Response:
        """Switches the AI analyst on or off for this tenant. Switched on, it is judged anew from then on."""
        body = SwitchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        standing = switch_current(actor=asking_of(request).actor, **body.validated_data)
        return Response(StandingSerializer(standing).data)
