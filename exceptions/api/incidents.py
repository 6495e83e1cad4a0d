"""/api/incidents…: exceptions by what they share, and what a person decides about them."""

from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exceptions.api import incident_examples as examples
from exceptions.api.asking import asking_of
from exceptions.api.serializers import ReasonSerializer
from exceptions.incidents import decisions
from exceptions.incidents.models import Incident, IncidentEntry
from exceptions.incidents.selectors import (
    NEWEST,
    SORTS,
    TABS,
    IncidentDetail,
    IncidentFilters,
    get_incident,
    page_incidents,
)
from exceptions.incidents.words import Ending, IncidentKind, IncidentState
from orders.api.fields import TEXT_ERRORS, PageSerializer, WordsField, single
from orders.api.orders import next_address
from tenants.models import Scope

TAGS = ["incidents"]
ONCE = ("cursor", "page_size", "sort", "state", "search")
IMPOSSIBLE = OpenApiResponse(description="Not possible in its present state; nothing was changed.")
BIGGEST_ID = 2**63 - 1


class IncidentQuerySerializer(PageSerializer):
    """The query of a list."""

    state = serializers.ChoiceField(
        TABS,
        required=False,
        allow_blank=True,
        default="",
        help_text="`open` holds the confirmed too, neither the silenced; without it: all, those merged into others too.",
        error_messages={"invalid_choice": f"“{{input}}” is not known here: use {', '.join(TABS)}."},
    )
    rule = WordsField(help_text="Names of rules.")
    search = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=128,
        error_messages=TEXT_ERRORS,
        help_text="A part of what they share, or of the rule's title.",
    )
    sort = serializers.ChoiceField(
        SORTS, required=False, default=NEWEST, help_text="`stake`: the largest amount at stake first, in whole units."
    )


class MoneySerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    cents = serializers.IntegerField(help_text="Minor units of the currency.")


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    rule = serializers.CharField(source="rule.name")
    title = serializers.CharField(source="rule.title")
    shared = serializers.DictField(child=serializers.CharField())
    state = serializers.ChoiceField(IncidentState.choices)
    silenced = serializers.SerializerMethodField()
    closed_how = serializers.ChoiceField(Ending.choices, allow_blank=True)
    exceptions_open = serializers.IntegerField(source="live")
    orders_open = serializers.IntegerField(source="orders_live", help_text="Orders with an open exception.")
    stake = serializers.SerializerMethodField(help_text="Of the orders with an open exception; nothing is converted.")
    stake_unpriced = serializers.IntegerField(help_text="Of these orders, how many state no value.")
    value = serializers.SerializerMethodField(help_text="Of all its orders.")
    value_unpriced = serializers.IntegerField(help_text="Of all its orders, how many state no value.")
    merged_into = serializers.IntegerField(source="merged_into_id", allow_null=True)
    quiet_until = serializers.DateTimeField(
        allow_null=True, help_text="A person has ended it: what else comes until then belongs to it and opens nothing."
    )

    class Meta:
        model = Incident
        fields: tuple[str, ...] = tuple(examples.ONE)

    def get_silenced(self, incident: Incident) -> bool:
        return incident.silenced_at is not None

    @extend_schema_field(MoneySerializer(many=True))
    def get_stake(self, incident: Incident) -> list[dict[str, Any]]:
        return amounts(incident.stake)

    @extend_schema_field(MoneySerializer(many=True))
    def get_value(self, incident: Incident) -> list[dict[str, Any]]:
        return amounts(incident.value)


def amounts(by_currency: dict[str, int]) -> list[dict[str, Any]]:
    """The largest number first."""
    pairs = sorted(by_currency.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"currency": currency, "cents": cents} for currency, cents in pairs]


class IncidentPageSerializer(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True, help_text="The address of the next page; null on the last.")
    results = IncidentSerializer(many=True)


class IncidentEntrySerializer(serializers.ModelSerializer[IncidentEntry]):
    kind = serializers.ChoiceField(IncidentKind.choices)
    actor = serializers.CharField(help_text="incidents (the rules), user:NAME or key:PREFIX.")
    detail = serializers.DictField()

    class Meta:
        model = IncidentEntry
        fields = ("at", "kind", "actor", "reason", "detail")


class IncidentDetailSerializer(IncidentSerializer):
    """With its timeline, oldest first (the last 200 entries). Its exceptions: `/api/exceptions?incident=ID`."""

    timeline = IncidentEntrySerializer(many=True)
    taken_out = serializers.ListField(
        child=serializers.IntegerField(), help_text="Exceptions that a person took out, the last fifty."
    )

    class Meta(IncidentSerializer.Meta):
        fields = (*IncidentSerializer.Meta.fields, "timeline", "taken_out")

    def to_representation(self, detail: IncidentDetail) -> dict[str, Any]:  # type: ignore[override]
        return {
            **IncidentSerializer(detail.incident).data,
            "timeline": IncidentEntrySerializer(detail.timeline, many=True).data,
            "taken_out": [member.exception_id for member in detail.taken_out],
        }


class TakeOutSerializer(ReasonSerializer):
    exception = serializers.IntegerField(
        min_value=1, max_value=BIGGEST_ID, help_text="The id of an exception that belongs to it."
    )


class IncidentsView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="incidents_list",
        parameters=[IncidentQuerySerializer],
        responses=IncidentPageSerializer,
        examples=[examples.PAGE],
        tags=TAGS,
    )
    def get(self, request: Request) -> Response:
        """Incidents by cursor, the latest exception first or by what is at stake."""
        query = IncidentQuerySerializer(data=single(request.query_params, ONCE))
        query.is_valid(raise_exception=True)
        data = query.validated_data
        filters = IncidentFilters(tab=data["state"], rule=tuple(data.get("rule", ())), search=data["search"])
        page = page_incidents(filters, sort=data["sort"], cursor=data["cursor"], size=data["page_size"])
        results = IncidentSerializer(page.rows, many=True).data
        return Response({"next": next_address(request, page.next), "results": results})


class IncidentView(APIView):
    required_scope = Scope.READ

    @extend_schema(
        operation_id="incidents_retrieve", responses=IncidentDetailSerializer, examples=[examples.DETAIL], tags=TAGS
    )
    def get(self, request: Request, incident_id: int) -> Response:
        """All of an incident, with its timeline."""
        return Response(IncidentDetailSerializer(get_incident(incident_id)).data)


class DecisionView(APIView):
    """One decision, one address. What is not possible answers 409, and nothing is changed."""

    required_scope = Scope.OPERATE
    decide: ClassVar[Callable[..., Any]]
    serializer_class: ClassVar[type[serializers.Serializer[Any]]] = ReasonSerializer

    @extend_schema(
        responses={200: IncidentDetailSerializer, 409: IMPOSSIBLE}, examples=[examples.NOTE, examples.DETAIL], tags=TAGS
    )
    def post(self, request: Request, incident_id: int) -> Response:
        asking = asking_of(request)
        given = self.serializer_class(data=request.data)
        given.is_valid(raise_exception=True)
        type(self).decide(
            incident_id=incident_id, actor=asking.actor, now=asking.now, reason=given.validated_data["reason"]
        )
        return Response(IncidentDetailSerializer(get_incident(incident_id)).data)


class ConfirmView(DecisionView):
    decide = staticmethod(decisions.confirm_incident)


class DismissView(DecisionView):
    decide = staticmethod(decisions.dismiss_incident)


class SilenceView(DecisionView):
    decide = staticmethod(decisions.silence_incident)


class UnsilenceView(DecisionView):
    decide = staticmethod(decisions.unsilence_incident)


class CloseView(DecisionView):
    decide = staticmethod(decisions.close_incident)


class ReopenView(DecisionView):
    decide = staticmethod(decisions.reopen_incident)


class TakeOutView(APIView):
    required_scope = Scope.OPERATE

    @extend_schema(
        request=TakeOutSerializer,
        responses={200: IncidentDetailSerializer, 409: IMPOSSIBLE},
        examples=[examples.TAKE_OUT, examples.DETAIL],
        tags=TAGS,
    )
    def post(self, request: Request, incident_id: int) -> Response:
        """The exception has another cause: it leaves the incident, and is not folded again until it happens anew."""
        asking = asking_of(request)
        given = TakeOutSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        decisions.take_out(
            incident_id=incident_id,
            exception_id=given.validated_data["exception"],
            actor=asking.actor,
            now=asking.now,
            reason=given.validated_data["reason"],
        )
        return Response(IncidentDetailSerializer(get_incident(incident_id)).data)
