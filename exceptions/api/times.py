"""/api/exceptions/times: how long exceptions take."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exceptions.api import examples
from exceptions.api.asking import asking_of
from exceptions.times import DIMENSIONS, measure_times
from tenants.models import Scope


class TimesQuerySerializer(serializers.Serializer[Any]):
    days = serializers.IntegerField(required=False, default=30, min_value=1, max_value=366)
    by = serializers.ChoiceField(
        sorted(DIMENSIONS),
        required=False,
        default="reason",
        error_messages={"invalid_choice": f"“{{input}}” is not known here: use {', '.join(sorted(DIMENSIONS))}."},
    )


class TimesSerializer(serializers.Serializer[Any]):
    """Seconds; null where there is nothing to measure. A run goes from an opening or reopening until it is resolved."""

    key = serializers.CharField(
        help_text="The reason, the merchant or the assignee's id; empty for all and for nobody."
    )
    name = serializers.CharField()
    runs = serializers.IntegerField(help_text="Openings and reopenings in the period.")
    taken = serializers.IntegerField(help_text="Of them, those acknowledged or started.")
    mtta = serializers.FloatField(allow_null=True, help_text="Mean time until somebody acknowledged or started it.")
    median_tta = serializers.FloatField(allow_null=True)
    ended = serializers.IntegerField(help_text="Of them, those resolved.")
    mttr = serializers.FloatField(allow_null=True, help_text="Mean time until it was resolved.")
    median_ttr = serializers.FloatField(allow_null=True)
    in_open = serializers.FloatField(allow_null=True, help_text="Mean time in OPEN, of those that left it.")
    in_acknowledged = serializers.FloatField(allow_null=True)
    in_progress = serializers.FloatField(allow_null=True)


class MeasuredSerializer(serializers.Serializer[Any]):
    all = TimesSerializer()
    groups = TimesSerializer(many=True, help_text="The most frequent first, at most a hundred.")


class TimesView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="exceptions_times",
        parameters=[TimesQuerySerializer],
        responses=MeasuredSerializer,
        examples=[examples.TIMES],
        tags=["exceptions"],
    )
    def get(self, request: Request) -> Response:
        """MTTA, MTTR and the time in each state, of what began in the last days."""
        query = TimesQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        since = asking_of(request).now - timedelta(days=query.validated_data["days"])
        measured = measure_times(since=since, by=query.validated_data["by"])
        return Response({"all": asdict(measured.whole), "groups": [asdict(each) for each in measured.groups]})
