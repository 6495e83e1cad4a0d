"""What the orders' API takes and gives."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orders.api.fields import TEXT_ERRORS, ChoicesField, PageSerializer, WordsField
from orders.models import Event, Order, OrderStatus, Parcel, StageState
from orders.outcome import Outcome, contract_outcome, promise_outcome
from orders.selectors import OrderFilters, stages_of
from orders.stages import DELIVERY

OUTCOMES = [(outcome.value, outcome.value.replace("_", " ").capitalize()) for outcome in Outcome]


class OrderQuerySerializer(PageSerializer):
    status = ChoicesField(OrderStatus.values)
    merchant = WordsField()
    held = serializers.BooleanField(required=False, allow_null=True, default=None)
    search = serializers.CharField(required=False, allow_blank=True, max_length=128, error_messages=TEXT_ERRORS)

    def to_filters(self) -> OrderFilters:
        data = self.validated_data
        return OrderFilters(
            status=tuple(data.get("status", ())),
            merchant=tuple(data.get("merchant", ())),
            held=data["held"],
            search=data.get("search", ""),
        )


class StageSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    state = serializers.ChoiceField(StageState.choices)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True, help_text="Null while a hold is open, or without a target.")
    breached = serializers.BooleanField()
    severity = serializers.CharField(allow_null=True, help_text="Of the breach.")
    at_risk_at = serializers.DateTimeField(allow_null=True, help_text="The warning point, where its target has one.")
    at_risk = serializers.BooleanField(help_text="It runs past its warning point and is not late.")
    saved = serializers.BooleanField(help_text="It ran past its warning point and ended in time.")


class BriefExceptionSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    reason_code = serializers.CharField()
    status = serializers.CharField()
    severity = serializers.CharField()
    verdict = serializers.CharField()
    resolution = serializers.CharField(allow_null=True)
    opened_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class EventSerializer(serializers.ModelSerializer[Event]):
    order_id = serializers.CharField(source="order_ref", help_text="As it was sent.")

    class Meta:
        model = Event
        fields = (
            "source",
            "event_id",
            "event_type",
            "order_id",
            "occurred_at",
            "received_at",
            "effective_at",
            "payload",
            "tracking_number",
            "correlation_id",
            "history",
            "quarantined",
        )


class ParcelSerializer(serializers.ModelSerializer[Parcel]):
    class Meta:
        model = Parcel
        fields = ("shipment_id", "carrier", "tracking_number")


class CarriesSerializer(serializers.ModelSerializer[Order]):
    class Meta:
        model = Order
        fields = (
            "sales_channel",
            "shipping_service",
            "carrier",
            "warehouse",
            "destination_country",
            "customer_tier",
            "skus",
            "tags",
            "value_cents",
            "currency",
            "fulfil_by",
            "window_from",
            "window_until",
        )


class OrderSerializer(serializers.ModelSerializer[Any]):
    """Context: `now`."""

    contradiction = serializers.SerializerMethodField(help_text="What the events say against each other; else null.")
    stages = serializers.SerializerMethodField(help_text="All five, the pending ones too.")
    exceptions = serializers.SerializerMethodField(help_text="Those whose verdict is not `none`.")
    carries = serializers.SerializerMethodField(help_text="What its events state of it, as last stated.")
    rule = serializers.CharField(help_text="The rule of its policy that takes it; empty under a flat policy.")
    contract = serializers.SerializerMethodField(help_text="The verdict on the contract, with pauses and exclusions.")
    promise = serializers.SerializerMethodField(help_text="The verdict on the customer's promise, by the wall clock.")

    class Meta:
        model = Order
        fields = (
            "order_id",
            "merchant",
            "status",
            "held",
            "contradiction",
            "began_at",
            "first_received_at",
            "last_received_at",
            "rule",
            "contract",
            "promise",
            "promised_at",
            "carries",
            "stages",
            "exceptions",
        )

    @extend_schema_field(CarriesSerializer)
    def get_carries(self, order: Order) -> dict[str, Any]:
        return dict(CarriesSerializer(order).data)

    @extend_schema_field(serializers.ChoiceField(OUTCOMES))
    def get_contract(self, order: Order) -> str:
        return contract_outcome(order.stages.all(), order.promised_at)

    @extend_schema_field(serializers.ChoiceField(OUTCOMES))
    def get_promise(self, order: Order) -> str:
        delivery = next((stage for stage in order.stages.all() if stage.name == DELIVERY), None)
        return promise_outcome(order.promised_at, delivery, self.context["now"])

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_contradiction(self, order: Order) -> str | None:
        return order.contradiction or None

    @extend_schema_field(StageSerializer(many=True))
    def get_stages(self, order: Order) -> list[dict[str, Any]]:
        return [dict(StageSerializer(stage).data) for stage in stages_of(order.stages.all())]

    @extend_schema_field(BriefExceptionSerializer(many=True))
    def get_exceptions(self, order: Any) -> list[dict[str, Any]]:
        found = sorted(
            (record for record in order.exceptions.all() if record.verdict != "none"),
            key=lambda record: (record.opened_at, record.pk),
        )
        return [dict(BriefExceptionSerializer(record).data) for record in found]


class OrderHistorySerializer(OrderSerializer):
    """One order with its events in the order in which they took effect, and its parcels. Context: `difference` too."""

    difference = serializers.ListField(
        child=serializers.CharField(), help_text="Why contract and wall clock differ, a sentence for each stage."
    )
    events = EventSerializer(many=True)
    parcels = ParcelSerializer(many=True)

    class Meta(OrderSerializer.Meta):
        fields = (*OrderSerializer.Meta.fields, "difference", "events", "parcels")  # type: ignore[assignment]

    def to_representation(self, history: Any) -> dict[str, Any]:
        return {
            **OrderSerializer(history.order, context=self.context).data,
            "difference": self.context["difference"],
            "events": EventSerializer(history.events, many=True).data,
            "parcels": ParcelSerializer(history.parcels, many=True).data,
        }


class OrderPageSerializer(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True, help_text="The address of the next page; null on the last.")
    results = OrderSerializer(many=True)
